//! Sparse steps beside a dense lazy Adam in f64.

use rand::RngExt;
use sixfold_sparsegrad::adam::{BiasCorrection, Rule, Stale};
use sixfold_sparsegrad::{EntryTable, EntryTableParts, Error, Kept, SparseAdamConfig};

use crate::common::{bits, generator};

const SIZE: usize = 700;

/// The dense state of all entries, and the rule written out for one of them.
struct Dense {
    config: SparseAdamConfig,
    first: Vec<f64>,
    second: Vec<f64>,
    touches: Vec<i32>,
    born: Vec<i32>,
    last: Vec<i32>,
}

impl Dense {
    fn new(config: SparseAdamConfig) -> Self {
        let (zeros, none) = (vec![0.0; SIZE], vec![0; SIZE]);
        let (first, second) = (zeros.clone(), zeros);
        Self { config, first, second, touches: none.clone(), born: none.clone(), last: none }
    }

    fn step(&mut self, i: usize, g: f64, value: f64, lr: f64, step: i32) -> f64 {
        let SparseAdamConfig { beta_1, beta_2, epsilon, weight_decay, .. } = self.config;
        if self.touches[i] == 0 {
            self.born[i] = step;
        } else if self.config.stale == Stale::Decay {
            for _ in self.last[i] + 1..step {
                self.first[i] *= beta_1;
                self.second[i] *= beta_2;
            }
        }
        self.touches[i] += 1;
        self.last[i] = step;
        let decay = -lr * weight_decay * value;
        if self.config.rule == Rule::Momentum {
            self.first[i] = beta_1 * self.first[i] + g;
            return decay - lr * self.first[i];
        }
        self.first[i] = beta_1 * self.first[i] + (1.0 - beta_1) * g;
        self.second[i] = beta_2 * self.second[i] + (1.0 - beta_2) * g * g;
        let (m, v) = (self.first[i], self.second[i]);
        let corrections = |t: i32| (1.0 - beta_1.powi(t), 1.0 - beta_2.powi(t));
        if self.config.bias_correction == BiasCorrection::Global {
            // torch.optim.SparseAdam
            let (one, two) = corrections(step);
            return decay - lr * two.sqrt() / one * m / (v.sqrt() + epsilon);
        }
        let age = match self.config.stale {
            Stale::Keep => self.touches[i],
            Stale::Decay => step - self.born[i] + 1,
        };
        let (one, two) = corrections(age);
        decay - lr * (m / one) / ((v / two).sqrt() + epsilon)
    }
}

fn configs() -> Vec<SparseAdamConfig> {
    let mut all = Vec::new();
    for bias_correction in [BiasCorrection::Global, BiasCorrection::PerEntry] {
        for stale in [Stale::Keep, Stale::Decay] {
            for rule in [Rule::Adam, Rule::Momentum] {
                all.push(SparseAdamConfig { bias_correction, stale, rule, ..Default::default() });
            }
        }
    }
    all
}

/// Masks that move, with a part that stays, and gradients of different sizes.
fn steps(n: usize, seed: u64) -> Vec<(Vec<u32>, Vec<f32>)> {
    let mut generator = generator(seed);
    let mut mask: Vec<u32> = Vec::new();
    (0..n)
        .map(|step| {
            // Now and then the mask stays as it is.
            if step % 3 != 1 {
                mask = (0..SIZE as u32)
                    .filter(|i| {
                        generator.random_range(0.0..1.0) < if i % 9 == 0 { 0.9 } else { 0.1 }
                    })
                    .collect();
            }
            let size = |i: &u32| 10.0_f32.powi(*i as i32 % 7 - 5);
            let gradients =
                mask.iter().map(|i| (0.3 + generator.random_range(-1.0..1.0)) * size(i)).collect();
            (mask.clone(), gradients)
        })
        .collect()
}

