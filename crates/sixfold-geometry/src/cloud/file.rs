//! Clouds in files: one safetensors file holds any number of them, such as all sites of a model.
//!
//! Each cloud `x` is `x.rows` (points, points with a direction), `x.shift`, `x.scale`, `x.mean`,
//! `x.scatter`, `x.norms` and `x.units`; the metadata say how its points were normalised and in
//! which type they were multiplied.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View, serialize_to_file};
use sixfold_linalg::{Directions, DirectionsParts, Moments, MomentsParts};

use super::{Cloud, RowNorm};
use crate::{Error, Result};

/// What the metadata of such a file say under `format`.
const FORMAT: &str = "sixfold-cloud/1";

/// The name of the only cloud of a file.
const ONLY: &str = "cloud";

impl Cloud {
    /// Writes the cloud into a file of its own, under a temporary name that is then renamed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_clouds(path, [(ONLY, self)])
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// Those of [`load_clouds`]; [`Error::Malformed`] for a file of several clouds.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut clouds = load_clouds(path)?;
        match (clouds.pop(), clouds.len()) {
            (Some((_, cloud)), 0) => Ok(cloud),
            (_, rest) => {
                let found = if rest == 0 { 0 } else { rest + 1 };
                Err(malformed(path, format!("holds {found} clouds, expected one")))
            }
        }
    }
}

/// Writes clouds under their names into one file, under a temporary name that is then renamed.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] for two clouds of one name.
///
/// ```
/// use ndarray::array;
/// use sixfold_geometry::cloud::{Cloud, load_clouds, save_clouds};
///
/// let dir = tempfile::tempdir().unwrap();
/// let path = dir.path().join("sites.safetensors");
/// let mut cloud = Cloud::new(2);
/// cloud.update(array![[1.0, 2.0], [3.0, 5.0], [0.0, 1.0]].view())?;
/// save_clouds(&path, [("embed", &cloud), ("blocks.0.hook_resid_post", &cloud)])?;
/// let clouds = load_clouds(&path)?;
/// assert_eq!(clouds.len(), 2);
/// assert_eq!(clouds[1].0, "embed");
/// assert_eq!(clouds[1].1.spread()?, cloud.spread()?);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
pub fn save_clouds<'a, S: AsRef<str>>(
    path: impl AsRef<Path>,
    clouds: impl IntoIterator<Item = (S, &'a Cloud)>,
) -> Result<()> {
    let path = path.as_ref();
    let mut tensors = Vec::new();
    let mut metadata = HashMap::from([("format".to_owned(), FORMAT.to_owned())]);
    let mut names = BTreeSet::new();
    for (name, cloud) in clouds {
        let name = name.as_ref();
        if !names.insert(name.to_owned()) {
            return Err(malformed(path, format!("two clouds are named `{name}`")));
        }
        let (moments, directions, row_norm, single) = cloud.parts();
        let MomentsParts { rows, shift, scale, mean, scatter, .. } = moments.to_parts();
        let DirectionsParts { rows: all, directed, norms, units } = directions.to_parts();
        let d = cloud.dim();
        let mut put = |part: &str, shape: Vec<usize>, values: Values| {
            tensors.push((format!("{name}.{part}"), Part { shape, values }));
        };
        put("rows", vec![3], Values::Counts(vec![rows, all, directed]));
        put("shift", vec![d], Values::Numbers(shift.to_vec()));
        put("scale", vec![d], Values::Numbers(scale.to_vec()));
        put("mean", vec![d], Values::Numbers(mean.to_vec()));
        put("scatter", vec![d, d], Values::Numbers(scatter.into_iter().collect()));
        put("norms", vec![1], Values::Numbers(vec![norms]));
        put("units", vec![d], Values::Numbers(units.to_vec()));
        metadata.insert(format!("{name}.row_norm"), row_norm.name().to_owned());
        let precision = if single { "f32" } else { "f64" };
        metadata.insert(format!("{name}.precision"), precision.to_owned());
    }
    // A bare file name has an empty parent, which is no directory to put a temporary file in.
    let target = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new(".").join(path),
        _ => path.to_owned(),
    };
    serialize_to_file(tensors, Some(metadata), &target).map_err(|error| match error {
        SafeTensorError::IoError(source) => Error::Io { path: path.to_owned(), source },
        error => malformed(path, error.to_string()),
    })
}

