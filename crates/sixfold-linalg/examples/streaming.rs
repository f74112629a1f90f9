//! Least squares, a spectrum and a score with its interval from rows that arrive in blocks and are not kept.
//!
//! `cargo run --release -p sixfold-linalg --example streaming`

use ndarray::{Array2, array, s};
use sixfold_linalg::{PairMoments, Result, eigvalsh, gram_rcond, solve_gram};

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<()> {
    let (rows, block) = (20_000, 1_000);
    let x = Array2::from_shape_fn((rows, 3), |(i, j)| ((i * (j + 2)) as f64).sin());
    let noise = Array2::from_shape_fn((rows, 1), |(i, _)| 0.1 * ((i * i) as f64).cos());
    let y = x.dot(&array![[1.0], [-2.0], [0.5]]) + 3.0 + noise;

    let mut moments = PairMoments::new(3, 1);
    for begin in (0..rows).step_by(block) {
        let part = s![begin..begin + block, ..];
        moments.update(x.slice(part), y.slice(part))?;
    }

    let (g, c) = (moments.x.scatter(), moments.xy.cross_scatter());
    let found = solve_gram(g.view(), c.view(), gram_rcond::<f64>(3))?;
    println!("coefficients {:.4?}, true 1, -2, 0.5", found.solution.column(0).to_vec());
    let share = found.fit.explained / moments.y.total_variance();
    println!("they explain {:.2} % of the variance of y", 100.0 * share);
    println!(
        "variances along the axes of x: {:.4?}",
        eigvalsh(moments.x.covariance(1)?.view())?.to_vec()
    );
    Ok(())
}
