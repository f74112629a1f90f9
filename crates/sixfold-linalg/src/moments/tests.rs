//! Unit tests of the accumulators' state: references, parts, errors.

use ndarray::{Array1, Array2, array};

use super::{CrossMoments, Moments};
use crate::Error;

#[test]
fn a_reference_may_come_before_rows_but_not_after() {
    let mut m = Moments::new(2);
    assert!(!m.initialised());
    m.set_reference(array![1.0, 2.0].view(), array![0.5, 4.0].view()).unwrap();
    assert!(m.initialised());
    m.update(array![[1.0_f32, 6.0], [2.0, 2.0]].view()).unwrap();
    assert_eq!(m.shift(), array![1.0, 2.0]);
    assert_eq!(m.mean().unwrap(), array![1.5, 4.0]);
    let again = m.set_reference(array![0.0, 0.0].view(), array![1.0, 1.0].view());
    assert_eq!(again, Err(Error::ReferenceFixed { rows: 2 }));
}

#[test]
fn the_first_block_fixes_shift_and_scale() {
    let mut m = Moments::new(3);
    m.update(array![[1.0_f32, 7.0, -3.0], [3.0, 7.0, 5.0]].view()).unwrap();
    assert_eq!(m.shift(), array![2.0, 7.0, 1.0]);
    assert_eq!(m.scale(), array![1.0, 1.0, 4.0]);
    m.update(array![[100.0_f32, 0.0, 0.0]].view()).unwrap();
    assert_eq!(m.shift(), array![2.0, 7.0, 1.0]);
}

#[test]
fn bad_references_are_refused() {
    let mut m = Moments::new(2);
    let (zero, one) = (Array1::zeros(2), Array1::ones(2));
    let short = Array1::<f64>::ones(1);
    assert!(matches!(
        m.set_reference(zero.view(), short.view()),
        Err(Error::ShapeMismatch { what: "scale", .. })
    ));
    assert!(matches!(
        m.set_reference(one.view(), zero.view()),
        Err(Error::InvalidParameter { name: "scale", .. })
    ));
    assert_eq!(m.add_block(1, zero.view(), Array2::zeros((2, 2)).view()), Err(Error::NoReference));
}

#[test]
fn an_error_leaves_the_state_alone() {
    let mut m = Moments::new(2);
    m.update(array![[1.0, 2.0], [0.5, 3.0]].view()).unwrap();
    let before = m.clone();
    let bad = array![[1.0, 2.0], [f64::NAN, 0.0]];
    assert_eq!(m.update(bad.view()), Err(Error::NotFinite { what: "x", row: 1, col: 0 }));
    assert!(m.update(Array2::<f64>::zeros((3, 1)).view()).is_err());
    assert_eq!(m, before);
}

#[test]
fn parts_restore_the_state() {
    let x = array![[1.0, 2.0], [0.5, 3.0], [9.0, 1.0]];
    let mut m = Moments::new(2);
    m.update(x.view()).unwrap();
    let back = Moments::from_parts(m.to_parts()).unwrap();
    assert_eq!(back.scatter(), m.scatter());
    assert_eq!(back.mean(), m.mean());
    let mut c = CrossMoments::new(2, 2);
    c.update(x.view(), x.view()).unwrap();
    assert_eq!(CrossMoments::from_parts(c.to_parts()).unwrap(), c);
    let mut parts = m.to_parts();
    parts.scale[0] = -1.0;
    assert!(Moments::from_parts(parts).is_err());
}

#[test]
fn no_rows_no_mean() {
    let m = Moments::new(4);
    assert_eq!(m.mean(), Err(Error::TooFewRows { found: 0, needed: 1 }));
    assert_eq!(m.covariance(1), Err(Error::TooFewRows { found: 0, needed: 2 }));
    assert_eq!(m.scatter(), Array2::<f64>::zeros((4, 4)));
}
