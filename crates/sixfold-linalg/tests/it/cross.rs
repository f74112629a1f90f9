//! Cross moments against two passes, and the three moments of a pair against each alone.

use ndarray::{Array2, Axis, s};
use proptest::prelude::*;
use sixfold_linalg::{CrossMoments, Error, Moments, PairMoments, Real};

use crate::moments::{Data, data, scatter_error, sizes};
use crate::support::{config, vector_error, widen};

fn expected(x: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
    let centre = |a: &Array2<f64>| {
        let a = a - &a.mean_axis(Axis(0)).unwrap();
        let left = a.mean_axis(Axis(0)).unwrap();
        a - &left
    };
    centre(x).t().dot(&centre(y))
}

fn check<T: Real>(data: &Data, x: &Array2<T>, y: &Array2<T>, tolerance: f64) {
    let (wide_x, wide_y) = (widen(x), widen(y));
    let scatter = expected(&wide_x, &wide_y);
    let size = [sizes(&wide_x, T::EPSILON / tolerance), sizes(&wide_y, T::EPSILON / tolerance)];
    let [dx, dy] = [x.ncols(), y.ncols()];
    let mut whole = CrossMoments::new(dx, dy);
    whole.update(x.view(), y.view()).unwrap();
    let mut cut = CrossMoments::new(dx, dy);
    let mut parts = Vec::new();
    for [from, to] in data.pieces() {
        let (x, y) = (x.slice(s![from..to, ..]), y.slice(s![from..to, ..]));
        cut.update(x, y).unwrap();
        let mut part = CrossMoments::new(dx, dy);
        part.update(x, y).unwrap();
        parts.push(part);
    }
    let mut merged = CrossMoments::new(dx, dy);
    for part in parts.iter().rev() {
        merged.merge(part).unwrap();
    }
    for found in [&whole, &cut, &merged] {
        assert_eq!(found.count(), x.nrows() as u64);
        let found = found.cross_scatter();
        assert!(scatter_error(&found, &scatter, [&size[0], &size[1]]) <= tolerance);
    }
    let [mean_x, mean_y] = whole.means().unwrap();
    assert!(vector_error(&mean_x, &wide_x.mean_axis(Axis(0)).unwrap()) <= tolerance);
    assert!(vector_error(&mean_y, &wide_y.mean_axis(Axis(0)).unwrap()) <= tolerance);
}

