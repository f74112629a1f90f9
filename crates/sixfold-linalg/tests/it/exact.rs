//! Cases whose answers are known in closed form or printed elsewhere.

use std::f64::consts::PI;

use ndarray::{Array1, Array2, Axis, array};
use sixfold_linalg::{
    Moments, cholesky_qr2, cross_gram, eigh, eigvalsh, gram, lstsq, orthogonal_procrustes, polar,
    qr, solve_gram, svd, svdvals,
};

use crate::support::{error, vector_error};

#[test]
fn eigenvalues_of_the_second_difference() {
    // 2 on the diagonal, −1 beside it: λ_k = 2 − 2·cos(kπ/(n + 1)), vectors are sines.
    for n in [1, 2, 7, 40, 95, 130] {
        let a = Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        let angle = |k: usize| k as f64 * PI / (n + 1) as f64;
        let exact: Array1<f64> = (1..=n).rev().map(|k| 2.0 - 2.0 * angle(k).cos()).collect();
        let found = eigh(a.view()).unwrap();
        assert!(vector_error(&found.values, &exact) <= 1e-14, "{n}");
        assert!(vector_error(&eigvalsh(a.view()).unwrap(), &exact) <= 1e-14);
        let size = (2.0 / (n + 1) as f64).sqrt();
        for (column, k) in found.vectors.columns().into_iter().zip((1..=n).rev()) {
            let sine: Array1<f64> = (1..=n).map(|i| size * (angle(k) * i as f64).sin()).collect();
            assert!((column.dot(&sine).abs() - 1.0).abs() <= 1e-10);
        }
    }
}

#[test]
fn singular_values_of_the_summation_matrix() {
    // Ones on and below the diagonal: σ_k = 1/(2·sin((2k − 1)π/(4n + 2))).
    for n in [1, 3, 20, 64, 120] {
        let a = Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from(i >= j)));
        let exact: Array1<f64> =
            (1..=n).map(|k| 0.5 / ((2 * k - 1) as f64 * PI / (4 * n + 2) as f64).sin()).collect();
        assert!(vector_error(&svdvals(a.view()).unwrap(), &exact) <= 1e-14);
        assert!(vector_error(&svd(a.view()).unwrap().s, &exact) <= 1e-14);
    }
}

#[test]
fn factors_in_whole_numbers() {
    let a = array![[12.0, -51.0, 4.0], [6.0, 167.0, -68.0], [-4.0, 24.0, -41.0]];
    let r = array![[14.0, 21.0, -14.0], [0.0, 175.0, -70.0], [0.0, 0.0, 35.0]];
    let q = array![[150.0, -69.0, 58.0], [75.0, 158.0, -6.0], [-50.0, 30.0, 165.0]] / 175.0;
    let found = qr(a.view()).unwrap();
    // The third column of Q has the sign that makes the last pivot positive.
    assert!(error(&found.r, &r) <= 1e-14);
    assert!(error(&found.q.mapv(f64::abs), &q.mapv(f64::abs)) <= 1e-14);
    let found = cholesky_qr2(a.view()).unwrap();
    assert!(error(&found.r, &r) <= 1e-13);

    // 4·[[0, −1], [1, 0]] times [[2, 1], [1, 2]].
    let found = polar(array![[-4.0, -8.0], [8.0, 4.0]].view()).unwrap();
    assert!(error(&found.factor, &array![[0.0, -1.0], [1.0, 0.0]]) <= 1e-15);
    assert!(error(&found.positive, &array![[8.0, 4.0], [4.0, 8.0]]) <= 1e-15);

    // A quarter turn and a factor of two.
    let x = array![[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]];
    let y = array![[0.0, 2.0], [-2.0, 0.0], [2.0, -2.0]];
    let found = orthogonal_procrustes(x.view(), y.view()).unwrap();
    assert!(error(&found.rotation, &array![[0.0, 1.0], [-1.0, 0.0]]) <= 1e-15);
    assert!((found.scale - 2.0).abs() <= 1e-15 && (found.similarity - 1.0).abs() <= 1e-15);
    assert!((found.residual - 4.0).abs() <= 1e-13);

    let mut moments = Moments::new(2);
    moments.update(array![[1.0, 2.0], [3.0, 8.0], [5.0, 5.0]].view()).unwrap();
    assert_eq!(moments.mean().unwrap(), array![3.0, 5.0]);
    assert_eq!(moments.scatter(), array![[8.0, 6.0], [6.0, 18.0]]);
    assert_eq!(moments.covariance(1).unwrap(), array![[4.0, 3.0], [3.0, 9.0]]);
}

