//! Sixfold's side of the comparison with the published search. `benches/peers/run_triggers.py` starts it beside
//! `benches/peers/triggers.py`: a classifier of MiniLM's shape with random weights, texts of the lengths of SST-2.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::rc::Rc;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::{minilm, two_classes};
use sixfold_model::{Batch, PaddingSide, Seed, SequenceClassifier, Site, Tap, buckets};
use sixfold_triggers::score::Query;
use sixfold_triggers::search::Clean;
use sixfold_triggers::{
    Example, Luat, LuatConfig, ModelVictim, Scorer, Search, SearchConfig, Sequence, Uat, Victim,
};

/// Examples of an update, candidates that are verified on them, texts in all, and tokens of the trigger.
const BATCH: usize = 128;
const CANDIDATES: usize = 5;
const TEXTS: usize = 872;
const TRIGGER: [u32; 3] = [1996, 1996, 1996];
const VOCAB: usize = 30_522;

/// Rows, inner length and columns of the product that tells the rate of the machine.
const PRODUCT: [usize; 3] = [3456, 384, 1536];

fn main() -> Result<()> {
    let setting = Rc::new(Setting::new()?);
    let tokens = |texts: &[Example]| -> f64 {
        texts.iter().map(|text| text.clean().ids.len() + TRIGGER.len()).sum::<usize>() as f64
    };
    let batch = tokens(&setting.texts[..BATCH]);
    let work = |name: &str, amount, prepare: fn(&Rc<Setting>) -> Run| {
        let setting = Rc::clone(&setting);
        Work::new(name, amount, Unit::Token, move |_| Ok(prepare(&setting)))
    };
    let works = [
        work("forward", batch, |s| s.scores(1)),
        work("wide", batch, |s| s.batches(1, true)),
        work("luat", batch, Setting::luat),
        work("uat", batch, Setting::uat),
        work("verify", batch * CANDIDATES as f64, |s| s.scores(CANDIDATES)),
        work("bare", batch * CANDIDATES as f64, |s| s.batches(CANDIDATES, false)),
        work("padded", batch * CANDIDATES as f64, |s| s.padded(CANDIDATES)),
        work("updates_1", tokens(&setting.texts), |s| s.updates(1)),
        work("updates_3", tokens(&setting.texts), |s| s.updates(3)),
        work("product", PRODUCT.iter().product::<usize>() as f64, |_| product()),
    ];
    serve(&works, || json!({ "versions": { "sixfold": env!("CARGO_PKG_VERSION") } }))
}

/// The classifier and the texts, for all works.
struct Setting {
    victim: ModelVictim,
    texts: Vec<Example>,
    classes: Vec<usize>,
    allowed: Vec<bool>,
}

impl Setting {
    fn new() -> Result<Self> {
        let device = sixfold_model::device("flex")?;
        let mut spec = minilm();
        (spec.dropout, spec.attention.dropout) = (0.0, 0.0);
        let model = SequenceClassifier::new(&spec, &two_classes(), Seed::new(0), &device);
        let texts = (0..TEXTS).map(text).collect::<sixfold_triggers::Result<Vec<_>>>()?;
        Ok(Self {
            victim: ModelVictim::new(model, 0)?,
            classes: (0..texts.len()).map(|i| i % 2).collect(),
            texts,
            allowed: (0..VOCAB).map(|id| id >= 1996).collect(),
        })
    }

    /// The first texts, each with so many triggers.
    fn sequences(&self, candidates: usize) -> Vec<Sequence> {
        let candidates = 0..candidates as u32;
        candidates
            .flat_map(|c| {
                let trigger = TRIGGER.map(|id| id + c);
                self.texts[..BATCH].iter().map(move |text| text.with_trigger(&trigger, 1))
            })
            .collect()
    }

    /// What the search does: sequences to scores.
    fn scores(self: &Rc<Self>, candidates: usize) -> Run {
        let (setting, sequences) = (Rc::clone(self), self.sequences(candidates));
        Box::new(move || {
            black_box(setting.victim.scores(&sequences)?);
            Ok(())
        })
    }

    /// The model alone on batches that are made already; `wide` with all of its last block.
    fn batches(self: &Rc<Self>, candidates: usize, wide: bool) -> Run {
        let sequences = self.sequences(candidates);
        let lengths: Vec<usize> = sequences.iter().map(|sequence| sequence.ids.len()).collect();
        let groups = buckets(&lengths, 4096);
        let batches = groups.iter().map(|group| batch(group.iter().map(|&i| &sequences[i])));
        self.run(batches.collect(), wide)
    }

