//! Steps of fine-tuning by every method that is compared, on models of random weights.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use sixfold_model::train::{
    AdamW, AdamWConfig, Gradients, Optimizer, ParamGroups, Patterns, unfreeze,
};
use sixfold_model::{Batch, Seed, SequenceClassifier, TransformerSpec};
use sixfold_sparsegrad::config::{BasisKind, Mode, Policy, Realisation};
use sixfold_sparsegrad::{
    Adaptable, Adapted, LoraLinear, MePropLinear, SparseAdamConfig, SparseGradConfig, attach,
    calibrate,
};

use crate::{bert_base, minilm, two_classes};

/// The methods whose steps are measured.
pub const METHODS: [&str; 7] =
    ["full", "lora", "meprop", "in-place", "adapter", "dynamic", "paper"];

/// The encoder of a shape: `small` (d 256 × 4 blocks), `minilm` or `bert-base`.
pub fn spec_of(shape: &str) -> Option<TransformerSpec> {
    match shape {
        "small" => Some(TransformerSpec::encoder(1000, 256, 4, 4)),
        "minilm" => Some(minilm()),
        "bert-base" => Some(bert_base()),
        _ => None,
    }
}

/// A model of adapted projections.
type Model = SequenceClassifier<Embedding, Adapted>;

/// Takes one step at each call; gives the loss.
pub type Step = Box<dyn FnMut() -> f32>;

/// A classifier of random weights whose MLPs are tuned by a method, on one batch.
///
/// # Panics
/// For a method that is none of [`METHODS`].
pub fn steps(method: &str, spec: &TransformerSpec, batch: Batch) -> Step {
    let device = sixfold_model::device("flex").expect("compiled in").autodiff();
    let model = SequenceClassifier::new(spec, &two_classes(), Seed::new(0), &device);
    let labels: Vec<i32> = (0..batch.rows() as i32).map(|row| row % 2).collect();
    let dense = |model: &Model| {
        AdamW::new(AdamWConfig::default(), &ParamGroups::default(), model).expect("no patterns")
    };
    let with_head = |model: Model| {
        unfreeze(model, &Patterns::new(["head.**"]).expect("a pattern")).expect("a head")
    };
    let of_mlp = |f: &dyn Fn(Linear) -> Adapted, model: SequenceClassifier| {
        model.adapt(&mut |path, linear| match path.contains(".mlp.") {
            true => f(linear),
            false => Adapted::Plain(linear),
        })
    };
    match method {
        "full" => {
            let model = model.adapt(&mut |_, linear| Adapted::Plain(linear));
            looped(dense(&model), model, batch, labels)
        }
        "meprop" => {
            // The paper keeps the share of entries that SparseGrad does.
            let keep = |linear: Linear| {
                let k = (linear.weight.dims()[1] as f64 * 0.012).round().max(1.0) as usize;
                Adapted::MeProp(MePropLinear::new(linear, k))
            };
            let model = of_mlp(&keep, model);
            looped(dense(&model), model, batch, labels)
        }
        "lora" => {
            let lora = |linear: Linear| {
                let [d_in, d_out] = linear.weight.dims();
                let k = SparseGradConfig::default().k_of(d_in, d_out);
                let rank = (k as f64 / (d_in + d_out) as f64).round() as usize;
                Adapted::Lora(LoraLinear::new(linear, rank, 1.0, Seed::new(1)))
            };
            let model = with_head(of_mlp(&lora, model.no_grad()));
            looped(dense(&model), model, batch, labels)
        }
        _ => {
            let mode = if method == "paper" { Mode::Paper } else { Mode::Default };
            let moving = ["paper", "dynamic"].contains(&method);
            let config = SparseGradConfig {
                basis: BasisKind::Random,
                selection: if moving { Policy::Dynamic } else { Policy::All },
                realisation: match method {
                    "adapter" => Realisation::Adapter,
                    "in-place" | "paper" | "dynamic" => Realisation::InPlace,
                    other => panic!("no method `{other}`"),
                },
                mode,
                modules_to_save: vec!["head.**".to_owned()],
                ..SparseGradConfig::default()
            };
            let found =
                calibrate(&model, &config, |_, _| unreachable!("nothing is asked of gradients"));
            let found = found.expect("bases of any model");
            let tuned = attach(model, &config, &found, &SparseAdamConfig::default());
            let tuned = tuned.expect("a model that was calibrated");
            let adam = dense(&tuned.model);
            let (model, optimizer) = tuned.optimizer(adam);
            looped(optimizer, model, batch, labels)
        }
    }
}

fn looped<O: Optimizer<Model> + 'static>(
    mut optimizer: O,
    model: Model,
    batch: Batch,
    labels: Vec<i32>,
) -> Step {
    let mut model = Some(model);
    Box::new(move || {
        let before = model.take().expect("put back after each step");
        optimizer.begin(1);
        let loss = before.loss(&batch, &labels).expect("tokens of the vocabulary");
        let value = loss.clone().into_scalar::<f32>();
        let gradients = Gradients::from_backward(loss, &before);
        let gradients = optimizer.gather(gradients).and_then(|found| found.clip(Some(1.0)));
        model = Some(optimizer.step(before, gradients.expect("finite gradients"), 1e-4));
        value
    })
}
