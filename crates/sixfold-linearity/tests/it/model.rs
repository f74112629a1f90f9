//! Taps, losses and the lens on small models.

use burn::tensor::{Tensor, TensorData};
use sixfold_linearity::{
    PairTap, Regulariser, RegulariserTap, Transition, layerwise_mse, logit_lens,
};
use sixfold_model::{
    Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, Site, Tap, Transformer, TransformerSpec,
    device, next_token_labels,
};

fn batch() -> Batch {
    Batch::pad(&[vec![1, 2, 3, 4, 5], vec![6, 7]], 0, PaddingSide::Right)
}

fn scalar(tensor: Tensor<1>) -> f32 {
    tensor.into_scalar::<f32>()
}

/// The penalty of two sites with the given states of five tokens and two.
fn penalty(kind: Regulariser, before: &[f32], after: &[f32]) -> f32 {
    let device = device("flex").unwrap();
    let state = |row: &[f32]| {
        // Padding holds what would spoil any mean.
        let mut values = row.repeat(7);
        values.extend([1e6; 6]);
        Tensor::<3>::from_data(TensorData::new(values, [2, 5, 2]), &device)
    };
    let mut tap = RegulariserTap::new(kind, &batch());
    tap.visit(Site::residual(0), state(before));
    tap.visit(Site::residual(1), state(after));
    scalar(tap.penalty().unwrap())
}

#[test]
fn equal_orthogonal_and_opposite_layers_cost_nothing_one_and_two() {
    for (after, expected) in [([3.0, 4.0], 0.0), ([-8.0, 6.0], 1.0), ([-3.0, -4.0], 2.0)] {
        let found = penalty(Regulariser::Cosine, &[3.0, 4.0], &after);
        assert!((found - expected).abs() < 1e-5, "{after:?}: {found}");
    }
    assert!((penalty(Regulariser::Mse, &[3.0, 4.0], &[1.0, 5.0]) - 5.0).abs() < 1e-4);
    let one = RegulariserTap::new(Regulariser::Cosine, &batch());
    assert!(one.penalty().is_none());
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    let plain = device("flex").unwrap();
    let device = plain.clone().autodiff();
    let before = [0.5_f32, -1.0, 2.0, 0.3, 0.7, -0.2];
    let after = [1.5_f32, 0.4, -0.6, 0.9, -1.1, 0.8];
    let batch = Batch::pad(&[vec![1, 2]], 0, PaddingSide::Right);
    for kind in [Regulariser::Cosine, Regulariser::Mse] {
        let loss = |values: &[f32]| {
            let state =
                |v: &[f32]| Tensor::<3>::from_data(TensorData::new(v.to_vec(), [1, 2, 3]), &plain);
            let mut tap = RegulariserTap::new(kind, &batch);
            tap.visit(Site::residual(0), state(&before));
            tap.visit(Site::residual(1), state(values));
            f64::from(scalar(tap.penalty().unwrap()))
        };
        let state =
            |v: &[f32]| Tensor::<3>::from_data(TensorData::new(v.to_vec(), [1, 2, 3]), &device);
        // Anew for each: a backward pass consumes its graph.
        let gradient = |lambda: f32| -> Vec<f32> {
            let y = state(&after).require_grad();
            let mut tap = RegulariserTap::new(kind, &batch);
            tap.visit(Site::residual(0), state(&before));
            tap.visit(Site::residual(1), y.clone());
            let gradients = (tap.penalty().unwrap() * lambda).backward();
            y.grad(&gradients).unwrap().into_data().iter::<f32>().collect()
        };
        let (gradient, scaled) = (gradient(1.0), gradient(3.0));
        for i in 0..6 {
            let step = 1e-2;
            let at = |by: f32| {
                let mut moved = after;
                moved[i] += by;
                loss(&moved)
            };
            let expected = (at(step) - at(-step)) / f64::from(2.0 * step);
            let found = f64::from(gradient[i]);
            assert!((found - expected).abs() < 1e-3, "{kind} {i}: {found} against {expected}");
            assert!((f64::from(scaled[i]) - 3.0 * found).abs() < 1e-5, "{kind}: linear in λ");
        }
    }
}

/// A decoder whose blocks are affine already.
fn affine_model(device: &burn::tensor::Device) -> Transformer {
    let mut spec = TransformerSpec::decoder(60, 8, 3, 2);
    spec.affine = vec![1];
    Transformer::new(&spec, Seed::new(3), device)
}

fn tokens() -> Batch {
    let row = |seed: u32| (0..50).map(|i| (i * i * 7 + seed * 13 + i) % 60).collect::<Vec<u32>>();
    Batch::pad(&(0..6).map(row).collect::<Vec<_>>(), 0, PaddingSide::Right)
}

#[test]
fn a_block_that_is_affine_is_replaced_without_a_trace() {
    let device = device("flex").unwrap();
    let model = affine_model(&device);
    let batch = tokens();
    let mut tap = PairTap::new(1, 2);
    tap.begin(&batch);
    model.forward_with(&batch, &mut tap).unwrap();
    let moments = tap.finish().unwrap().unwrap();
    let found = moments.transition().linearity().unwrap();
    assert!((found.score - 1.0).abs() < 1e-6, "{found:?}");
    let map = moments.transition().affine_map().unwrap();
    let before: Vec<f32> = model.forward(&batch).unwrap().into_data().iter::<f32>().collect();
    let model = model.with_affine(1..2, map.layer(&device));
    let after: Vec<f32> = model.forward(&batch).unwrap().into_data().iter::<f32>().collect();
    let worst = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "{worst}");
}

