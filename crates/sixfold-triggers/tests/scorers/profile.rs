use ndarray::{Array1, Array2};
use sixfold_triggers::power::{Jacobian, norm};
use sixfold_triggers::{Error, Exponent, LayerMap, SingularConfig, sensitivity, singular_vector};

use crate::common::{Asked, FAMILIES, device, victim};

fn wave(n: usize, phase: f64) -> Array1<f64> {
    (0..n).map(|i| (i as f64 * 0.61 + phase).sin()).collect()
}

#[test]
fn the_map_and_its_transpose_are_adjoint() {
    for family in FAMILIES {
        let victim = victim(family, &device("flex")).with_positions(40);
        let asked = Asked::new(&victim, 9);
        let map = asked.with(|query| LayerMap::new(&victim, query, 1)).unwrap();
        let [m, n] = map.shape();
        let (u, v) = (wave(m, 0.3), wave(n, 1.1));
        let forward = u.dot(&map.apply(v.view()).unwrap());
        let backward = map.apply_transpose(u.view()).unwrap().dot(&v);
        let gap = (forward - backward).abs();
        assert!(gap <= 1e-5 * (forward.abs() + 1.0), "{family}: {forward} and {backward}");
    }
}

#[test]
fn the_largest_singular_value_is_that_of_the_explicit_matrix() {
    let victim = victim("bert", &device("flex"));
    let asked = Asked::new(&victim, 2);
    let map = asked.with(|query| LayerMap::new(&victim, query, 0)).unwrap();
    let [m, n] = map.shape();
    let mut matrix = Array2::<f64>::zeros((m, n));
    for (column, mut into) in matrix.columns_mut().into_iter().enumerate() {
        let mut unit = Array1::zeros(n);
        unit[column] = 1.0;
        into.assign(&map.apply(unit.view()).unwrap());
    }
    let exact = sixfold_linalg::svdvals(matrix.view()).unwrap()[0];
    let config = SingularConfig {
        p: Exponent::Finite(2.0),
        q: 2.0,
        iterations: 400,
        tolerance: 0.0,
        ..SingularConfig::default()
    };
    let found = singular_vector(&map, &config).unwrap();
    assert!((found.value - exact).abs() <= 1e-4 * exact, "{} and {exact}", found.value);
}

#[test]
fn one_pass_gives_the_movement_of_every_layer() {
    let victim = victim("roberta", &device("flex")).with_positions(40);
    let asked = Asked::new(&victim, 9);
    let width = victim.table().ncols();
    let v = Array2::from_shape_fn((2, width), |(i, j)| ((i * width + j) as f32 * 0.61).sin());
    let flat: Array1<f64> = v.iter().map(|&x| f64::from(x)).collect();
    for q in [1.0, 2.0, 5.0] {
        let found = asked.with(|query| sensitivity(&victim, query, v.view(), q)).unwrap();
        assert_eq!(found.len(), victim.n_layers());
        for (layer, value) in found.into_iter().enumerate() {
            let map = asked.with(|query| LayerMap::new(&victim, query, layer)).unwrap();
            let moved = map.apply(flat.view()).unwrap();
            let expected = norm(moved.view(), Exponent::Finite(q));
            assert!((value - expected).abs() <= 1e-5 * expected, "layer {layer}, q {q}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let victim = victim("bert", &device("flex"));
    let asked = Asked::new(&victim, 2);
    let found = asked.with(|query| LayerMap::new(&victim, query, 7).map(|_| ()));
    assert!(matches!(found, Err(Error::Config { .. })), "{found:?}");
    let v = Array2::zeros((3, victim.table().ncols()));
    let found = asked.with(|query| sensitivity(&victim, query, v.view(), 2.0));
    assert!(matches!(found, Err(Error::Mismatch { .. })), "{found:?}");
}
