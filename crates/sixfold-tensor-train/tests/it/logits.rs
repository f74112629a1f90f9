//! Logits and cross-entropy against the whole table, in f64.

use ndarray::Array2;
use rand::RngExt;
use sixfold_tensor_train::logits::{
    Method, cross_entropy, cross_entropy_backward, logits, logits_backward, top_k,
};
use sixfold_tensor_train::lookup::{Plan, backward};
use sixfold_tensor_train::{Cores, TtShape};

use crate::common::{generator, random, row, shapes, widened};

const METHODS: [Method; 2] = [Method::Merged, Method::Tiled];

/// Shapes of several blocks too: one of 1 100 rows, whose last prefix is cut, and one wider than a block.
fn cases() -> Vec<Cores> {
    let more = [
        TtShape::train(3_001, [14, 14, 16], [2, 2, 4], 5).unwrap(),
        TtShape::train(2_500, [2, 1_300], [2, 3], 4).unwrap(),
        TtShape::ring(1_100, [10, 10, 12], [2, 3, 2], 3).unwrap(),
    ];
    let shapes = shapes().into_iter().chain(more).enumerate();
    shapes.map(|(seed, shape)| random(shape, seed as u64)).collect()
}

fn table(cores: &Cores) -> Array2<f64> {
    let values = widened(cores.values());
    let shape = cores.shape();
    let rows = (0..shape.vocab_size()).flat_map(|i| row(shape, &values, i)).collect();
    Array2::from_shape_vec((shape.vocab_size(), shape.d_embed()), rows).unwrap()
}

fn hidden(cores: &Cores, n: usize) -> Array2<f32> {
    let mut generator = generator(9);
    let scale = 1.0 / (cores.shape().d_embed() as f32);
    Array2::from_shape_simple_fn((n, cores.shape().d_embed()), || {
        generator.random_range(-scale..scale)
    })
}

fn matrix(n: usize, values: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec((n, values.len() / n), values).unwrap()
}

fn assert_close(found: &Array2<f32>, exact: &Array2<f64>, tolerance: f64, what: &str) {
    assert_eq!(found.dim(), exact.dim(), "{what}");
    let scale = exact.iter().fold(f64::MIN_POSITIVE, |max, x| max.max(x.abs()));
    for (found, exact) in found.iter().zip(exact) {
        let error = (f64::from(*found) - exact).abs();
        assert!(error <= tolerance * scale, "{what}: {found} is not {exact}");
    }
}

#[test]
fn logits_are_products_with_the_table() {
    for cores in cases() {
        let hidden = hidden(&cores, 7);
        let exact = hidden.mapv(f64::from).dot(&table(&cores).t());
        for method in METHODS {
            let values = logits(cores.shape(), cores.values(), hidden.as_slice().unwrap(), method);
            assert_close(
                &matrix(7, values),
                &exact,
                1e-5,
                &format!("{method:?} {:?}", cores.shape()),
            );
        }
    }
}

#[test]
fn gradients_of_logits_are_those_of_rows() {
    for cores in cases() {
        let n = 5;
        let (hidden, shape) = (hidden(&cores, n), cores.shape());
        let mut generator = generator(11);
        let grad = Array2::from_shape_simple_fn((n, shape.vocab_size()), || {
            generator.random_range(-1.0_f32..1.0)
        });
        let wide = grad.mapv(f64::from);
        let of_hidden = wide.dot(&table(&cores));
        // ∂L/∂W = gradᵀ·h, and from there as for rows that were looked up.
        let of_table = grad.t().dot(&hidden);
        let ids: Vec<u32> = (0..shape.vocab_size() as u32).collect();
        let of_table = of_table.as_standard_layout();
        let of_cores =
            backward(shape, cores.values(), &Plan::new(shape, &ids), of_table.as_slice().unwrap());
        let of_cores = matrix(1, of_cores).mapv(f64::from);
        for method in METHODS {
            let (found_hidden, found_cores) = logits_backward(
                shape,
                cores.values(),
                hidden.as_slice().unwrap(),
                grad.as_slice().unwrap(),
                method,
            );
            let what = format!("{method:?} {shape:?}");
            assert_close(&matrix(n, found_hidden), &of_hidden, 1e-5, &what);
            assert_close(&matrix(1, found_cores), &of_cores, 1e-5, &what);
        }
    }
}