#[test]
fn a_moving_mask_equals_dense_lazy_adam_over_200_steps() {
    for mut config in configs() {
        config.cap = Some(SIZE);
        for weight_decay in [0.0, 0.1] {
            config.weight_decay = weight_decay;
            let mut table = EntryTable::new(config.clone(), 1).unwrap();
            let mut dense = Dense::new(config.clone());
            let (mut found, mut expected) = (vec![0.0_f32; SIZE], vec![0.0_f64; SIZE]);
            for (step, (mask, gradients)) in steps(200, 1).into_iter().enumerate() {
                let step = step as u32 + 1;
                let values: Vec<f32> = mask.iter().map(|i| found[*i as usize]).collect();
                let kept = Kept { indices: &mask, gradients: &gradients, values: Some(&values) };
                let deltas = table.step(kept, 1e-2, step).unwrap();
                let mut square = [0.0, 0.0];
                for ((i, g), delta) in mask.iter().zip(&gradients).zip(deltas) {
                    let i = *i as usize;
                    let value = expected[i];
                    let lr = f64::from(1e-2_f32);
                    let exact = dense.step(i, f64::from(*g), value, lr, step as i32);
                    square[0] += (f64::from(delta) - exact).powi(2);
                    square[1] += exact.powi(2);
                    expected[i] += exact;
                    found[i] += delta;
                }
                let error = (square[0] / square[1]).sqrt();
                assert!(error <= 1e-6, "step {step}: {error:e} {config:?}");
            }
            let difference = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).powi(2));
            let norm: f64 = expected.iter().map(|x| x * x).sum();
            assert!((difference.sum::<f64>() / norm).sqrt() <= 1e-6);
        }
    }
}

#[test]
fn steps_over_accumulated_gradients_are_those_of_their_sum() {
    // Four micro-batches whose sums are exact, and all at once.
    let (mask, parts) = (vec![3_u32, 90, 400], [0.5_f32, -0.25, 1.5, 2.0]);
    let sum: f32 = parts.iter().sum();
    let accumulated = parts.iter().fold(0.0, |sum, part| sum + part);
    let step = |g: f32| {
        let mut table = EntryTable::new(SparseAdamConfig::torch(), 3).unwrap();
        let gradients = vec![g; 3];
        let kept = Kept { indices: &mask, gradients: &gradients, values: None };
        table.step(kept, 0.1, 5).unwrap()
    };
    assert_eq!(bits(&step(sum)), bits(&step(accumulated)));
    // An average instead of a sum changes nothing but what ε does.
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(step(sum).iter().zip(&step(sum / 4.0)).all(close));
}

#[test]
fn a_late_first_touch_moves_by_the_learning_rate_or_three_times_it() {
    let first = |config: SparseAdamConfig| {
        let mut table = EntryTable::new(config, 1).unwrap();
        let kept = Kept { indices: &[7], gradients: &[0.02], values: None };
        -table.step(kept, 1.0, 100_000).unwrap()[0]
    };
    assert!((first(SparseAdamConfig::torch()) - 0.1 / 0.001_f32.sqrt()).abs() < 1e-4);
    assert!((first(SparseAdamConfig::default()) - 1.0).abs() < 1e-5);
}

#[test]
fn scattered_steps_are_those_added_afterwards() {
    for mut config in configs() {
        config.cap = Some(SIZE);
        let mut tables = [0, 1].map(|_| EntryTable::new(config.clone(), 1).unwrap());
        let mut weights = [vec![1.0_f32; SIZE], vec![1.0_f32; SIZE]];
        for (step, (mask, gradients)) in steps(20, 2).into_iter().enumerate() {
            let kept = Kept { indices: &mask, gradients: &gradients, values: None };
            let step = step as u32 + 1;
            let deltas = tables[0].step(kept, 1e-2, step).unwrap();
            mask.iter().zip(deltas).for_each(|(i, delta)| weights[0][*i as usize] += delta);
            tables[1].step_scatter(kept, 1e-2, step, &mut weights[1]).unwrap();
        }
        assert_eq!(bits(&weights[0]), bits(&weights[1]));
        assert_eq!(tables[0], tables[1]);
    }
    let config = SparseAdamConfig { weight_decay: 0.5, ..Default::default() };
    let mut table = EntryTable::new(config, 1).unwrap();
    let mut weights = [2.0_f32, 2.0];
    let kept = Kept { indices: &[1], gradients: &[0.0], values: None };
    table.step_scatter(kept, 0.1, 1, &mut weights).unwrap();
    assert!((weights[0] - 2.0).abs() < 1e-6 && (weights[1] - 1.9).abs() < 1e-6);
    let kept = Kept { indices: &[2], ..kept };
    let error = table.step_scatter(kept, 0.1, 2, &mut weights);
    assert!(matches!(error, Err(Error::Shape { what: "weights", .. })));
}

