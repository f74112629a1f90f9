//! Look-ups and heads on every device that is compiled in, beside their references and the host's own.

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rand::RngExt;
use sixfold_model::TokenEmbedding;
use sixfold_tensor_train::bags::Bags;
use sixfold_tensor_train::lookup::{self, Plan};
use sixfold_tensor_train::{BagMode, Cores, Error, TtEmbedding, TtEmbeddingBag, TtShape, ops};

use crate::common::{generator, random, row, shapes, widened};

fn devices() -> Vec<Device> {
    let mut names = sixfold_model::available_devices();
    names.retain(|&name| name != "cuda" && (name != "wgpu" || sixfold_testkit::has_vulkan()));
    names.into_iter().map(|name| sixfold_model::device(name).unwrap()).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

fn uniform(n: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed);
    (0..n).map(|_| generator.random_range(-1.0..1.0)).collect()
}

/// The cores as tracked tensors.
fn tracked(cores: &Cores, device: &Device) -> Vec<Tensor<4>> {
    let core = |k| tensor(cores.core(k), cores.shape().core(k), device).require_grad();
    (0..cores.shape().cores()).map(core).collect()
}

/// The gradients of tracked cores, one after the other.
fn gradients(loss: Tensor<1>, cores: &[Tensor<4>]) -> Vec<f64> {
    let found = loss.backward();
    cores.iter().flat_map(|core| numbers(core.grad(&found).expect("a gradient"))).collect()
}

#[track_caller]
fn assert_close(found: &[f64], exact: &[f64], tolerance: f64) {
    assert_eq!(found.len(), exact.len());
    let scale = exact.iter().fold(f64::MIN_POSITIVE, |max, x| max.max(x.abs()));
    for (at, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (found - exact).abs() / scale;
        assert!(error <= tolerance, "number {at} is {found}, not {exact}");
    }
}

#[test]
fn rows_and_gradients_on_devices_are_those_of_the_host() {
    for (seed, shape) in shapes().into_iter().step_by(2).enumerate() {
        let cores = random(shape, seed as u64);
        let shape = Arc::new(cores.shape().clone());
        let vocab = shape.vocab_size() as u32;
        let ids: Vec<u32> = (0..40).map(|i| i * i * 3 % vocab).collect();
        let plan = Arc::new(Plan::with_padding(&shape, &ids, Some(3)));
        let grad = uniform(ids.len() * shape.d_embed(), 1);
        let rows = widened(&lookup::forward(&shape, cores.values(), &plan));
        let expected = widened(&lookup::backward(&shape, cores.values(), &plan, &grad));
        for device in devices() {
            let device = device.autodiff();
            let size = [ids.len(), shape.d_embed()];
            type Lookup = fn(&[Tensor<4>], &Arc<TtShape>, &Arc<Plan>) -> Tensor<2>;
            let both: [Lookup; 2] = [ops::lookup, |cores, shape, plan| {
                ops::lookup::reference::lookup(cores, shape, plan)
            }];
            for lookup in both {
                let cores = tracked(&cores, &device);
                let found = lookup(&cores, &shape, &plan);
                assert_close(&numbers(found.clone()), &rows, 2e-6);
                let loss = (found * tensor(&grad, size, &device)).sum();
                assert_close(&gradients(loss, &cores), &expected, 2e-6);
            }
        }
    }
}

#[test]
fn the_reference_builds_a_table_where_that_is_less_work() {
    // Every row of a small table: slices of all prefixes would be larger.
    let cores = random(TtShape::train(60, [3, 4, 5], [2, 2, 2], 8).unwrap(), 1);
    let shape = Arc::new(cores.shape().clone());
    let ids: Vec<u32> = (0..60).rev().collect();
    let plan = Arc::new(Plan::with_padding(&shape, &ids, Some(59)));
    let rows = widened(&lookup::forward(&shape, cores.values(), &plan));
    for device in devices() {
        let cores = tracked(&cores, &device.autodiff());
        assert_close(&numbers(ops::lookup::reference::lookup(&cores, &shape, &plan)), &rows, 2e-6);
        let table = numbers(ops::lookup::reference::table(&cores, &shape));
        let last_first: Vec<f64> = table.chunks(8).rev().skip(1).flatten().copied().collect();
        assert_close(&last_first, &rows[8..], 2e-6);
    }
}

