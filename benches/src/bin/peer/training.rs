//! Training: a whole step, and the optimiser alone.

use sixfold_benches::batch;
use sixfold_model::train::{AdamW, AdamWConfig, ClippedGradients, Gradients, ParamGroups};
use sixfold_model::{Checkpoint, Seed, SequenceClassifier};

use crate::models::{DEVICE, minilm_dir};
use sixfold_benches::peer::{Result, Run, Unit, Work};

/// Sequences and their length in a step of fine-tuning.
const STEP: [usize; 2] = [16, 128];

/// What belongs to training; PyTorch's side has the same names.
pub(crate) fn works() -> Vec<Work> {
    let tokens = STEP.iter().product::<usize>() as f64;
    vec![
        Work::new("minilm_train_step", tokens, Unit::Token, |_| train_step()),
        // The parameters of MiniLM with its pooler and two scores.
        Work::new("adamw_step", 22_713_986.0, Unit::Parameter, |_| adamw_step()),
    ]
}

/// Forward, backward, clipping and AdamW of a classifier, without dropout.
fn train_step() -> Result<Run> {
    let (mut training, loss) = (Training::new()?, loss()?);
    Ok(Box::new(move || {
        let gradients = Gradients::from_backward(loss(training.model()?)?, training.model()?);
        training.step(gradients.clip(Some(1.0))?)
    }))
}

/// AdamW alone. A step consumes its gradients, so some are laid up before; making more would
/// count as time.
fn adamw_step() -> Result<Run> {
    let (mut training, loss) = (Training::new()?, loss()?);
    let gradients = Gradients::from_backward(loss(training.model()?)?, training.model()?);
    let gradients = gradients.clip(Some(1.0))?;
    let mut store = vec![gradients.clone(); 10];
    Ok(Box::new(move || {
        let gradients = store.pop().unwrap_or_else(|| gradients.clone());
        training.step(gradients)
    }))
}

/// A model with its optimiser, as the golden curve of fine-tuning has it.
struct Training {
    /// Away only while a step is being taken.
    model: Option<SequenceClassifier>,
    optimizer: AdamW,
}

impl Training {
    fn new() -> Result<Self> {
        let device = sixfold_model::device(DEVICE)?.autodiff();
        let checkpoint = Checkpoint::open(minilm_dir()?)?.without_dropout();
        let model = checkpoint.classifier(Seed::new(0), &device)?;
        let config = AdamWConfig { weight_decay: 0.01, ..AdamWConfig::default() };
        let optimizer = AdamW::new(config, &ParamGroups::default(), &model)?;
        Ok(Self { model: Some(model), optimizer })
    }

    fn model(&self) -> Result<&SequenceClassifier> {
        Ok(self.model.as_ref().ok_or("a step failed before")?)
    }

    fn step(&mut self, gradients: ClippedGradients) -> Result<()> {
        let model = self.model.take().ok_or("a step failed before")?;
        self.model = Some(self.optimizer.step(model, gradients, 1e-6));
        Ok(())
    }
}

/// The loss of a fixed batch of full sequences.
fn loss() -> Result<impl Fn(&SequenceClassifier) -> Result<burn::tensor::Tensor<1>>> {
    let vocabulary = Checkpoint::open(minilm_dir()?)?.spec().vocab_size;
    let batch = batch(STEP[0], STEP[1], vocabulary);
    let labels: Vec<i32> = (0..STEP[0] as i32).map(|row| row % 2).collect();
    Ok(move |model: &SequenceClassifier| Ok(model.loss(&batch, &labels)?))
}
