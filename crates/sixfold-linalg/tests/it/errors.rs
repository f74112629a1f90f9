//! Every function says what is wrong with its input, and where.

use ndarray::{Array2, Axis, array};
use sixfold_linalg::{
    Error, Result, TruncatedSvdConfig, cholesky_qr2, eigh, eigvalsh, ensure_finite,
    lanczos_largest, lstsq, orthogonal_procrustes, polar, procrustes_from_gram, qr, solve_gram,
    svd, svdvals, truncated_svd,
};

type Case = (&'static str, fn(&Array2<f64>) -> Result<()>);

fn truncated(a: &Array2<f64>) -> Result<()> {
    truncated_svd(a.view(), 1, &TruncatedSvdConfig::default()).map(drop)
}

/// Functions of one matrix, the name of the argument beside them.
const DECOMPOSITIONS: [Case; 9] = [
    ("a", |a| eigh(a.view()).map(drop)),
    ("a", |a| eigvalsh(a.view()).map(drop)),
    ("a", |a| qr(a.view()).map(drop)),
    ("a", |a| cholesky_qr2(a.view()).map(drop)),
    ("a", |a| svd(a.view()).map(drop)),
    ("a", |a| svdvals(a.view()).map(drop)),
    ("a", |a| polar(a.view()).map(drop)),
    ("a", truncated),
    ("a", |a| lstsq(a.view(), Array2::ones((a.nrows(), 1)).view(), 0.0).map(drop)),
];

/// Functions of two, each place of the bad matrix by itself.
const FITS: [Case; 5] = [
    ("b", |b| lstsq(Array2::eye(b.nrows()).view(), b.view(), 0.0).map(drop)),
    ("x", |x| orthogonal_procrustes(x.view(), Array2::ones(x.dim()).view()).map(drop)),
    ("y", |y| orthogonal_procrustes(Array2::ones(y.dim()).view(), y.view()).map(drop)),
    ("g", |g| solve_gram(g.view(), Array2::ones((g.nrows(), 1)).view(), 0.0).map(drop)),
    ("c", |c| solve_gram(Array2::eye(c.nrows()).view(), c.view(), 0.0).map(drop)),
];

#[test]
fn nan_and_infinities_are_found_where_they_stand() {
    for n in [1, 3, 20, 100] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (row, col) in [(0, 0), (n - 1, 0), (n / 2, n - 1), (n - 1, n - 1)] {
                let mut a = Array2::from_shape_fn((n, n), |(i, j)| 1.0 + ((i * j) % 7) as f64);
                a[(row, col)] = bad;
                for (what, function) in DECOMPOSITIONS.iter().chain(&FITS) {
                    assert_eq!(function(&a), Err(Error::NotFinite { what, row, col }));
                }
                let what = "a";
                assert_eq!(ensure_finite("a", a.view()), Err(Error::NotFinite { what, row, col }));
                let what = "c";
                let found = procrustes_from_gram(a.view(), 1.0, 1.0).map(drop);
                assert_eq!(found, Err(Error::NotFinite { what, row, col }));
                let lanczos = lanczos_largest(&a, 1e-8, 100);
                assert!(matches!(lanczos, Err(Error::NotFinite { .. })));
                let single = a.mapv(|x| x as f32);
                assert!(matches!(svd(single.view()), Err(Error::NotFinite { .. })));
            }
        }
    }
}

#[test]
fn empty_matrices_are_named() {
    for (what, function) in DECOMPOSITIONS {
        assert_eq!(function(&Array2::zeros((0, 0))), Err(Error::Empty { what }));
    }
    for shape in [(0, 4), (4, 0)] {
        for (what, function) in &DECOMPOSITIONS[2..] {
            assert_eq!(function(&Array2::zeros(shape)), Err(Error::Empty { what }));
        }
    }
    let empty = Array2::<f64>::zeros((0, 0));
    assert_eq!(orthogonal_procrustes(empty.view(), empty.view()), Err(Error::Empty { what: "x" }));
    assert_eq!(solve_gram(empty.view(), empty.view(), 0.0), Err(Error::Empty { what: "g" }));
    assert_eq!(procrustes_from_gram(empty.view(), 1.0, 1.0), Err(Error::Empty { what: "c" }));
    assert_eq!(lanczos_largest(&empty, 1e-8, 10), Err(Error::Empty { what: "operator" }));
    let tall = Array2::<f64>::ones((3, 2));
    let none = Array2::zeros((3, 0));
    assert_eq!(lstsq(tall.view(), none.view(), 0.0), Err(Error::Empty { what: "b" }));
    assert_eq!(ensure_finite("a", none.view()), Ok(()));
}