/// Reads the clouds of a file, in the order of their names.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`], naming the tensor, for a file that is cut short, that
/// [`save_clouds`] did not write, or whose numbers make no cloud.
pub fn load_clouds(path: impl AsRef<Path>) -> Result<Vec<(String, Cloud)>> {
    let path = path.as_ref();
    let bytes =
        std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let broken = |error: SafeTensorError| malformed(path, error.to_string());
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    if metadata.get("format").map(String::as_str) != Some(FORMAT) {
        let what = format!("holds no clouds: its metadata lack `format` = `{FORMAT}`");
        return Err(malformed(path, what));
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let file = File { path: path.to_owned(), metadata, tensors };
    let mut names: Vec<&str> =
        file.metadata.keys().filter_map(|key| key.strip_suffix(".row_norm")).collect();
    names.sort_unstable();
    names.into_iter().map(|name| Ok((name.to_owned(), file.cloud(name)?))).collect()
}

struct File<'a> {
    path: PathBuf,
    metadata: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl File<'_> {
    fn cloud(&self, name: &str) -> Result<Cloud> {
        let row_norm = match self.setting(name, "row_norm")? {
            "none" => RowNorm::None,
            "l2" => RowNorm::L2,
            other => return Err(self.error(name, "row_norm", format!("`{other}`"))),
        };
        let single = match self.setting(name, "precision")? {
            "f32" => true,
            "f64" => false,
            other => return Err(self.error(name, "precision", format!("`{other}`"))),
        };
        let counts: Vec<u64> =
            self.read(name, "rows", Dtype::U64, &[3])?.map(u64::from_le_bytes).collect();
        let (rows, all, directed) = (counts[0], counts[1], counts[2]);
        // The shift tells the number of coordinates; all else has to agree.
        let shift = self.tensors.tensor(&format!("{name}.shift"));
        let d = shift.map_or(0, |tensor| tensor.shape().first().copied().unwrap_or(0));
        let numbers = |part: &str, shape: &[usize]| -> Result<Vec<f64>> {
            Ok(self.read(name, part, Dtype::F64, shape)?.map(f64::from_le_bytes).collect())
        };
        let vector = |part: &str| Ok::<_, Error>(Array1::from(numbers(part, &[d])?));
        let scatter = numbers("scatter", &[d, d])?;
        let moments = MomentsParts {
            rows,
            initialised: rows > 0,
            shift: vector("shift")?,
            scale: vector("scale")?,
            mean: vector("mean")?,
            scatter: Array2::from_shape_vec((d, d), scatter)
                .map_err(|error| self.error(name, "scatter", error.to_string()))?,
        };
        let directions = DirectionsParts {
            rows: all,
            directed,
            norms: numbers("norms", &[1])?[0],
            units: vector("units")?,
        };
        let wrong = |error: &dyn std::fmt::Display| {
            malformed(&self.path, format!("cloud `{name}`: {error}"))
        };
        let moments = Moments::from_parts(moments).map_err(|error| wrong(&error))?;
        let directions = Directions::from_parts(directions).map_err(|error| wrong(&error))?;
        Cloud::restore(moments, directions, row_norm, single).map_err(|error| wrong(&error))
    }

    fn setting(&self, name: &str, part: &str) -> Result<&str> {
        let found = self.metadata.get(&format!("{name}.{part}")).map(String::as_str);
        found.ok_or_else(|| self.error(name, part, "missing from the metadata".to_owned()))
    }

    /// The values of a tensor, eight bytes each.
    fn read(
        &self,
        name: &str,
        part: &str,
        dtype: Dtype,
        shape: &[usize],
    ) -> Result<impl Iterator<Item = [u8; 8]>> {
        let tensor = self
            .tensors
            .tensor(&format!("{name}.{part}"))
            .map_err(|_| self.error(name, part, "missing".to_owned()))?;
        if (tensor.dtype(), tensor.shape()) != (dtype, shape) {
            let found = format!("{:?} {:?}", tensor.dtype(), tensor.shape());
            let what = format!("is {found}, expected {dtype:?} {shape:?}");
            return Err(self.error(name, part, what));
        }
        let (values, _) = tensor.data().as_chunks::<8>();
        Ok(values.iter().copied())
    }

    fn error(&self, name: &str, part: &str, what: String) -> Error {
        malformed(&self.path, format!("`{name}.{part}`: {what}"))
    }
}

fn malformed(path: &Path, what: String) -> Error {
    Error::Malformed { path: path.to_owned(), what }
}

/// A tensor whose bytes are made when they are written.
struct Part {
    shape: Vec<usize>,
    values: Values,
}

enum Values {
    Counts(Vec<u64>),
    Numbers(Vec<f64>),
}

impl View for Part {
    fn dtype(&self) -> Dtype {
        match self.values {
            Values::Counts(_) => Dtype::U64,
            Values::Numbers(_) => Dtype::F64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.values {
            Values::Counts(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Numbers(values) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            }
        }
    }

    fn data_len(&self) -> usize {
        8 * match &self.values {
            Values::Counts(values) => values.len(),
            Values::Numbers(values) => values.len(),
        }
    }
}