#[test]
fn heads_on_devices_are_their_references() {
    let more = TtShape::train(9_001, [20, 21, 22], [2, 2, 4], 5).unwrap();
    for (seed, shape) in shapes().into_iter().step_by(2).chain([more]).enumerate() {
        let cores = random(shape, seed as u64);
        let shape = Arc::new(cores.shape().clone());
        let (n, d, vocab) = (6, shape.d_embed(), shape.vocab_size());
        let hidden: Vec<f32> = uniform(n * d, 2).iter().map(|x| x / d as f32).collect();
        let targets: Vec<i32> = (0..n as i32).map(|i| i * (vocab as i32 - 1) / 5).collect();
        let grad = uniform(n * vocab, 3);
        for device in devices() {
            let device = device.autodiff();
            let targets =
                || Tensor::<1, Int>::from_data(TensorData::new(targets.clone(), [n]), &device);
            let run = |fused: bool| {
                let cores = tracked(&cores, &device);
                let hidden = || tensor(&hidden, [n, d], &device).require_grad();
                let (h, g) = (hidden(), hidden());
                let (logits, losses) = if fused {
                    (
                        ops::logits(h.clone(), &cores, &shape),
                        ops::cross_entropy(g.clone(), &cores, targets(), &shape),
                    )
                } else {
                    use ops::logits::reference;
                    (
                        reference::logits(h.clone(), &cores, &shape),
                        reference::cross_entropy(g.clone(), &cores, targets(), &shape),
                    )
                };
                let values = [numbers(logits.clone()), numbers(losses.clone())];
                let weights = tensor(&grad[..n], [n], &device);
                let of_logits = (logits * tensor(&grad, [n, vocab], &device)).sum().backward();
                let of_losses = (losses * weights).sum().backward();
                let all = |found: &burn::tensor::Gradients, h: &Tensor<2>| {
                    let cores = cores.iter().flat_map(|core| numbers(core.grad(found).unwrap()));
                    [numbers(h.grad(found).unwrap()), cores.collect()]
                };
                [values, all(&of_logits, &h), all(&of_losses, &g)]
            };
            for (found, expected) in run(true).iter().flatten().zip(run(false).iter().flatten()) {
                assert_close(found, expected, 2e-5);
            }
        }
    }
}

#[test]
fn a_layer_takes_the_place_of_an_embedding() {
    let cores = random(shapes().remove(1), 4);
    let (vocab, d) = (cores.shape().vocab_size(), cores.shape().d_embed());
    let values = widened(cores.values());
    for device in devices() {
        let table = TtEmbedding::from_cores(&cores, &device).with_padding(1).unwrap();
        assert_eq!((table.vocab_size(), table.d_embed(), table.padding_idx()), (vocab, d, Some(1)));
        assert_eq!(table.to_cores(), cores);
        let ids = Tensor::<2, Int>::from_ints([[7, 1, 49], [7, 0, 48]], &device);
        let rows = table.embed(ids);
        assert_eq!(rows.dims(), [2, 3, d]);
        let expected: Vec<f64> = [7, 1, 49, 7, 0, 48]
            .into_iter()
            .flat_map(|id| if id == 1 { vec![0.0; d] } else { row(cores.shape(), &values, id) })
            .collect();
        assert_close(&numbers(rows), &expected, 2e-6);
        let high = Tensor::<4, Int>::from_ints([[[[7, 49]]]], &device);
        let rows: Tensor<5> = table.try_forward(high).unwrap();
        assert_eq!(rows.dims(), [1, 1, 1, 2, d]);
        let h = tensor(&uniform(2 * d, 5), [1, 2, d], &device);
        assert_eq!(table.logits(h).dims(), [1, 2, vocab]);
        // Rows of the padding of the cores are none of the table.
        assert!(cores.shape().padded_vocab() > vocab);
        let outside = Tensor::<1, Int>::from_ints([0, 50], &device);
        let error = table.try_forward::<1, 2>(outside).unwrap_err();
        assert!(matches!(error, Error::Index { id: 50, position: 1, vocab: 50 }), "{error}");
        assert!(table.with_padding(50).is_err());
    }
}

#[test]
fn other_types_take_the_reference() {
    let cores = random(shapes().remove(1), 4);
    let exact = widened(cores.rows(&[3, 49]).unwrap().as_slice().unwrap());
    for (name, dtype, tolerance) in [("flex", DType::BF16, 0.05), ("ndarray", DType::F64, 1e-6)] {
        let Ok(device) = sixfold_model::device(name) else { continue };
        let mut table = TtEmbedding::from_cores(&cores, &device);
        for core in &mut table.cores {
            *core = Param::from_tensor(core.val().cast(dtype));
        }
        let rows = table.forward(Tensor::<2, Int>::from_ints([[3, 49]], &device));
        assert_eq!(rows.dtype(), dtype);
        assert_close(&numbers(rows.cast(DType::F32)), &exact, tolerance);
    }
}

