//! How linear the step from one matrix of states to another is, without any model of this workspace: two `.npy` or
//! `.safetensors` files of as many rows, states of the same tokens before and after a block.
//!
//! `cargo run --release -p sixfold-linearity --no-default-features --example transition -- before.npy after.npy`
//!
//! Without files it makes states up: a block that adds a little of a non-linear map to what comes in.

use ndarray::Array2;
use sixfold_linalg::PairMoments;
use sixfold_linalg::files::MatrixFile;
use sixfold_linearity::Transition;

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let (x, y) = match &paths[..] {
        [before, after] => {
            let read = |path: &String| -> Result<Array2<f64>, Box<dyn std::error::Error>> {
                Ok(MatrixFile::open(path)?.matrix()?.to_f64())
            };
            (read(before)?, read(after)?)
        }
        _ => made_up(),
    };
    let mut moments = PairMoments::new(x.ncols(), y.ncols());
    moments.update(x.view(), y.view())?;
    let transition = Transition::from(&moments);
    let found = transition.linearity()?;
    println!("{} states of width {} and {}", x.nrows(), x.ncols(), y.ncols());
    println!(
        "linearity                        {:.4} (noise would score {:.4})",
        found.score, found.floor
    );
    if let Some(score) = found.without_residual {
        println!("linearity without the residual   {score:.4}");
    }
    let map = transition.affine_map()?;
    println!("the affine map y = x·A + b has   {} numbers", map.weight.len() + map.bias.len());
    Ok(())
}

fn made_up() -> (Array2<f64>, Array2<f64>) {
    let x = Array2::from_shape_fn((2_000, 16), |(i, j)| ((i * (j + 3)) as f64).sin());
    let y = &x + x.mapv(|v| 0.3 * (4.0 * v).tanh());
    (x, y)
}
