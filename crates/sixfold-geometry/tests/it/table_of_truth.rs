//! What estimators return on manifolds of known dimension, against a table made elsewhere.

use sixfold_geometry::dimension::{
    Interval, LevinaBickelConfig, Mean, TwoNnConfig, TwoNnMethod, gride, levina_bickel, two_nn,
};
use sixfold_geometry::manifolds::Manifold;
use sixfold_geometry::neighbours;

const POINTS: usize = 2000;
const SEEDS: u64 = 6;

/// The columns of the table.
const COLUMNS: [&str; 8] = [
    "fit of 20 %",
    "fit of 90 %",
    "TwoNN ml",
    "LB harmonic",
    "LB",
    "G(2,4)",
    "G(8,16)",
    "G(32,64)",
];

/// Mean and standard deviation over six draws of 2,000 points, by scikit-dimension, DADApy and the
/// paper's code.
const TABLE: [(Manifold, [(f64, f64); 8]); 17] = [
    (
        Manifold::M1,
        [
            (9.30, 0.26),
            (9.53, 0.20),
            (9.57, 0.22),
            (8.93, 0.07),
            (9.41, 0.08),
            (9.24, 0.12),
            (8.84, 0.09),
            (8.37, 0.04),
        ],
    ),
    (
        Manifold::M2,
        [
            (2.91, 0.13),
            (2.92, 0.05),
            (2.91, 0.04),
            (2.84, 0.01),
            (3.00, 0.01),
            (2.89, 0.06),
            (2.83, 0.02),
            (2.71, 0.01),
        ],
    ),
    (
        Manifold::M4,
        [
            (4.03, 0.15),
            (3.96, 0.07),
            (3.99, 0.08),
            (3.98, 0.02),
            (4.25, 0.02),
            (3.89, 0.07),
            (3.97, 0.03),
            (4.33, 0.04),
        ],
    ),
    (
        Manifold::M5a,
        [
            (1.01, 0.03),
            (1.01, 0.02),
            (1.01, 0.02),
            (1.01, 0.00),
            (1.06, 0.00),
            (1.01, 0.02),
            (1.00, 0.01),
            (1.04, 0.01),
        ],
    ),
    (
        Manifold::M5b,
        [
            (2.22, 0.12),
            (1.98, 0.05),
            (1.98, 0.05),
            (2.61, 0.02),
            (2.84, 0.02),
            (2.22, 0.06),
            (2.77, 0.05),
            (2.81, 0.02),
        ],
    ),
    (
        Manifold::M6,
        [
            (6.24, 0.32),
            (6.04, 0.12),
            (6.00, 0.07),
            (6.42, 0.04),
            (6.94, 0.04),
            (5.99, 0.04),
            (6.52, 0.06),
            (6.93, 0.02),
        ],
    ),
    (
        Manifold::M7,
        [
            (1.99, 0.16),
            (1.97, 0.09),
            (1.96, 0.07),
            (1.95, 0.01),
            (2.06, 0.01),
            (1.97, 0.04),
            (1.95, 0.02),
            (1.92, 0.01),
        ],
    ),
    (
        Manifold::M8,
        [
            (13.59, 0.84),
            (13.41, 0.12),
            (13.34, 0.19),
            (13.42, 0.10),
            (14.28, 0.10),
            (13.66, 0.24),
            (13.42, 0.14),
            (12.79, 0.02),
        ],
    ),
    (
        Manifold::M9,
        [
            (15.05, 0.51),
            (15.11, 0.15),
            (15.26, 0.20),
            (14.25, 0.12),
            (14.98, 0.12),
            (14.96, 0.26),
            (14.11, 0.16),
            (13.08, 0.02),
        ],
    ),
    (
        Manifold::M10a,
        [
            (9.18, 0.26),
            (9.15, 0.19),
            (9.14, 0.22),
            (8.61, 0.03),
            (9.08, 0.04),
            (8.95, 0.15),
            (8.55, 0.03),
            (8.13, 0.04),
        ],
    ),
    (
        Manifold::M10b,
        [
            (13.72, 0.46),
            (13.79, 0.26),
            (13.89, 0.21),
            (13.09, 0.07),
            (13.79, 0.06),
            (13.53, 0.17),
            (12.99, 0.11),
            (12.08, 0.06),
        ],
    ),
    (
        Manifold::M10d,
        [
            (39.7, 1.8),
            (40.5, 1.3),
            (40.8, 1.1),
            (35.2, 0.23),
            (36.9, 0.23),
            (38.6, 0.84),
            (34.5, 0.34),
            (30.2, 0.08),
        ],
    ),
    (
        Manifold::M11,
        [
            (1.89, 0.06),
            (1.96, 0.05),
            (1.96, 0.04),
            (1.99, 0.02),
            (2.09, 0.01),
            (1.96, 0.04),
            (1.99, 0.02),
            (2.10, 0.03),
        ],
    ),
    (
        Manifold::M12,
        [
            (16.40, 0.85),
            (16.71, 0.47),
            (16.87, 0.38),
            (15.27, 0.08),
            (16.09, 0.08),
            (16.40, 0.24),
            (15.09, 0.09),
            (13.38, 0.04),
        ],
    ),
    (
        Manifold::M13b,
        [
            (1.01, 0.03),
            (1.01, 0.02),
            (1.01, 0.02),
            (1.64, 0.01),
            (1.86, 0.01),
            (1.02, 0.02),
            (2.33, 0.07),
            (1.80, 0.01),
        ],
    ),
    (
        Manifold::Mbeta,
        [
            (6.64, 0.32),
            (6.43, 0.18),
            (6.39, 0.18),
            (5.72, 0.05),
            (6.48, 0.05),
            (6.14, 0.10),
            (5.65, 0.05),
            (5.09, 0.07),
        ],
    ),
    (
        Manifold::Mn1,
        [
            (14.86, 0.54),
            (14.39, 0.32),
            (14.50, 0.26),
            (13.37, 0.07),
            (14.08, 0.09),
            (14.04, 0.25),
            (13.23, 0.09),
            (12.25, 0.05),
        ],
    ),
];