/// log Σ exp and the softmax of rows.
fn softmax(logits: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let sums: Vec<f64> =
        logits.rows().into_iter().map(|row| row.mapv(f64::exp).sum().ln()).collect();
    let mut softmax = logits.clone();
    for (mut row, sum) in softmax.rows_mut().into_iter().zip(&sums) {
        row.mapv_inplace(|x| (x - sum).exp());
    }
    (sums, softmax)
}

#[test]
fn the_cross_entropy_is_that_of_all_logits_and_of_no_padding() {
    for cores in cases() {
        let (n, shape) = (6, cores.shape());
        let hidden = hidden(&cores, n);
        let vocab = shape.vocab_size() as u32;
        let targets = [0, vocab - 1, vocab / 2, 1, 2, vocab - 1];
        let table = table(&cores);
        let logits = hidden.mapv(f64::from).dot(&table.t());
        let (sums, mut softmax) = softmax(&logits);
        let grad: Vec<f32> = (0..n).map(|i| 1.0 - 0.3 * i as f32).collect();
        for (i, target) in targets.iter().enumerate() {
            softmax[[i, *target as usize]] -= 1.0;
            softmax.row_mut(i).mapv_inplace(|x| x * f64::from(grad[i]));
        }
        let of_hidden = softmax.dot(&table);
        let of_table = softmax.t().dot(&hidden.mapv(f64::from)).mapv(|x| x as f32);
        let ids: Vec<u32> = (0..vocab).collect();
        let of_table = of_table.as_standard_layout().into_owned();
        let plan = Plan::new(shape, &ids);
        let of_cores = backward(shape, cores.values(), &plan, of_table.as_slice().unwrap());
        let of_cores = matrix(1, of_cores).mapv(f64::from);
        let hidden = hidden.as_slice().unwrap();
        for method in METHODS {
            let what = format!("{method:?} {shape:?}");
            let found = cross_entropy(shape, cores.values(), hidden, &targets, method);
            for (i, target) in targets.iter().enumerate() {
                let exact = sums[i] - logits[[i, *target as usize]];
                assert!(
                    (f64::from(found.losses[i]) - exact).abs() < 1e-5 * exact.max(1.0),
                    "{what}"
                );
                assert!(
                    (f64::from(found.log_sums[i]) - sums[i]).abs() < 1e-5 * sums[i].abs().max(1.0)
                );
            }
            let (found_hidden, found_cores) = cross_entropy_backward(
                shape,
                cores.values(),
                hidden,
                &targets,
                &found.log_sums,
                &grad,
                method,
            );
            assert_close(&matrix(n, found_hidden), &of_hidden, 2e-5, &what);
            assert_close(&matrix(1, found_cores), &of_cores, 2e-5, &what);
        }
    }
}

#[test]
fn more_hidden_states_than_a_chunk_are_all_multiplied() {
    let cores = random(TtShape::train(1_500, [11, 12, 12], [2, 2, 2], 3).unwrap(), 3);
    let n = 1_100;
    let (hidden, shape) = (hidden(&cores, n), cores.shape());
    let exact = hidden.mapv(f64::from).dot(&table(&cores).t());
    let targets: Vec<u32> = (0..n as u32).map(|i| i * 7 % 1_500).collect();
    let flat = hidden.as_slice().unwrap();
    for method in METHODS {
        let values = matrix(n, logits(shape, cores.values(), flat, method));
        assert_close(&values, &exact, 1e-5, "logits");
        let all = cross_entropy(shape, cores.values(), flat, &targets, method);
        let grad = vec![1.0; n];
        let (of_hidden, of_cores) = cross_entropy_backward(
            shape,
            cores.values(),
            flat,
            &targets,
            &all.log_sums,
            &grad,
            method,
        );
        // Each state for itself, and the cores' gradient as the sum of two halves.
        let half = n / 2;
        let mut sum = vec![0.0_f64; of_cores.len()];
        for range in [0..half, half..n] {
            let d = shape.d_embed();
            let flat = &flat[range.start * d..range.end * d];
            let one = cross_entropy(shape, cores.values(), flat, &targets[range.clone()], method);
            assert_eq!(one.losses, all.losses[range.clone()]);
            let (part, cores) = cross_entropy_backward(
                shape,
                cores.values(),
                flat,
                &targets[range.clone()],
                &one.log_sums,
                &grad[range.clone()],
                method,
            );
            assert_close(
                &matrix(range.len(), part),
                &matrix(range.len(), of_hidden[range.start * d..range.end * d].to_vec())
                    .mapv(f64::from),
                1e-6,
                "halves",
            );
            sum.iter_mut().zip(cores).for_each(|(sum, x)| *sum += f64::from(x));
        }
        let sum = Array2::from_shape_vec((1, sum.len()), sum).unwrap();
        assert_close(&matrix(1, of_cores), &sum, 1e-5, "cores");
    }
}

