//! Plans of surgery: order, spans, sites.

use burn::tensor::Tensor;
use ndarray::{Array1, Array2};
use sixfold_linearity::{AffineMap, Error, PairTap, Surgery, most_linear_first, spans};
use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec, device};

const WIDTH: usize = 8;

fn identity() -> AffineMap {
    AffineMap { weight: Array2::eye(WIDTH), bias: Array1::zeros(WIDTH) }
}

fn decoder(layers: usize) -> Transformer {
    let spec = TransformerSpec::decoder(30, WIDTH, layers, 2);
    Transformer::new(&spec, Seed::new(3), &device("flex").unwrap())
}

fn batch() -> Batch {
    let rows: Vec<Vec<u32>> =
        (0..6).map(|row| (0..14).map(|i| (i * 7 + row * 5) % 30).collect()).collect();
    Batch::pad(&rows, 0, PaddingSide::Right)
}

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn order_and_spans() {
    assert_eq!(most_linear_first(&[0.5, 0.9, 0.5, 1.0]), [3, 1, 0, 2]);
    assert!(spans(&[]).is_empty());
    assert_eq!(spans(&[0, 3, 1, 3]), [0..2, 3..4]);
}

#[test]
fn a_map_of_nothing_is_the_same_as_no_layer() {
    let device = device("flex").unwrap();
    let model = decoder(5);
    let pruned = Surgery::new(5, [(4..5, None), (1..3, None)]).unwrap();
    let replaced = Surgery::new(5, [(1..3, Some(identity())), (4..5, Some(identity()))]).unwrap();
    let outputs = [&pruned, &replaced].map(|plan| {
        let model = plan.apply(model.clone(), &device);
        assert_eq!(model.n_layers() + 1, plan.site_pairs().len());
        values(model.forward(&batch()).unwrap())
    });
    let [pruned_out, replaced_out] = outputs;
    for (a, b) in pruned_out.iter().zip(&replaced_out) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
    assert_eq!(pruned.site_pairs(), [[0, 0], [1, 3], [2, 5]]);
    assert_eq!(replaced.site_pairs(), [[0, 0], [1, 1], [2, 3], [3, 4], [4, 5]]);
    let first = Surgery::new(3, [(0..2, None)]).unwrap();
    assert_eq!(first.site_pairs(), [[0, 2], [1, 3]]);
    let nothing = Surgery::new(2, []).unwrap();
    assert_eq!(nothing.site_pairs(), [[0, 0], [1, 1], [2, 2]]);
}

#[test]
fn an_affine_span_is_replaced_by_one_map_without_a_trace() {
    // Layers 1 to 3 of this model are affine already: one fitted map must do what they do.
    let device = device("flex").unwrap();
    let wave = |i: usize, j: usize| ((i * 5 + j * 3) as f64).sin() * 0.3 + f64::from(i == j);
    let map = AffineMap {
        weight: Array2::from_shape_fn((WIDTH, WIDTH), |(i, j)| wave(i, j)),
        bias: Array1::linspace(-1.0, 1.0, WIDTH),
    };
    let made = Surgery::new(4, [(1..2, Some(map.clone())), (2..3, Some(map))]).unwrap();
    let model = made.apply(decoder(4), &device);
    let mut tap = PairTap::new(1, 3);
    tap.begin(&batch());
    model.forward_with(&batch(), &mut tap).unwrap();
    let fitted = tap.finish().unwrap().unwrap().transition().affine_map().unwrap();
    let shorter = Surgery::new(4, [(1..3, Some(fitted))]).unwrap().apply(model.clone(), &device);
    assert_eq!((shorter.n_layers(), model.n_layers()), (3, 4));
    let (a, b) =
        (values(model.forward(&batch()).unwrap()), values(shorter.forward(&batch()).unwrap()));
    let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-4, "{apart}");
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let overlap = Surgery::new(5, [(2..4, None), (0..3, Some(identity()))]).unwrap_err();
    assert!(matches!(overlap, Error::Overlap { .. }), "{overlap}");
    assert_eq!(overlap.to_string(), "layers 0..3 and 2..4 overlap");
    let beyond = Surgery::new(5, [(4..6, None)]).unwrap_err();
    assert_eq!(beyond.to_string(), "layers 4..6 of a model of 5");
    assert!(Surgery::new(5, [(2..2, None)]).is_err());
}