#[test]
fn bags_on_devices_are_their_references() {
    let cores = random(shapes().remove(1), 4);
    let shape = cores.shape();
    let ids: Vec<u32> = (0..200).map(|i| i * i % 50).collect();
    let plan = Plan::with_padding(shape, &ids, Some(4));
    let offsets: Vec<i64> = (0..40).map(|i| (i * i / 8).min(200)).collect();
    let bags = Arc::new(Bags::new(&plan, &offsets, false).unwrap());
    let d = 5;
    let rows = uniform(bags.rows() * d, 1);
    let (weights, grad) = (uniform(200, 2), uniform(bags.len() * d, 3));
    for device in devices() {
        let device = device.autodiff();
        let run = |fused: bool| {
            let make = || tensor(&rows, [bags.rows(), d], &device).require_grad();
            let (a, b) = (make(), make());
            let weights = tensor(&weights, [200], &device).require_grad();
            let (sums, maxima) = if fused {
                (ops::bag_sum(a.clone(), weights.clone(), &bags), ops::bag_max(b.clone(), &bags))
            } else {
                use ops::pool::reference;
                (
                    reference::bag_sum(a.clone(), weights.clone(), &bags),
                    reference::bag_max(b.clone(), &bags),
                )
            };
            let values = [numbers(sums.clone()), numbers(maxima.clone())];
            let grad = || tensor(&grad, [bags.len(), d], &device);
            let of_sums = (sums * grad()).sum().backward();
            let of_maxima = (maxima * grad()).sum().backward();
            let [sums, maxima] = values;
            let gradients = [
                numbers(a.grad(&of_sums).unwrap()),
                numbers(weights.grad(&of_sums).unwrap()),
                numbers(b.grad(&of_maxima).unwrap()),
            ];
            [vec![sums, maxima], gradients.to_vec()].concat()
        };
        for (found, expected) in run(true).iter().zip(run(false)) {
            assert_close(found, &expected, 2e-6);
        }
    }
}

#[test]
fn bags_as_a_layer_pool_rows() {
    let cores = random(shapes().remove(1), 4);
    let d = cores.shape().d_embed();
    let rows = cores.rows(&[7, 1, 49, 7]).unwrap().mapv(f64::from);
    let of = |positions: &[usize], f: fn(f64, f64) -> f64| -> Vec<f64> {
        let mut rows = positions.iter().map(|position| rows.row(*position).to_vec());
        let first = rows.next().unwrap_or(vec![0.0; d]);
        rows.fold(first, |sum, row| sum.iter().zip(row).map(|(a, b)| f(*a, b)).collect())
    };
    for device in devices() {
        let table = TtEmbedding::from_cores(&cores, &device).with_padding(1).unwrap();
        let ids = || Tensor::<1, Int>::from_ints([7, 1, 49, 7], &device);
        let offsets = || Tensor::<1, Int>::from_ints([0, 3, 3, 4], &device);
        let pool = |mode, weights| {
            let layer = TtEmbeddingBag::new(table.clone(), mode).including_last_offset();
            layer.forward(ids(), offsets(), weights)
        };
        let sums = pool(BagMode::Sum, None).unwrap();
        assert_eq!(sums.dims(), [3, d]);
        let expected = [of(&[0, 2], |a, b| a + b), of(&[], |a, _| a), of(&[3], |a, _| a)].concat();
        assert_close(&numbers(sums), &expected, 2e-6);
        let means = pool(BagMode::Mean, None).unwrap();
        let halves = of(&[0, 2], |a, b| a + b).iter().map(|x| 0.5 * x).collect();
        assert_close(
            &numbers(means),
            &[halves, of(&[], |a, _| a), of(&[3], |a, _| a)].concat(),
            2e-6,
        );
        let maxima = pool(BagMode::Max, None).unwrap();
        let expected = [of(&[0, 2], f64::max), of(&[], |a, _| a), of(&[3], |a, _| a)].concat();
        assert_close(&numbers(maxima), &expected, 2e-6);
        let weights = || Some(tensor(&[2.0, 5.0, -1.0, 0.5], [4], &device));
        let sums = pool(BagMode::Sum, weights()).unwrap();
        let weighted = of(&[0, 2], |a, b| 2.0 * a - b);
        let half = of(&[3], |a, _| a).iter().map(|x| 0.5 * x).collect();
        assert_close(&numbers(sums), &[weighted, of(&[], |a, _| a), half].concat(), 2e-6);
        let error = pool(BagMode::Max, weights()).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { .. }), "{error}");
    }
}
