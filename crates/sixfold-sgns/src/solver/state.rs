//! What a solver has reached, and files of it.

use std::path::Path;

use ndarray::Array2;
use safetensors::tensor::{Dtype, TensorView};
use sixfold_linalg::Real;
use sixfold_linalg::files::{Matrix, MatrixFile, write_atomically};

use crate::{Error, FixedRank, Result, Tangent};

/// A point, and what the next iteration depends on beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T> {
    pub(super) point: FixedRank<T>,
    pub(super) iteration: usize,
    pub(super) step: f64,
    pub(super) objective: f64,
    pub(super) last: Option<Box<Last<T>>>,
}

/// The point before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Last<T> {
    pub(super) point: FixedRank<T>,
    /// How it was left; nothing for splitting.
    pub(super) along: Option<Along<T>>,
}

/// A step along a direction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Along<T> {
    pub(super) gradient: Tangent<T>,
    pub(super) direction: Tangent<T>,
    pub(super) step: f64,
}

/// Names of tensors in a file, in front of those of its parts.
const PARTS: [&str; 4] = ["point", "last.point", "last.gradient", "last.direction"];

impl<T: Real> State<T> {
    /// Iterations done.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// F there.
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// The point in the coordinates of the metric.
    pub fn point(&self) -> &FixedRank<T> {
        &self.point
    }

    /// Writes it as safetensors; others see the old file or the whole new one.
    ///
    /// # Errors
    /// [`Error::Io`] naming `path`; then what was there is still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut tensors: Vec<(String, Vec<u8>, Vec<usize>)> = Vec::new();
        let mut push = |part: &str, names: [&str; 3], matrices: [&Array2<T>; 3]| {
            for (name, matrix) in names.into_iter().zip(matrices) {
                let bytes = matrix.iter().flat_map(|x| bytes_of(*x)).collect();
                tensors.push((
                    format!("{part}.{name}"),
                    bytes,
                    vec![matrix.nrows(), matrix.ncols()],
                ));
            }
        };
        let mut of_point = |part, x: &FixedRank<T>| push(part, ["u", "s", "v"], [&x.u, &x.s, &x.v]);
        of_point(PARTS[0], &self.point);
        let mut numbers = vec![self.iteration as f64, self.step, self.objective];
        if let Some(last) = &self.last {
            of_point(PARTS[1], &last.point);
            if let Some(along) = &last.along {
                for (part, x) in [(PARTS[2], &along.gradient), (PARTS[3], &along.direction)] {
                    push(part, ["m", "up", "vp"], [&x.m, &x.up, &x.vp]);
                }
                numbers.push(along.step);
            }
        }
        let shape = vec![1, numbers.len()];
        let numbers: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        tensors.push(("numbers".into(), numbers, shape));
        let views = tensors.iter().map(|(name, bytes, shape)| {
            let dtype = if name == "numbers" || T::NAME == "f64" { Dtype::F64 } else { Dtype::F32 };
            TensorView::new(dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let bytes = views
            .collect::<std::result::Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|error| Error::malformed(path, error.to_string()))?;
        Ok(write_atomically(path, |file| std::io::Write::write_all(file, &bytes))?)
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for a file that is truncated, of another number type, or
    /// without one of the parts.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = MatrixFile::open(path)?;
        let numbers: Vec<f64> = matrix(&file, "numbers")?.into_iter().collect();
        let &[iteration, step, objective, ref of_last @ ..] = &numbers[..] else {
            return Err(Error::malformed(path, "`numbers` is shorter than 3"));
        };
        let has = |part| file.names().iter().any(|name| name.starts_with(part));
        let last = if has(PARTS[1]) {
            let along = match of_last {
                [step] => Some(Along {
                    gradient: tangent(&file, PARTS[2])?,
                    direction: tangent(&file, PARTS[3])?,
                    step: *step,
                }),
                _ => None,
            };
            Some(Box::new(Last { point: point(&file, PARTS[1])?, along }))
        } else {
            None
        };
        let point = point(&file, PARTS[0])?;
        let state = Self { point, iteration: iteration as usize, step, objective, last };
        state.check().map_err(|what| Error::malformed(path, what))?;
        Ok(state)
    }

    /// Whether shapes fit together and the numbers can be gone on with.
    fn check(&self) -> std::result::Result<(), String> {
        let d = self.point.s.nrows();
        let shape = [self.point.u.ncols(), self.point.s.ncols(), self.point.v.ncols()];
        if d == 0 || shape.iter().any(|columns| *columns != d) {
            return Err(format!("U, S and V have {shape:?} columns and S {d} rows"));
        }
        if !(self.step > 0.0 && self.step.is_finite()) {
            return Err(format!("the step {} is not above 0", self.step));
        }
        if let Some(Last { point, along }) = self.last.as_deref() {
            let (u, v) = (self.point.u.dim(), self.point.v.dim());
            let of_tangent =
                |x: &Tangent<T>| x.m.dim() == (d, d) && x.up.dim() == u && x.vp.dim() == v;
            let fits = point.u.dim() == u
                && point.v.dim() == v
                && point.s.dim() == (d, d)
                && along.iter().all(|x| of_tangent(&x.gradient) && of_tangent(&x.direction));
            if !fits {
                return Err("the last iteration has other shapes than the point".into());
            }
        }
        Ok(())
    }
}

fn bytes_of<T: Real>(x: T) -> Vec<u8> {
    match T::NAME {
        "f64" => x.widen().to_le_bytes().to_vec(),
        _ => (x.widen() as f32).to_le_bytes().to_vec(),
    }
}

/// The tensor of that name, of the type of the state.
fn matrix<T: Real>(file: &MatrixFile, name: &str) -> Result<Array2<T>> {
    let found = file.tensor(name)?;
    let malformed = |what| Error::malformed(file.path(), format!("`{name}` {what}"));
    let (matrix, type_name) = match &found {
        Matrix::F32(x) => (x.mapv(|x| T::narrow(x.into())), "f32"),
        Matrix::F64(x) => (x.mapv(T::narrow), "f64"),
    };
    if type_name != T::NAME {
        return Err(malformed(format!("is {type_name}, expected {}", T::NAME)));
    }
    sixfold_linalg::ensure_finite("the tensor", matrix.view())
        .map_err(|error| malformed(format!("({error})")))?;
    Ok(matrix)
}

fn point<T: Real>(file: &MatrixFile, part: &str) -> Result<FixedRank<T>> {
    let get = |name: &str| matrix(file, &format!("{part}.{name}"));
    Ok(FixedRank { u: get("u")?, s: get("s")?, v: get("v")? })
}

fn tangent<T: Real>(file: &MatrixFile, part: &str) -> Result<Tangent<T>> {
    let get = |name: &str| matrix(file, &format!("{part}.{name}"));
    Ok(Tangent { m: get("m")?, up: get("up")?, vp: get("vp")? })
}