#[test]
fn a_stored_state_goes_on_to_the_last_bit() {
    for config in configs() {
        let steps = steps(24, 3);
        let k = 200;
        let run = |table: &mut EntryTable, range: std::ops::Range<usize>| {
            let deltas = range.flat_map(|i| {
                let (mask, gradients) = &steps[i];
                let kept = Kept { indices: mask, gradients, values: None };
                table.step(kept, 1e-2, i as u32 + 1).unwrap()
            });
            bits(&deltas.collect::<Vec<_>>())
        };
        let mut whole = EntryTable::new(config.clone(), k).unwrap();
        run(&mut whole, 0..12);
        let parts = whole.to_parts();
        let mut resumed = EntryTable::from_parts(config, k, parts).unwrap();
        assert_eq!(run(&mut whole, 12..24), run(&mut resumed, 12..24));
        assert_eq!(whole, resumed);
    }
}

#[test]
fn the_cap_forgets_the_smallest_moments() {
    for stale in [Stale::Keep, Stale::Decay] {
        let config = SparseAdamConfig { cap: Some(4), stale, ..Default::default() };
        let mut table = EntryTable::new(config, 1).unwrap();
        let mut step = |indices: &[u32], gradients: &[f32], step| {
            table.step(Kept { indices, gradients, values: None }, 0.1, step).unwrap();
            table.indices().to_vec()
        };
        assert_eq!(step(&[10, 20, 30], &[1.0, -3.0, 2.0], 1), [10, 20, 30]);
        assert_eq!(step(&[5], &[1e-3], 2), [5, 10, 20, 30]);
        // 5 is the smallest, but of this mask.
        assert_eq!(step(&[5, 40], &[1e-3, 1e-3], 3), [5, 20, 30, 40]);
        // Of equal ones the higher index goes.
        assert_eq!(step(&[20, 30], &[0.0, 0.0], 4), [5, 20, 30, 40]);
        assert_eq!(step(&[1, 2], &[9.0, 9.0], 5), [1, 2, 20, 30]);
        // Forgotten entries start anew.
        let kept = Kept { indices: &[10], gradients: &[4.0], values: None };
        assert!((table.step(kept, 0.1, 6).unwrap()[0] + 0.1).abs() < 1e-6);
    }
    // What decays is forgotten though it was larger once.
    let config = SparseAdamConfig { cap: Some(2), stale: Stale::Decay, ..Default::default() };
    let mut table = EntryTable::new(config, 1).unwrap();
    let mut step = |index: u32, gradient: f32, step| {
        let kept = Kept { indices: &[index], gradients: &[gradient], values: None };
        table.step(kept, 0.1, step).unwrap();
        table.indices().to_vec()
    };
    step(1, 5.0, 1);
    step(2, 1.0, 40);
    assert_eq!(step(3, 1.0, 41), [2, 3]);
}

#[test]
fn bytes_are_those_of_the_entries() {
    for config in configs() {
        let per_entry = config.bytes_per_entry();
        let mut table = EntryTable::new(config, 400).unwrap();
        for (step, (mask, gradients)) in steps(30, 4).into_iter().enumerate() {
            let kept = Kept { indices: &mask, gradients: &gradients, values: None };
            table.step(kept, 1e-2, step as u32 + 1).unwrap();
            assert_eq!(table.bytes(), per_entry * table.len());
        }
        let half: Vec<u32> = table.indices().iter().copied().step_by(2).collect();
        table.retain(&half);
        assert_eq!(table.indices(), half);
        assert_eq!(table.bytes(), per_entry * half.len());
        table.retain(&[]);
        assert!(table.is_empty() && table.bytes() == 0);
    }
    assert_eq!(SparseAdamConfig::torch().bytes_per_entry(), 12);
    assert_eq!(SparseAdamConfig::default().bytes_per_entry(), 16);
}

