//! Lanczos against the full eigendecomposition, and on operators that are never formed.

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use sixfold_linalg::{Error, LinearOperator, Real, eigvalsh, lanczos_largest};

use crate::support::{Case, Kind, cases, config, norm};

fn check<T: Real>(a: &Array2<T>, tol: f64, tolerance: f64) {
    let values = eigvalsh(a.view()).unwrap().mapv(T::widen);
    let (top, size) = (values[0], norm(&values));
    let found = lanczos_largest(a, tol, 5000).unwrap();
    let a = a.mapv(T::widen);
    assert!((norm(&found.vector) - 1.0).abs() <= 1e-12);
    let rest = a.dot(&found.vector) - &found.vector * found.value;
    assert!((norm(&rest) - found.residual).abs() <= tolerance * size);
    // An eigenvalue lies within the residual; that it is the largest shows in its value.
    assert!(found.residual <= (tol + tolerance) * size);
    assert!(values.iter().any(|v| (v - found.value).abs() <= found.residual + tolerance * size));
    // Eigenvalues nearer to each other than `tol` cannot be told apart.
    assert!((found.value - top).abs() <= (4.0 * tol + tolerance) * size, "{} {top}", found.value);
    assert!(found.iterations >= 1);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_largest_eigenvalue_is_found(case in cases()) {
        check(&case.symmetric(), 1e-10, 1e-12);
        let single = Case { exponent: case.exponent / 5, ..case };
        check(&single.symmetric().mapv(|x| x as f32), 1e-5, 1e-6);
    }

    #[test]
    fn largest_means_most_positive(case in cases()) {
        // −AᵀA has no positive eigenvalue; its largest is the one nearest to zero.
        let a = Case { exponent: 0, ..case }.matrix();
        check(&(a.t().dot(&a) * -case.scale()), 1e-9, 1e-12);
    }
}

/// −Δ on a path of n points with zeros beyond both ends: eigenvalues 2 − 2·cos(kπ/(n+1)).
struct Path(usize);

impl LinearOperator<f64> for Path {
    fn shape(&self) -> [usize; 2] {
        [self.0, self.0]
    }
    fn apply(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let at = |i: usize, j| if i < self.0 { x[(i, j)] } else { 0.0 };
        Array2::from_shape_fn(x.dim(), |(i, j)| {
            2.0 * x[(i, j)] - at(i + 1, j) - at(i.wrapping_sub(1), j)
        })
    }
    fn apply_transpose(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.apply(x)
    }
}

#[test]
fn an_operator_with_a_known_spectrum() {
    for n in [1, 2, 3, 50, 64, 65, 200, 1000] {
        let found = lanczos_largest(&Path(n), 1e-6, 50_000).unwrap();
        let exact = 2.0 + 2.0 * (std::f64::consts::PI / (n + 1) as f64).cos();
        // The error of a Ritz value is of second order in its residual.
        assert!((found.value - exact).abs() <= 1e-5, "{n}: {} {exact}", found.value);
        assert!(found.residual <= 4e-6 + 1e-14);
    }
}

#[test]
fn too_few_steps_are_an_error() {
    assert_eq!(
        lanczos_largest(&Path(500), 1e-12, 10),
        Err(Error::NoConvergence { what: "lanczos", iterations: 10 })
    );
    assert_eq!(
        lanczos_largest(&Path(500), 1e-12, 0),
        Err(Error::NoConvergence { what: "lanczos", iterations: 0 })
    );
}

#[test]
fn the_same_operator_gives_the_same_result() {
    let a = Case { m: 40, n: 40, kind: Kind::Dense, exponent: 0, seed: 4 }.symmetric();
    let run = || lanczos_largest(&a, 1e-8, 500).unwrap();
    assert_eq!(run(), run());
    // By reference, by value and as a view it is the same operator.
    assert_eq!(lanczos_largest(&&a, 1e-8, 500).unwrap(), run());
    assert_eq!(lanczos_largest(&a.view(), 1e-8, 500).unwrap(), run());
}
