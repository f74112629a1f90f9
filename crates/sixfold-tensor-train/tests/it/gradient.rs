//! Gradients against the definition.

use sixfold_tensor_train::lookup::{self, Plan};
use sixfold_tensor_train::{Cores, TtShape};

use crate::common::{generator, random, row, shapes, widened};
use rand::RngExt;

fn gradient(cores: &Cores, ids: &[u32], grad: &[f32]) -> Vec<f32> {
    let plan = Plan::new(cores.shape(), ids);
    lookup::backward(cores.shape(), cores.values(), &plan, grad)
}

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed);
    (0..n).map(|_| generator.random_range(-1.0..1.0)).collect()
}

#[test]
fn gradients_are_differences_of_the_loss() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let vocab = shape.vocab_size() as u32;
        let ids = [0, vocab - 1, 3, 4, 0, vocab / 2];
        let grad = numbers(ids.len() * shape.d_embed(), 1);
        let cores = random(shape, seed as u64);
        let shape = cores.shape();
        let found = gradient(&cores, &ids, &grad);
        let mut values = widened(cores.values());
        let loss = |values: &[f64]| -> f64 {
            let rows = ids.iter().flat_map(|id| row(shape, values, *id as usize));
            rows.zip(&grad).map(|(row, grad)| row * f64::from(*grad)).sum()
        };
        let before = loss(&values);
        let scale = found.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        // The loss is linear in each number, so that a difference is exact at any distance.
        for i in (0..values.len()).step_by(1 + values.len() / 200) {
            let old = values[i];
            values[i] += 1.0;
            let exact = loss(&values) - before;
            values[i] = old;
            let error = (exact - f64::from(found[i])).abs() / f64::from(scale);
            assert!(error < 2e-6, "{shape:?}: number {i} is {}, not {exact}", found[i]);
        }
    }
}

#[test]
fn each_core_meets_eulers_identity() {
    // Rows are linear in each core, so that ⟨∂L/∂G_k, G_k⟩ = ⟨∂L/∂Y, Y⟩ for each k.
    let large = TtShape::train(3_000, [14, 14, 16], [4, 8, 8], 16).unwrap();
    // Slices beyond the first-level cache.
    let larger = TtShape::train(300, [10, 3, 10], [8, 8, 8], 64).unwrap();
    for (seed, shape) in shapes().into_iter().chain([large, larger]).enumerate() {
        let ids: Vec<u32> = (0..2_000_u32).map(|i| i * i * 7 % shape.vocab_size() as u32).collect();
        let grad = numbers(ids.len() * shape.d_embed(), 2);
        let cores = random(shape, seed as u64);
        let found = gradient(&cores, &ids, &grad);
        let signed: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
        let rows = cores.rows(&signed).unwrap();
        let product = |a: &[f32], b: &[f32]| -> [f64; 2] {
            let each = || a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
            [each().sum(), each().map(f64::abs).sum()]
        };
        let [expected, scale] = product(rows.as_slice().unwrap(), &grad);
        let mut start = 0;
        for k in 0..cores.shape().cores() {
            let of_core = &found[start..][..cores.core(k).len()];
            start += of_core.len();
            let [found, _] = product(of_core, cores.core(k));
            assert!((found - expected).abs() < 1e-5 * scale, "core {k}: {found} ≠ {expected}");
        }
    }
}

#[test]
fn an_id_twice_has_twice_the_gradient() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let grad = numbers(shape.d_embed(), 3);
        let cores = random(shape, seed as u64);
        let once = gradient(&cores, &[7], &grad);
        let twice = gradient(&cores, &[7, 7], &[&grad[..], &grad].concat());
        for (once, twice) in once.iter().zip(&twice) {
            assert_eq!((2.0 * once).to_bits(), twice.to_bits());
        }
    }
}

#[test]
fn gradients_of_an_id_are_added_and_those_of_padding_are_not() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let cores = random(shape, seed as u64);
        let (shape, d) = (cores.shape(), cores.shape().d_embed());
        // Each of seven ids nine times, or once.
        let ids: Vec<u32> = (0..63).map(|i| i * i % 7).collect();
        let grad = numbers(ids.len() * d, 5);
        let plan = Plan::with_padding(shape, &ids, Some(2));
        let found = lookup::backward(shape, cores.values(), &plan, &grad);
        let mut sums = vec![0.0; plan.unique().len() * d];
        for (row, id) in grad.chunks(d).zip(&ids).filter(|(_, id)| **id != 2) {
            let place = plan.unique().binary_search(id).unwrap();
            sums[place * d..][..d].iter_mut().zip(row).for_each(|(sum, grad)| *sum += grad);
        }
        assert!(plan.unique().len() * 9 < ids.len() * 4, "ids repeat");
        let once = gradient(&cores, plan.unique(), &sums);
        assert_eq!(found, once);
    }
}

#[test]
fn the_order_of_a_batch_only_rounds() {
    let cores = random(shapes().remove(2), 0);
    let d = cores.shape().d_embed();
    let ids: Vec<u32> = (0..300).map(|i| i * i % 119).collect();
    let grad = numbers(ids.len() * d, 4);
    let reversed: Vec<u32> = ids.iter().rev().copied().collect();
    let backwards: Vec<f32> = grad.chunks(d).rev().flatten().copied().collect();
    let (one, other) = (gradient(&cores, &ids, &grad), gradient(&cores, &reversed, &backwards));
    let scale = one.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    for (one, other) in one.iter().zip(&other) {
        assert!((one - other).abs() <= 1e-6 * scale);
    }
}
