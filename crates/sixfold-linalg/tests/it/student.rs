//! The t quantile against an integral of the density that needs no special function.

use proptest::prelude::*;
use sixfold_linalg::student_t_quantile;

use crate::support::config;

/// ∫ cos^(df−1) from 0 to `angle` by Simpson's rule: what P(|T| ≤ t) is made of at t = √df·tan.
fn integral(df: u32, angle: f64) -> f64 {
    const STEPS: usize = 4000;
    let h = angle / STEPS as f64;
    let f = |i: usize| (h * i as f64).cos().powi(df as i32 - 1);
    let inner: f64 = (1..STEPS).map(|i| f(i) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    (f(0) + inner + f(STEPS)) * h / 3.0
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_distribution_at_the_quantile_is_p(df in 1..60_u32, p in 0.001..0.999) {
        let t = student_t_quantile(p, f64::from(df)).unwrap();
        let half = integral(df, (t / f64::from(df).sqrt()).atan());
        let whole = integral(df, std::f64::consts::FRAC_PI_2);
        prop_assert!((0.5 + 0.5 * half / whole - p).abs() <= 1e-11);
    }

    #[test]
    fn it_is_odd_about_one_half_and_rises(df in 0.5..1e4_f64, p in 1e-6..0.4999_f64) {
        let low = student_t_quantile(p, df).unwrap();
        let high = student_t_quantile(1.0 - p, df).unwrap();
        prop_assert!((low + high).abs() <= 1e-9 * high);
        prop_assert!(low < 0.0);
        prop_assert!(student_t_quantile(p * 0.999, df).unwrap() < low);
        // Fewer degrees, heavier tails.
        prop_assert!(student_t_quantile(p, df * 0.9).unwrap() < low);
    }

    #[test]
    fn near_one_half_and_far_out_it_keeps_its_digits(power in 1.0..15.0_f64, df in 1.0..50.0_f64) {
        // One degree: the Cauchy distribution, tan(π(p − ½)).
        let p = 0.5 + 10_f64.powf(-power);
        let exact = (std::f64::consts::PI * (p - 0.5)).tan();
        prop_assert!((student_t_quantile(p, 1.0).unwrap() / exact - 1.0).abs() <= 1e-10);
        let tail = 10_f64.powf(-10.0 * power);
        let exact = -1.0 / (std::f64::consts::PI * tail).tan();
        prop_assert!((student_t_quantile(tail, 1.0).unwrap() / exact - 1.0).abs() <= 1e-10);
        // Two degrees: (2p − 1)/√(2p(1 − p)).
        let exact = (2.0 * tail - 1.0) / (2.0 * tail * (1.0 - tail)).sqrt();
        prop_assert!((student_t_quantile(tail, 2.0).unwrap() / exact - 1.0).abs() <= 1e-10);
        prop_assert!(student_t_quantile(tail, df).unwrap().is_finite());
    }
}

#[test]
fn the_median_is_zero() {
    for df in [0.3, 1.0, 7.0, 1e6] {
        assert!(student_t_quantile(0.5, df).unwrap().abs() <= 1e-15);
    }
}
