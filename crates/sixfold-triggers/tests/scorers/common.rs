//! Small classifiers with weights from the fixtures of the model crate, and examples for them.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sixfold_model::{Checkpoint, Seed, SequenceClassifier};
use sixfold_testkit::fixtures;
use sixfold_triggers::score::Query;
use sixfold_triggers::{Example, ModelVictim, Sequence, Victim};

pub(crate) const FAMILIES: [&str; 4] = ["bert", "roberta", "albert", "gpt2"];

pub(crate) fn device(name: &str) -> Device {
    sixfold_model::device(name).expect("compiled in")
}

pub(crate) fn classifier(family: &str, device: &Device) -> SequenceClassifier {
    let dir = fixtures("sixfold-model").join(format!("{family}-classify"));
    let checkpoint = Checkpoint::open(dir).unwrap().without_dropout();
    checkpoint.classifier(Seed::new(0), device).unwrap()
}

pub(crate) fn victim(family: &str, device: &Device) -> ModelVictim {
    ModelVictim::new(classifier(family, device), 0).unwrap()
}

/// Texts of several lengths; the first token is a special one.
pub(crate) fn examples(n: usize, vocab: usize) -> Vec<Example> {
    let text = |i: usize| {
        let len = 3 + i % 5;
        let ids: Vec<u32> =
            (0..=len).map(|j| (4 + (i * 13 + j * 7) % (vocab - 4)) as u32).collect();
        let n = ids.len();
        Example::new(Sequence { token_types: vec![0; n], ids }, std::iter::once(1..n).collect())
            .unwrap()
    };
    (0..n).map(text).collect()
}

/// What a query borrows.
pub(crate) struct Asked {
    pub(crate) examples: Vec<Example>,
    pub(crate) seats: Vec<usize>,
    pub(crate) clean: Vec<usize>,
    pub(crate) trigger: Vec<u32>,
    pub(crate) allowed: Vec<bool>,
}

impl Asked {
    pub(crate) fn new(victim: &ModelVictim, n: usize) -> Self {
        let vocab = victim.vocab_size();
        Self {
            examples: examples(n, vocab),
            seats: vec![1; n],
            clean: (0..n).map(|i| i % victim.n_classes()).collect(),
            trigger: vec![5, 9],
            allowed: (0..vocab).map(|id| id >= 4 && id % 9 != 0).collect(),
        }
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(Query<'_>) -> T) -> T {
        let examples: Vec<&Example> = self.examples.iter().collect();
        f(Query {
            examples: &examples,
            seats: &self.seats,
            clean: &self.clean,
            trigger: &self.trigger,
            allowed: &self.allowed,
        })
    }
}

pub(crate) fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(3)
}

/// Every parameter in f64: then all operations are plain, in f64.
pub(crate) struct Widen;

impl ModuleMapper for Widen {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(DType::F64))
    }
}

pub(crate) fn wide(family: &str) -> SequenceClassifier {
    classifier(family, &device("flex")).map(&mut Widen)
}

pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