#[test]
fn shapes_that_do_not_fit_are_given_with_what_was_expected() {
    let (a, b) = (Array2::<f64>::ones((3, 2)), Array2::<f64>::ones((4, 2)));
    let shape = |what, expected, found| Error::ShapeMismatch { what, expected, found };
    assert_eq!(eigh(a.view()), Err(shape("a", [3, 3], [3, 2])));
    assert_eq!(eigvalsh(a.view()), Err(shape("a", [3, 3], [3, 2])));
    assert_eq!(lstsq(a.view(), b.view(), 0.0), Err(shape("b", [3, 2], [4, 2])));
    assert_eq!(orthogonal_procrustes(a.view(), b.view()), Err(shape("y", [3, 2], [4, 2])));
    assert_eq!(procrustes_from_gram(a.view(), 1.0, 1.0), Err(shape("c", [3, 3], [3, 2])));
    assert_eq!(solve_gram(a.view(), b.view(), 0.0), Err(shape("g", [3, 3], [3, 2])));
    let square = Array2::<f64>::eye(3);
    assert_eq!(solve_gram(square.view(), b.view(), 0.0), Err(shape("c", [3, 2], [4, 2])));
    assert_eq!(lanczos_largest(&a, 1e-8, 10), Err(shape("operator", [3, 3], [3, 2])));
}

#[test]
fn parameters_out_of_range_are_given_with_the_range() {
    let (a, b) = (Array2::<f64>::eye(3), Array2::<f64>::ones((3, 1)));
    for rcond in [-1e-3, 1.0, f64::NAN, f64::INFINITY] {
        for found in [
            lstsq(a.view(), b.view(), rcond).map(drop),
            solve_gram(a.view(), b.view(), rcond).map(drop),
        ] {
            assert!(matches!(found, Err(Error::InvalidParameter { name: "rcond", .. })));
        }
    }
    for rank in [0, 4, usize::MAX] {
        let found = truncated_svd(a.view(), rank, &TruncatedSvdConfig::default());
        assert!(matches!(found, Err(Error::InvalidParameter { name: "rank", .. })));
    }
    for tol in [0.0, -1.0, f64::NAN] {
        let found = lanczos_largest(&a, tol, 10);
        assert!(matches!(found, Err(Error::InvalidParameter { name: "tol", .. })));
    }
    let all = TruncatedSvdConfig { oversample: usize::MAX, ..Default::default() };
    assert!(truncated_svd(a.view(), 2, &all).is_ok());
}

#[test]
fn data_without_variance_is_named() {
    let (zero, one) = (Array2::<f64>::zeros((4, 2)), Array2::<f64>::ones((4, 2)));
    let none = |what| Error::ZeroVariance { what };
    assert_eq!(orthogonal_procrustes(zero.view(), one.view()), Err(none("x")));
    assert_eq!(orthogonal_procrustes(one.view(), zero.view()), Err(none("y")));
    let c = Array2::<f64>::ones((2, 2));
    assert_eq!(procrustes_from_gram(c.view(), 0.0, 1.0), Err(none("x")));
    assert_eq!(procrustes_from_gram(c.view(), 1.0, -1.0), Err(none("y")));
    for (norm, what) in [(f64::NAN, "x"), (f64::INFINITY, "x")] {
        let found = procrustes_from_gram(c.view(), norm, 1.0);
        assert_eq!(found, Err(Error::NotFinite { what, row: 0, col: 0 }));
    }
    let g = Array2::<f64>::zeros((2, 2));
    assert_eq!(solve_gram(g.view(), c.view(), 0.0), Err(none("g")));
}

#[test]
fn messages_carry_the_figures() {
    let mut a = array![[1.0, 2.0], [3.0, 4.0]];
    a[(1, 0)] = f64::INFINITY;
    let message = qr(a.view()).unwrap_err().to_string();
    assert_eq!(message, "a is not finite at row 1, column 0");
    let wide = a.view().insert_axis(Axis(2));
    assert_eq!(wide.ndim(), 3);
    let message = eigh(Array2::<f64>::ones((2, 3)).view()).unwrap_err().to_string();
    assert_eq!(message, "a has shape [2, 3], expected [2, 2]");
}