#[test]
fn a_layer_left_as_it_is_has_no_score_of_its_own() {
    let device = device("flex").unwrap();
    let model = affine_model(&device);
    let d = model.spec().d_model;
    let identity = burn::nn::Linear {
        weight: burn::module::Param::from_tensor(Tensor::<2>::eye(d, &device)),
        bias: None,
    };
    let model = model.with_affine(1..2, identity);
    let batch = tokens();
    let mut tap = PairTap::new(1, 2);
    tap.begin(&batch);
    model.forward_with(&batch, &mut tap).unwrap();
    let found = tap.finish().unwrap().unwrap().transition().linearity().unwrap();
    assert_eq!(found.without_residual, None);
}

#[test]
fn the_mean_of_the_tokens_own_errors_is_the_score() {
    let device = device("flex").unwrap();
    let model = Transformer::new(&TransformerSpec::decoder(60, 8, 2, 2), Seed::new(3), &device);
    let batch = tokens();
    let mut tap = PairTap::new(0, 2);
    tap.begin(&batch);
    model.forward_with(&batch, &mut tap).unwrap();
    let moments = tap.finish().unwrap().unwrap();
    let map = moments.transition().affine_map().unwrap();
    let score = moments.transition().linearity().unwrap().score;

    struct Keep(Vec<ndarray::Array2<f32>>);
    impl Tap for Keep {
        fn wants(&self, site: Site) -> bool {
            [Site::residual(0), Site::residual(2)].contains(&site)
        }
        fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
            let [rows, len, d] = x.dims();
            let values: Vec<f32> = x.to_data().iter::<f32>().collect();
            self.0.push(ndarray::Array2::from_shape_vec((rows * len, d), values).unwrap());
            x
        }
    }
    let mut keep = Keep(Vec::new());
    model.forward_with(&batch, &mut keep).unwrap();
    let errors = map.errors(keep.0[0].view(), keep.0[1].view()).unwrap();
    let moments = moments.into_inner();
    let mean = errors.sum() / moments.y.total_variance();
    assert!((mean - (1.0 - score)).abs() < 1e-6, "{mean} and {}", 1.0 - score);
    assert!(Transition::from(&moments).linearity().unwrap().score > 0.5);
}

#[test]
fn the_lens_at_the_last_layer_is_the_model() {
    let device = device("flex").unwrap();
    let dir = sixfold_testkit::repository().join("fixtures/models/stories260k");
    let model = sixfold_model::Checkpoint::open(dir).unwrap().causal_lm(&device).unwrap();
    let batch = Batch::pad(&[vec![1, 403, 407, 261, 378], vec![1, 9]], 0, PaddingSide::Right);
    let layers = logit_lens(&model, &batch).unwrap();
    assert_eq!(layers.len(), 6);
    let last = &layers[5];
    let mean = last.loss.iter().sum::<f32>() / last.loss.len() as f32;
    let loss = scalar(model.loss_of(&batch, &next_token_labels(&batch)).unwrap());
    assert_eq!(last.loss.len(), 5);
    assert!((mean - loss).abs() < 1e-4, "{mean} and {loss}");
    let logits = model.forward(&batch).unwrap();
    let top: Vec<i64> = logits.argmax(2).into_data().iter::<i64>().collect();
    assert_eq!(last.top, [0, 1, 2, 3, 5].map(|at| top[at] as u32));
    assert!(last.divergence.iter().all(|d| d.abs() < 1e-4), "{last:?}");
    assert!(layers[0].divergence.iter().all(|d| *d > 0.1), "{:?}", layers[0]);
    assert!(last.entropy.iter().all(|e| (0.0..=512_f32.ln()).contains(e)));
    let one = Batch::pad(&[vec![1]], 0, PaddingSide::Right);
    assert!(logit_lens(&model, &one).is_err());
}

#[test]
fn distillation_costs_nothing_where_student_and_teacher_agree() {
    let device = device("flex").unwrap();
    let teacher = affine_model(&device);
    let batch = batch();
    let same = layerwise_mse(&teacher, &teacher, &batch, &[[1, 1], [3, 3]]).unwrap();
    assert!(scalar(same).abs() < 1e-12);
    // A span of two layers became one: the student's site 2 is the teacher's 3.
    let zero = burn::nn::Linear {
        weight: burn::module::Param::from_tensor(Tensor::<2>::zeros([8, 8], &device)),
        bias: None,
    };
    let student = teacher.clone().with_affine(1..3, zero);
    let loss = scalar(layerwise_mse(&student, &teacher, &batch, &[[2, 3]]).unwrap());
    assert!((loss - 1.0).abs() < 1e-6, "zeros miss all of the teacher: {loss}");
    let model = CausalLm::new(teacher.spec(), &LmHeadSpec::TIED, Seed::new(0), &device);
    assert_eq!(model.body.n_layers(), 3);
}