#[test]
fn wrong_masks_are_named_and_change_nothing() {
    let config = SparseAdamConfig { cap: Some(3), stale: Stale::Decay, ..Default::default() };
    let mut table = EntryTable::new(config.clone(), 1).unwrap();
    let good = Kept { indices: &[1, 4], gradients: &[1.0, 2.0], values: None };
    table.step(good, 0.1, 7).unwrap();
    let before = table.clone();
    let mut fails = |kept: Kept<'_>, step: u32| table.step(kept, 0.1, step).unwrap_err();
    let short = Kept { gradients: &[1.0], ..good };
    assert!(matches!(fails(short, 8), Error::Shape { what: "gradients", .. }));
    let short = Kept { values: Some(&[1.0]), ..good };
    assert!(matches!(fails(short, 8), Error::Shape { what: "values", .. }));
    assert!(matches!(fails(Kept { indices: &[4, 1], ..good }, 8), Error::Config { .. }));
    assert!(matches!(fails(Kept { indices: &[4, 4], ..good }, 8), Error::Config { .. }));
    let nan = Kept { gradients: &[1.0, f32::NAN], ..good };
    assert!(matches!(fails(nan, 8), Error::NotFinite { index: 4, .. }));
    let many = Kept { indices: &[1, 2, 3, 4], gradients: &[1.0; 4], values: None };
    assert!(matches!(fails(many, 8), Error::TooMany { k: 4, size: 3 }));
    for step in [0, 6] {
        assert!(matches!(fails(good, step), Error::InvalidParameter { name: "step", .. }));
    }
    assert_eq!(table, before);

    let decaying = SparseAdamConfig { weight_decay: 0.1, ..Default::default() };
    let error = EntryTable::new(decaying, 2).unwrap().step(good, 0.1, 1).unwrap_err();
    assert!(matches!(error, Error::Shape { what: "values", .. }));

    let from = |change: &dyn Fn(&mut EntryTableParts)| {
        let mut parts = before.to_parts();
        change(&mut parts);
        EntryTable::from_parts(config.clone(), 1, parts)
    };
    assert_eq!(from(&|_| ()).unwrap(), before);
    assert!(from(&|parts| parts.ages.clear()).is_err());
    assert!(from(&|parts| parts.second.push(0.0)).is_err());
    assert!(from(&|parts| parts.indices.reverse()).is_err());
    assert!(from(&|parts| parts.first[1] = f32::INFINITY).is_err());
    let config = SparseAdamConfig { cap: Some(1), ..config };
    let error = EntryTable::from_parts(config, 1, before.to_parts()).unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }));
}

#[test]
fn settings_are_checked_all_at_once_and_read_from_files() {
    let wrong = SparseAdamConfig {
        beta_1: 1.0,
        beta_2: f64::NAN,
        epsilon: 0.0,
        weight_decay: -1.0,
        cap: Some(0),
        ..Default::default()
    };
    let Err(Error::Config { problems }) = wrong.validate() else { panic!("it is wrong") };
    assert_eq!(problems.len(), 5);
    let read = serde_json::from_str::<SparseAdamConfig>;
    let text =
        r#"{"bias-correction": "global", "stale": "decay", "rule": "momentum", "beta-1": 0.5}"#;
    let expected = SparseAdamConfig {
        bias_correction: BiasCorrection::Global,
        stale: Stale::Decay,
        rule: Rule::Momentum,
        beta_1: 0.5,
        ..Default::default()
    };
    assert_eq!(read(text).unwrap(), expected);
    assert!(read(r#"{"beta1": 0.5}"#).is_err());
}
