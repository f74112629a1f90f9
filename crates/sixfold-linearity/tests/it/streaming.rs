//! Batches and their order do not change the scores.

use ndarray::{Axis, s};
use sixfold_linalg::{PairMoments, Real};
use sixfold_linearity::Transition;

use crate::clouds::{normal, pair, single};

fn in_chunks<T: Real>(x: &ndarray::Array2<T>, y: &ndarray::Array2<T>, rows: usize) -> f64 {
    let mut parts: Vec<PairMoments> = x
        .axis_chunks_iter(Axis(0), rows)
        .zip(y.axis_chunks_iter(Axis(0), rows))
        .map(|(x, y)| pair(x, y))
        .collect();
    parts.reverse();
    let mut merged = PairMoments::new(x.ncols(), y.ncols());
    parts.iter().for_each(|part| merged.merge(part).unwrap());
    Transition::from(&merged).linearity().unwrap().score
}

#[test]
fn any_chunks_in_any_order_give_the_same_score() {
    let x = normal(3000, 24, 1);
    let y = x.mapv(|v| v.max(0.0)).dot(&normal(24, 24, 2));
    let whole = Transition::from(&pair(x.view(), y.view())).linearity().unwrap().score;
    for rows in [1, 17, 1000] {
        let found = in_chunks(&x, &y, rows);
        assert!((found - whole).abs() < 1e-10, "{rows} rows: {found} and {whole}");
        let found = in_chunks(&single(&x), &single(&y), rows);
        assert!((found - whole).abs() < 1e-5, "f32, {rows} rows: {found} and {whole}");
    }
}

#[test]
fn a_mean_far_from_zero_does_no_harm() {
    let x = normal(2000, 16, 3);
    let y = x.mapv(f64::tanh);
    let near = Transition::from(&pair(x.view(), y.view())).linearity().unwrap().score;
    let (far_x, far_y) = (&x + 1e4, &y - 1e4);
    let far = Transition::from(&pair(far_x.view(), far_y.view())).linearity().unwrap().score;
    assert!((near - far).abs() < 1e-6, "{near} and {far}");
    assert!(far_x.slice(s![0, ..]).iter().all(|v| *v > 9e3));
}