/// The columns of Y: fewer than those of X, and in other units.
fn target(data: &Data, x: &Array2<f64>) -> Array2<f64> {
    let y = data.rows(1);
    let kept = 1 + x.ncols() / 2;
    (&y + x).slice(s![.., ..kept]).to_owned() * 1e-3
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn double_precision_does_not_depend_on_the_cuts(data in data(-140..=140)) {
        let x = data.rows(0);
        check(&data, &x, &target(&data, &x), 1e-10);
    }

    #[test]
    fn single_precision_does_not_depend_on_the_cuts(data in data(-14..=14)) {
        let x = data.rows(0);
        let y = target(&data, &x).mapv(|v| v as f32);
        check(&data, &x.mapv(|v| v as f32), &y, 1e-5);
    }

    #[test]
    fn a_pair_is_its_three_parts(data in data(-30..=30)) {
        let x = data.rows(0);
        let y = target(&data, &x);
        let (dx, dy) = (x.ncols(), y.ncols());
        let mut pair = PairMoments::new(dx, dy);
        let mut first = PairMoments::new(dx, dy);
        let (mut mx, mut my) = (Moments::new(dx), Moments::new(dy));
        let mut mxy = CrossMoments::new(dx, dy);
        for [from, to] in data.pieces() {
            let (x, y) = (x.slice(s![from..to, ..]), y.slice(s![from..to, ..]));
            pair.update(x, y).unwrap();
            let mut part = PairMoments::new(dx, dy);
            part.update(x, y).unwrap();
            first.merge(&part).unwrap();
            mx.update(x).unwrap();
            my.update(y).unwrap();
            mxy.update(x, y).unwrap();
        }
        prop_assert_eq!(&pair.x, &mx);
        prop_assert_eq!(&pair.y, &my);
        prop_assert_eq!(&pair.xy, &mxy);
        prop_assert_eq!((pair.count(), first.count()), (mx.count(), mx.count()));
        let size = [sizes(&x, 1e-5), sizes(&y, 1e-5)];
        let (one, two) = (first.xy.cross_scatter(), mxy.cross_scatter());
        prop_assert!(scatter_error(&one, &two, [&size[0], &size[1]]) <= 1e-10);
    }

    #[test]
    fn of_a_matrix_with_itself_they_are_its_scatter(data in data(-30..=30)) {
        let x = data.rows(0);
        let mut cross = CrossMoments::new(data.dims(), data.dims());
        let mut own = Moments::new(data.dims());
        cross.update(x.view(), x.view()).unwrap();
        own.update(x.view()).unwrap();
        let size = sizes(&x, 1e-5);
        prop_assert!(scatter_error(&cross.cross_scatter(), &own.scatter(), [&size; 2]) <= 1e-12);
    }

    #[test]
    fn blocks_formed_elsewhere_count_as_rows(data in data(-30..=30)) {
        let x = data.rows(0);
        let y = target(&data, &x);
        let mut whole = CrossMoments::new(x.ncols(), y.ncols());
        whole.update(x.view(), y.view()).unwrap();
        let [shift, scale] = [whole.shift().map(|a| a.to_owned()), whole.scale().map(|a| a.to_owned())];
        let mut found = CrossMoments::new(x.ncols(), y.ncols());
        let (shifts, scales) = ([shift[0].view(), shift[1].view()], [scale[0].view(), scale[1].view()]);
        found.set_reference(shifts, scales).unwrap();
        for [from, to] in data.pieces() {
            let z = (&x.slice(s![from..to, ..]) - &shift[0]) / &scale[0];
            let w = (&y.slice(s![from..to, ..]) - &shift[1]) / &scale[1];
            let sums = [z.sum_axis(Axis(0)), w.sum_axis(Axis(0))];
            let rows = (to - from) as u64;
            found.add_block(rows, sums[0].view(), sums[1].view(), z.t().dot(&w).view()).unwrap();
        }
        let size = [sizes(&x, 1e-5), sizes(&y, 1e-5)];
        let (one, two) = (found.cross_scatter(), whole.cross_scatter());
        prop_assert!(scatter_error(&one, &two, [&size[0], &size[1]]) <= 1e-10);
        let again = CrossMoments::from_parts(found.to_parts()).unwrap();
        prop_assert_eq!(again, found);
    }
}

#[test]
fn errors_leave_the_state_alone() {
    let mut pair = PairMoments::new(2, 1);
    let x = ndarray::array![[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]];
    let y = ndarray::array![[1.0], [0.0], [2.0]];
    pair.update(x.view(), y.view()).unwrap();
    let before = pair.clone();
    let bad = ndarray::array![[1.0], [f64::NAN], [2.0]];
    assert_eq!(
        pair.update(x.view(), bad.view()),
        Err(Error::NotFinite { what: "y", row: 1, col: 0 })
    );
    assert_eq!(
        pair.update(x.view(), y.slice(s![..2, ..])),
        Err(Error::ShapeMismatch { what: "y", expected: [3, 1], found: [2, 1] })
    );
    assert!(matches!(
        pair.merge(&PairMoments::new(2, 2)),
        Err(Error::ShapeMismatch { what: "other", .. })
    ));
    assert_eq!(pair, before);
    let fresh = CrossMoments::new(2, 1);
    assert_eq!(fresh.means(), Err(Error::TooFewRows { found: 0, needed: 1 }));
    assert_eq!(fresh.dims(), [2, 1]);
}
