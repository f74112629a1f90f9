//! The t quantile against printed tables and closed forms.

use super::{ln_gamma_step, student_t_quantile};
use crate::Error;

#[test]
fn the_table_of_two_sided_95_and_99_per_cent() {
    let table = [
        (1.0, 12.706_204_736, 63.656_741_162),
        (2.0, 4.302_652_730, 9.924_843_201),
        (3.0, 3.182_446_305, 5.840_909_310),
        (5.0, 2.570_581_836, 4.032_142_984),
        (10.0, 2.228_138_852, 3.169_272_673),
        (30.0, 2.042_272_456, 2.749_995_654),
        (100.0, 1.983_971_519, 2.625_890_521),
    ];
    for (df, t95, t99) in table {
        assert!((student_t_quantile(0.975, df).unwrap() - t95).abs() < 1e-8 * t95, "{df}");
        assert!((student_t_quantile(0.995, df).unwrap() - t99).abs() < 1e-8 * t99, "{df}");
        let low = student_t_quantile(0.025, df).unwrap();
        assert!((low + t95).abs() < 1e-8 * t95);
    }
    // The normal quantile z, plus (z³ + z)/(4·df) of Abramowitz and Stegun 26.7.5.
    let z = 1.959_963_984_540_054_f64;
    for df in [1e5, 1e6, 1e7] {
        let expected = z + (z * z * z + z) / (4.0 * df);
        let found = student_t_quantile(0.975, df).unwrap();
        assert!((found - expected).abs() < 1e-9, "{df}: {found} {expected}");
    }
}

#[test]
fn one_and_two_degrees_have_closed_forms() {
    for p in [0.5001, 0.6, 0.75, 0.9, 0.999, 0.999_999] {
        let cauchy = (std::f64::consts::PI * (p - 0.5)).tan();
        let one = student_t_quantile(p, 1.0).unwrap();
        assert!((one - cauchy).abs() < 1e-9 * cauchy, "{p}: {one} {cauchy}");
        let closed = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
        let two = student_t_quantile(p, 2.0).unwrap();
        assert!((two - closed).abs() < 1e-9 * closed, "{p}: {two} {closed}");
    }
    assert!(student_t_quantile(0.5, 7.0).unwrap().abs() < 1e-12);
}

#[test]
fn half_a_step_of_the_gamma_function() {
    let root = std::f64::consts::PI.sqrt();
    // Γ(½) = √π, Γ(1) = 1, Γ(3/2) = √π/2, Γ(11) = 10!.
    assert!((ln_gamma_step(0.5) + root.ln()).abs() < 1e-14);
    assert!((ln_gamma_step(1.0) - (root / 2.0).ln()).abs() < 1e-14);
    let ten_and_a_half = (0..10).map(|i| f64::from(i) + 0.5).product::<f64>() * root;
    assert!((ln_gamma_step(10.5) - (3_628_800.0 / ten_and_a_half).ln()).abs() < 1e-14);
    for x in [0.1, 3.0, 14.5, 20.0, 1e3, 1e7] {
        // Two steps make Γ(x + 1)/Γ(x) = x.
        let two = ln_gamma_step(x) + ln_gamma_step(x + 0.5);
        assert!((two - x.ln()).abs() < 1e-13, "{x}: {two}");
    }
}

#[test]
fn parameters_out_of_range_are_typed_errors() {
    for (p, df) in [(0.0, 3.0), (1.0, 3.0), (f64::NAN, 3.0), (0.9, 0.0), (0.9, f64::INFINITY)] {
        assert!(matches!(student_t_quantile(p, df), Err(Error::InvalidParameter { .. })));
    }
}
