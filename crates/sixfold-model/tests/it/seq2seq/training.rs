//! A toy task is learned: write the source backwards.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use rand::Rng;
use sixfold_model::{Batch, BeamConfig, GenerateConfig, PaddingSide, Seed, Seq2Seq, Seq2SeqSpec};

use super::values;

const END: u32 = 1;
const VOCAB: u32 = 8;

/// Sources of two to four tokens, and the same backwards with an end.
fn examples(rows: usize, rng: &mut impl Rng) -> (Batch, Batch, Vec<Vec<u32>>) {
    let sources: Vec<Vec<u32>> = (0..rows)
        .map(|_| {
            let n = 2 + rng.next_u32() % 3;
            (0..n).map(|_| 2 + rng.next_u32() % (VOCAB - 2)).collect()
        })
        .collect();
    let targets: Vec<Vec<u32>> =
        sources.iter().map(|source| source.iter().rev().copied().chain([END]).collect()).collect();
    let pad = |rows: &[Vec<u32>]| Batch::pad(rows, 0, PaddingSide::Right);
    (pad(&sources), pad(&targets), targets)
}

#[test]
fn reversing_is_learned() {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let mut spec = Seq2SeqSpec::translation(VOCAB as usize, 32, 1, 4);
    spec.encoder.dropout = 0.0;
    spec.decoder.dropout = 0.0;
    let mut model = Seq2Seq::new(&spec, Seed::new(1), &device);
    let mut optimizer = AdamConfig::new().init();
    let mut rng = Seed::new(7).stream("data");
    let mut first = None;
    for _ in 0..400 {
        let (source, target, _) = examples(32, &mut rng);
        let loss = model.smoothed_loss(&source, &target, 0.05).unwrap();
        first.get_or_insert_with(|| values(loss.clone())[0]);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(3e-3, model, gradients);
    }
    let model = model.valid();
    let (source, target, expected) = examples(32, &mut rng);
    let loss = values(model.loss(&source, &target).unwrap())[0];
    assert!(first.is_some_and(|first| first > 1.5) && loss < 0.3, "from {first:?} to {loss}");
    let right =
        |written: &[Vec<u32>]| written.iter().zip(&expected).filter(|(w, e)| w == e).count();
    let greedy = GenerateConfig { stop: vec![END], ..GenerateConfig::greedy(6) };
    let greedy = right(&model.generate(&source, &greedy).unwrap());
    let beams = model.beam_search(&source, &BeamConfig::new(6, [END])).unwrap();
    let beams = right(&beams.into_iter().map(|found| found[0].tokens.clone()).collect::<Vec<_>>());
    assert!(greedy >= 28 && beams >= 28, "{greedy} and {beams} of 32");
}