    /// Batches of 128 in the order of the texts, as long as the longest of them.
    fn padded(self: &Rc<Self>, candidates: usize) -> Run {
        let sequences = self.sequences(candidates);
        self.run(sequences.chunks(BATCH).map(|part| batch(part.iter())).collect(), false)
    }

    fn run(self: &Rc<Self>, batches: Vec<Batch>, wide: bool) -> Run {
        let setting = Rc::clone(self);
        Box::new(move || {
            for batch in &batches {
                let model = setting.victim.classifier();
                let scores = match wide {
                    true => model.forward_with(batch, &mut Blind)?,
                    false => model.forward(batch)?,
                };
                black_box(scores.into_data());
            }
            Ok(())
        })
    }

    fn luat(self: &Rc<Self>) -> Run {
        let setting = Rc::clone(self);
        Box::new(move || {
            let layer = setting.victim.n_layers() - 1;
            let config = LuatConfig { layer, ..LuatConfig::default() };
            setting.score(&mut Luat::new(&setting.victim, config)?)
        })
    }

    fn uat(self: &Rc<Self>) -> Run {
        let setting = Rc::clone(self);
        Box::new(move || setting.score(&mut Uat::new(&setting.victim)))
    }

    fn score(&self, scorer: &mut dyn Scorer) -> Result<()> {
        let examples: Vec<&Example> = self.texts[..BATCH].iter().collect();
        let query = Query {
            examples: &examples,
            seats: &[1; BATCH],
            clean: &self.classes[..BATCH],
            trigger: &TRIGGER,
            allowed: &self.allowed,
        };
        black_box(scorer.score(query, &mut ChaCha8Rng::seed_from_u64(0))?);
        Ok(())
    }

    /// So many updates with the settings that users get, and the rate on all texts at the end.
    fn updates(self: &Rc<Self>, updates: usize) -> Run {
        let setting = Rc::clone(self);
        Box::new(move || {
            let config = SearchConfig {
                updates,
                patience: updates,
                init: vec![TRIGGER[0]],
                ..SearchConfig::default()
            };
            let clean = Clean::from_classes(setting.classes.clone());
            let (victim, allowed) = (&setting.victim, setting.allowed.clone());
            let search = Search::with_clean(config, &setting.texts, clean, allowed, victim)?;
            let layer = victim.n_layers() - 1;
            let mut luat = Luat::new(victim, LuatConfig { layer, ..LuatConfig::default() })?;
            let go_on = |_: &_| ControlFlow::Continue(());
            black_box(search.run(&mut search.start(), &mut luat, go_on)?);
            Ok(())
        })
    }
}

/// A tap that looks nowhere keeps the classifier from its shorter way.
struct Blind;

impl Tap for Blind {
    fn wants(&self, _: Site) -> bool {
        false
    }

    fn visit(&mut self, _: Site, x: burn::tensor::Tensor<3>) -> burn::tensor::Tensor<3> {
        x
    }
}

/// A text of 6 to 45 tokens, 24 in the mean, as those of SST-2's development split; the same in `triggers.py`.
fn text(i: usize) -> sixfold_triggers::Result<Example> {
    let u = ((i * 977) % TEXTS) as f64 / TEXTS as f64;
    let len = 6 + (39.0 * u.powf(1.2)) as usize;
    let ids: Vec<u32> = (0..len).map(|j| 1000 + ((i * 31 + j * 17) % 29_000) as u32).collect();
    let field = std::iter::once(1..len - 1).collect();
    Example::new(Sequence { token_types: vec![0; len], ids }, field)
}

fn batch<'a>(sequences: impl Iterator<Item = &'a Sequence>) -> Batch {
    let rows: Vec<Vec<u32>> = sequences.map(|sequence| sequence.ids.clone()).collect();
    Batch::pad(&rows, 0, PaddingSide::Right)
}

/// The `gemm` crate itself on one thread.
fn product() -> Run {
    let [m, k, n] = PRODUCT;
    let (a, b) = (Array2::<f32>::ones((m, k)), Array2::<f32>::ones((k, n)));
    let mut out = Array2::<f32>::zeros((m, n));
    Box::new(move || {
        sixfold_benches::product::multiply(out.view_mut(), a.view(), b.view());
        black_box(&out);
        Ok(())
    })
}