#[test]
fn threads_change_no_bit_of_a_loss_or_its_gradient() {
    let cores = random(TtShape::train(5_000, [17, 17, 18], [2, 4, 4], 6).unwrap(), 5);
    let (hidden, shape) = (hidden(&cores, 40), cores.shape());
    let targets: Vec<u32> = (0..40).map(|i| i * 120).collect();
    for method in METHODS {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let h = hidden.as_slice().unwrap();
                let found = cross_entropy(shape, cores.values(), h, &targets, method);
                let gradients = cross_entropy_backward(
                    shape,
                    cores.values(),
                    h,
                    &targets,
                    &found.log_sums,
                    &found.losses,
                    method,
                );
                let all = [found.losses, gradients.0, gradients.1].concat();
                all.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            })
        };
        assert!(run(1) == run(2), "{method:?}");
    }
}

#[test]
fn the_method_follows_the_ranks() {
    let of_rank = |rank| TtShape::train(100_000, [40, 50, 50], [8, 8, 8], rank).unwrap();
    assert_eq!(Method::choose(&of_rank(8), 64), Method::Merged);
    assert_eq!(Method::choose(&of_rank(64), 4_096), Method::Tiled);
    let axis: Vec<Method> = (1..=64).map(|rank| Method::choose(&of_rank(rank), 512)).collect();
    // Once the tiles win, they do so for all larger ranks.
    assert!(axis.is_sorted_by_key(|method| *method == Method::Tiled));
}

#[test]
fn the_largest_logits_are_those_of_all_logits_sorted() {
    // Several blocks, a last one that is not whole, and more hidden states than one chunk.
    let shape = TtShape::train(5_000, [17, 17, 18], [2, 4, 4], 3).unwrap();
    for (cores, n) in [(random(shape, 7), 520), (random(shapes().remove(0), 1), 3)] {
        let (shape, hidden) = (cores.shape(), hidden(&cores, n));
        let (h, vocab) = (hidden.as_slice().unwrap(), shape.vocab_size());
        for method in METHODS {
            let all = logits(shape, cores.values(), h, method);
            let sorted = all.chunks(vocab).map(|logits| {
                let mut ids: Vec<u32> = (0..vocab as u32).collect();
                let at = |id: &u32| logits[*id as usize];
                ids.sort_by(|a, b| at(b).total_cmp(&at(a)).then(a.cmp(b)));
                ids
            });
            let sorted: Vec<Vec<u32>> = sorted.collect();
            // More than there are rows only of a small table: that is sorting by insertion.
            for k in [0, 1, 5, if n == 3 { vocab + 1 } else { 40 }] {
                let found = top_k(shape, cores.values(), h, k, method);
                assert_eq!((found.k, found.ids.len()), (k.min(vocab), n * k.min(vocab)));
                for (i, sorted) in sorted.iter().enumerate() {
                    let of_state = i * found.k..(i + 1) * found.k;
                    let ids = &found.ids[of_state.clone()];
                    assert_eq!(ids, &sorted[..found.k], "state {i}, {method:?}, k = {k}");
                    let logits = ids.iter().map(|id| all[i * vocab + *id as usize].to_bits());
                    assert!(found.logits[of_state].iter().map(|x| x.to_bits()).eq(logits));
                }
            }
        }
    }
}

#[test]
fn equal_logits_come_in_the_order_of_their_rows() {
    let shape = TtShape::train(3_000, [50, 60], [1, 2], 1).unwrap();
    let cores = Cores::new(shape.clone(), vec![1.0; shape.parameters()]).unwrap();
    for method in METHODS {
        assert_eq!(top_k(&shape, cores.values(), &[1.0, 1.0], 4, method).ids, [0, 1, 2, 3]);
    }
}
