//! Beam search against greedy choice and against trying everything.

use sixfold_model::{
    Batch, BeamConfig, BlockForm, CausalLm, EarlyStop, GenerateConfig, LengthPenalty, LmHeadSpec,
    PaddingSide, Seed, Seq2Seq, TransformerSpec,
};

use super::{lively, log_prob, small_spec};

const END: u32 = 1;

fn sources() -> Batch {
    Batch::pad(&[vec![2, 3, 3, 2, 1], vec![3, 1], vec![2, 2, 1]], 0, PaddingSide::Right)
}

fn model(vocab: usize, seed: u64) -> Seq2Seq {
    lively(&small_spec(vocab), seed, &sixfold_model::device("flex").unwrap())
}

#[test]
fn one_beam_without_length_penalty_is_greedy() {
    let mut lengths = Vec::new();
    for seed in 0..6 {
        let model = model(7, seed);
        let greedy = GenerateConfig { stop: vec![END], ..GenerateConfig::greedy(9) };
        let one = BeamConfig {
            beams: 1,
            length_penalty: LengthPenalty::None,
            ..BeamConfig::new(9, [END])
        };
        let expected = model.generate(&sources(), &greedy).unwrap();
        let found = model.beam_search(&sources(), &one).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!((found.len(), &found[0].tokens), (1, expected), "seed {seed}");
            assert_eq!(found[0].ended, expected.last() == Some(&END));
            lengths.push(expected.len());
        }
    }
    assert!(lengths.contains(&9) && lengths.iter().any(|&n| n < 9), "{lengths:?}");
}

/// All targets of at most `max` tokens that end in `END` or are `max` long.
fn everything(vocab: u32, max: usize) -> Vec<Vec<u32>> {
    let (mut open, mut all) = (vec![Vec::new()], Vec::new());
    for step in 1..=max {
        let longer: Vec<Vec<u32>> = open
            .iter()
            .flat_map(|start| (0..vocab).map(|token| [start.as_slice(), &[token]].concat()))
            .collect();
        let done = |tokens: &Vec<u32>| step == max || tokens.last() == Some(&END);
        all.extend(longer.iter().filter(|tokens| done(tokens)).cloned());
        open = longer.into_iter().filter(|tokens| !done(tokens)).collect();
    }
    all
}

#[test]
fn with_enough_beams_it_finds_the_best_of_all() {
    let (vocab, max) = (4, 3);
    let all = everything(vocab, max);
    assert_eq!(all.len(), 1 + 3 + 9 * 4);
    for length_penalty in [LengthPenalty::None, LengthPenalty::Gnmt(0.6), LengthPenalty::Power(1.5)]
    {
        let model = model(vocab as usize, 11);
        let config = BeamConfig { beams: 64, length_penalty, ..BeamConfig::new(max, [END]) };
        let found = model.beam_search(&sources(), &config).unwrap();
        for (row, found) in found.iter().enumerate() {
            let n = sources().mask()[row * 5..(row + 1) * 5].iter().filter(|&&kept| kept).count();
            let source = Batch::pad(&[sources().row(row)[..n].to_vec()], 0, PaddingSide::Right);
            let divisor = |n: usize| match length_penalty {
                LengthPenalty::None => 1.0,
                LengthPenalty::Gnmt(alpha) => ((5.0 + n as f64) / 6.0).powf(alpha),
                LengthPenalty::Power(alpha) => (n as f64).powf(alpha),
            };
            let mut expected: Vec<(f64, &Vec<u32>)> = all
                .iter()
                .map(|tokens| (log_prob(&model, &source, tokens) / divisor(tokens.len()), tokens))
                .collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0));
            assert_eq!(found.len(), all.len());
            for (found, (score, _)) in found.iter().zip(&expected) {
                assert!((found.score - score).abs() < 1e-4, "{} and {score}", found.score);
                let own = log_prob(&model, &source, &found.tokens);
                assert!((found.log_prob - own).abs() < 1e-4, "{:?}", found.tokens);
            }
            assert_eq!(&found[0].tokens, expected[0].1);
        }
    }
}

#[test]
fn a_search_that_stops_when_nothing_better_can_come_loses_nothing() {
    for seed in 0..4 {
        let model = model(6, seed);
        let config = BeamConfig { beams: 3, ..BeamConfig::new(8, [END]) };
        let best = |early_stop| {
            let config = BeamConfig { early_stop, ..config.clone() };
            let found = model.beam_search(&sources(), &config).unwrap();
            found.into_iter().map(|found| found[0].score).collect::<Vec<_>>()
        };
        let (exact, likely, full) =
            (best(EarlyStop::Impossible), best(EarlyStop::Unlikely), best(EarlyStop::WhenFull));
        for row in 0..3 {
            assert!(exact[row] >= likely[row] && likely[row] >= full[row], "seed {seed}");
        }
    }
}

#[test]
fn a_causal_model_is_searched_by_the_same_engine() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(12, 16, 2, 4);
    spec.block = BlockForm::Parallel;
    let model = CausalLm::new(&spec, &LmHeadSpec::UNTIED, Seed::new(5), &device);
    let prompt = Batch::pad(&[vec![3, 7, 9], vec![4]], 0, PaddingSide::Left);
    let greedy = model.generate(&prompt, &GenerateConfig::greedy(6)).unwrap();
    let one =
        BeamConfig { beams: 1, length_penalty: LengthPenalty::None, ..BeamConfig::new(6, []) };
    let found = model.beam_search(&prompt, &one).unwrap();
    assert_eq!(found.iter().map(|f| f[0].tokens.clone()).collect::<Vec<_>>(), greedy);
    let wide = BeamConfig { beams: 5, ..one };
    for (wide, narrow) in model.beam_search(&prompt, &wide).unwrap().iter().zip(&found) {
        assert_eq!(wide.len(), 5);
        assert!(wide.windows(2).all(|pair| pair[0].score >= pair[1].score));
        assert!(wide[0].log_prob >= narrow[0].log_prob - 1e-6);
    }
    let right = Batch::pad(&[vec![3, 7, 9], vec![4]], 0, PaddingSide::Right);
    assert!(model.beam_search(&right, &wide).unwrap_err().to_string().contains("on the left"));
}

#[test]
fn settings_out_of_range_are_all_named() {
    let config = BeamConfig {
        beams: 0,
        length_penalty: LengthPenalty::Power(f64::NAN),
        ..BeamConfig::new(0, [END])
    };
    let error = model(5, 0).beam_search(&sources(), &config).unwrap_err().to_string();
    for part in ["0 beams", "max_new_tokens 0", "length penalty NaN"] {
        assert!(error.contains(part), "{error}");
    }
}