/// One cloud through every column, on one table of neighbours.
fn columns(manifold: Manifold, seed: u64) -> [f64; 8] {
    let table = neighbours(manifold.sample(POINTS, seed).view(), 64).unwrap();
    let fit = |discard| {
        let method = TwoNnMethod::Fit { discard };
        two_nn(&table, &TwoNnConfig { method, ..Default::default() }).unwrap().value
    };
    let likelihood = |mean| {
        levina_bickel(&table, &LevinaBickelConfig { mean, ..Default::default() }).unwrap().value
    };
    let gride = |ranks| gride(&table, ranks, Interval::Exact).unwrap().value;
    [
        fit(0.8),
        fit(0.1),
        two_nn(&table, &TwoNnConfig::default()).unwrap().value,
        likelihood(Mean::Harmonic),
        likelihood(Mean::Arithmetic),
        gride([2, 4]),
        gride([8, 16]),
        gride([32, 64]),
    ]
}

/// The mean over seeds lies within four standard errors of the difference of two means, at least 0.02.
fn check(manifold: Manifold) {
    let (_, expected) =
        TABLE.iter().find(|row| row.0 == manifold).expect("every manifold has a row");
    let mut mean = [0.0; 8];
    for seed in 0..SEEDS {
        for (mean, value) in mean.iter_mut().zip(columns(manifold, seed)) {
            *mean += value / SEEDS as f64;
        }
    }
    let mut misses = Vec::new();
    for ((name, found), (expected, sd)) in COLUMNS.iter().zip(mean).zip(expected) {
        let tolerance = (4.0 * sd * (1.0 / 6.0 + 1.0 / SEEDS as f64).sqrt()).max(0.02);
        if (found - expected).abs() > tolerance {
            misses.push(format!("{name}: {found:.3}, expected {expected} ± {tolerance:.3}"));
        }
    }
    assert!(misses.is_empty(), "{manifold}: {misses:?}");
}

macro_rules! rows {
    ($($name:ident: $manifold:ident,)*) => {
        $(#[test]
        fn $name() {
            check(Manifold::$manifold);
        })*
    };
}

rows! {
    m1: M1,
    m2: M2,
    m4: M4,
    m5a: M5a,
    m5b: M5b,
    m6: M6,
    m7: M7,
    m8: M8,
    m9: M9,
    m10a: M10a,
    m10b: M10b,
    m10d: M10d,
    m11: M11,
    m12: M12,
    m13b: M13b,
    mbeta: Mbeta,
    mn1: Mn1,
}
