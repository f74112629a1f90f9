//! Quantiles of Student's t distribution, without tables.

use crate::{Error, Result};

/// The quantile t of Student's distribution: P(T ≤ t) = `p` for `df` degrees of freedom.
///
/// Infinite where it leaves the range of `f64`, as it may for `df` < 1.
///
/// # Errors
/// `InvalidParameter` unless 0 < `p` < 1 and `df` is positive and finite.
///
/// # Complexity
/// About sixty evaluations of a continued fraction; accurate to 1e-10 relative, far out in the
/// tails (`p` = 1e-100) and near the median alike, for `df` up to 1e6.
///
/// # References
/// Abramowitz and Stegun 1964, 26.5.8 and 26.7.1.
///
/// ```
/// let t = sixfold_linalg::student_t_quantile(0.975, 9.0)?;
/// assert!((t - 2.262_157).abs() < 1e-6);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
pub fn student_t_quantile(p: f64, df: f64) -> Result<f64> {
    if !(p > 0.0 && p < 1.0) {
        return Err(Error::InvalidParameter { name: "p", found: p, expected: "0 < p < 1" });
    }
    if !(df > 0.0 && df.is_finite()) {
        return Err(Error::InvalidParameter { name: "df", found: df, expected: "> 0, finite" });
    }
    // Both without rounding where they are used: the one near the median, the other beyond.
    let (distance, tail) = ((p - 0.5).abs(), p.min(1.0 - p));
    let sign = if p < 0.5 { -1.0 } else { 1.0 };
    if distance == 0.0 {
        return Ok(0.0);
    }
    let too_small = |t: f64| {
        if distance < 0.25 { inner(t, df) < distance } else { upper_tail(t, df) > tail }
    };
    let (mut low, mut high) = (0.0, 1.0);
    while too_small(high) {
        (low, high) = (high, 2.0 * high);
        if high.is_infinite() {
            return Ok(sign * high);
        }
    }
    loop {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            return Ok(sign * middle);
        }
        if too_small(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// P(T > t) for t > 0: half the incomplete beta function I_x(df/2, 1/2) at x = df/(df + t²).
fn upper_tail(t: f64, df: f64) -> f64 {
    let [x, y] = parts(t, df);
    0.5 * incomplete_beta([0.5 * df, 0.5], [x, y], df)
}

/// P(0 < T < t) for t > 0: the other half, through 1 − x.
fn inner(t: f64, df: f64) -> f64 {
    let [x, y] = parts(t, df);
    0.5 * incomplete_beta([0.5, 0.5 * df], [y, x], df)
}

/// A number in 0 ≤ x ≤ 1 with its logarithm, which stays finite where x is 0 in f64.
#[derive(Clone, Copy)]
struct Part {
    value: f64,
    ln: f64,
}

/// x = df/(df + t²) and 1 − x.
fn parts(t: f64, df: f64) -> [Part; 2] {
    // At most one of ratio and its inverse overflows, and then it is the other that counts.
    let root = t / df.sqrt();
    let (ratio, inverse) = (root * root, 1.0 / root / root);
    let (ln_x, ln_y) = if root <= 1.0 {
        (-ratio.ln_1p(), 2.0 * root.ln() - ratio.ln_1p())
    } else {
        (-2.0 * root.ln() - inverse.ln_1p(), -inverse.ln_1p())
    };
    [Part { value: 1.0 / (1.0 + ratio), ln: ln_x }, Part { value: 1.0 / (1.0 + inverse), ln: ln_y }]
}

/// The regularised incomplete beta function I_x(a, b) where a and b are df/2 and 1/2.
fn incomplete_beta([a, b]: [f64; 2], [x, y]: [Part; 2], df: f64) -> f64 {
    if x.value > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta([b, a], [y, x], df);
    }
    let ln_beta = 0.5 * std::f64::consts::PI.ln() - ln_gamma_step(0.5 * df);
    (a * x.ln + b * y.ln - ln_beta).exp() * continued(a, b, x.value) / a
}

/// Lentz' evaluation of the continued fraction 26.5.8.
fn continued(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// ln Γ(x + ½) − ln Γ(x) for x > 0, whose difference would lose what large x have in common: the
/// asymptotic series after moving x above 15.
fn ln_gamma_step(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x / (x + 0.5);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = (-1.0 / 8.0
        + r * (1.0 / 192.0 - r * (1.0 / 640.0 - r * (17.0 / 14_336.0 - r * (31.0 / 18_432.0)))))
        / x;
    0.5 * x.ln() + series + product.ln()
}

#[cfg(test)]
mod tests;