/// Longley 1967: employed; then deflator, GNP, unemployed, armed forces, population, year.
const LONGLEY: [[f64; 7]; 16] = [
    [60323.0, 83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0],
    [61122.0, 88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0],
    [60171.0, 88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0],
    [61187.0, 89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0],
    [63221.0, 96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0],
    [63639.0, 98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0],
    [64989.0, 99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0],
    [63761.0, 100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0],
    [66019.0, 101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0],
    [67857.0, 104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0],
    [68169.0, 108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0],
    [66513.0, 110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0],
    [68655.0, 112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0],
    [69564.0, 114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0],
    [69331.0, 115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0],
    [70551.0, 116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0],
];

#[test]
fn the_certified_values_of_longley() {
    // NIST StRD, linear regression, "Longley": certified coefficients and sum of squares.
    let certified = [
        -3_482_258.634_595_82,
        15.061_872_271_373_3,
        -0.358_191_792_925_910e-1,
        -2.020_229_803_816_83,
        -1.033_226_867_173_59,
        -0.511_041_056_535_807e-1,
        1_829.151_464_613_55,
    ];
    let data = Array2::from(LONGLEY.to_vec());
    let y = data.column(0).insert_axis(Axis(1)).to_owned();
    let mut x = data.clone();
    x.column_mut(0).fill(1.0);
    let found = lstsq(x.view(), y.view(), 1e-12).unwrap();
    assert_eq!(found.rank, 7);
    // The condition number is 5e9: ten digits remain of sixteen.
    assert!(found.condition > 1e9 && found.condition < 1e10, "{}", found.condition);
    for (found, certified) in found.solution.iter().zip(certified) {
        assert!((found / certified - 1.0).abs() <= 1e-9, "{found} {certified}");
    }
    assert!((found.residual_sum_squares[0] / 836_424.055_505_915 - 1.0).abs() <= 1e-9);

    // From centred moments, which scale the columns, the slopes keep six digits.
    let mut moments = sixfold_linalg::PairMoments::new(6, 1);
    let centred = data.slice(ndarray::s![.., 1..]).to_owned();
    moments.update(centred.view(), y.view()).unwrap();
    let solved = solve_gram(moments.x.scatter().view(), moments.xy.cross_scatter().view(), 1e-12);
    let solved = solved.unwrap();
    for (found, certified) in solved.solution.iter().zip(&certified[1..]) {
        assert!((found / certified - 1.0).abs() <= 1e-6, "{found} {certified}");
    }
    let total = moments.y.total_variance();
    assert!(((total - solved.fit.explained) / 836_424.055_505_915 - 1.0).abs() <= 1e-6);
}

#[test]
fn a_line_through_four_points() {
    let x: Array2<f64> = array![[1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0]];
    let y = array![[6.0], [5.0], [7.0], [10.0]];
    let found = lstsq(x.view(), y.view(), 1e-12).unwrap();
    assert!(error(&found.solution, &array![[3.5], [1.4]]) <= 1e-14);
    assert!((found.residual_sum_squares[0] - 4.2).abs() <= 1e-13);
    let solved = solve_gram(gram(x.view()).view(), cross_gram(x.view(), y.view()).view(), 1e-12);
    let solved = solved.unwrap();
    assert!(error(&solved.solution, &array![[3.5], [1.4]]) <= 1e-13);
    // yᵀy = 210.
    assert!((solved.fit.explained - (210.0 - 4.2)).abs() <= 1e-11);
}
