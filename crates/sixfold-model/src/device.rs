//! Devices by name: the only place outside `ops/` folders that names a backend.

#[cfg_attr(
    not(feature = "wgpu"),
    allow(unused_imports, reason = "used by some backends only")
)]
use burn::tensor::{Device, DeviceKind};

use crate::{Error, Result};

/// The devices compiled into this build, the default first.
///
/// ```
/// assert!(sixfold_model::available_devices().contains(&"flex"));
/// ```
pub fn available_devices() -> Vec<&'static str> {
    let mut names = Vec::new();
    for (compiled, name) in [
        (cfg!(feature = "flex"), "flex"),
        (cfg!(feature = "ndarray"), "ndarray"),
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "wgpu"), "wgpu"),
    ] {
        if compiled {
            names.push(name);
        }
    }
    names
}

/// Makes the device of the given name.
///
/// `flex` is burn's pure-Rust CPU backend, `ndarray` the second CPU backend, `cuda` and
/// `cuda:N` an NVIDIA GPU, `wgpu` any GPU with a Vulkan, Metal or DirectX driver. Each is a
/// cargo feature of the same name.
///
/// On CUDA, products of f32 matrices may run in TF32 (11 bits of precision) where the GPU has it:
/// burn 0.22.1 chooses the fastest kernel by trying, and has no switch. The CPU backends and wgpu
/// compute in f32 throughout.
///
/// # Errors
/// [`Error::UnknownDevice`] for a name that is none of these, [`Error::DeviceNotCompiled`] for
/// one whose feature is off. Whether the hardware is there shows only at the first operation.
///
/// ```
/// let device = sixfold_model::device("flex")?;
/// assert!(!device.is_autodiff());
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn device(name: &str) -> Result<Device> {
    let (kind, index) = match name.split_once(':') {
        Some((kind, index)) => (kind, Some(index)),
        None => (name, None),
    };
    let index = match (kind, index.map(str::parse::<usize>)) {
        (_, None) => 0,
        ("cuda", Some(Ok(index))) => index,
        _ => return Err(unknown(name)),
    };
    match kind {
        "flex" => flex(name),
        "ndarray" => ndarray(name),
        "cuda" => cuda(name, index),
        "wgpu" => wgpu(name),
        _ => Err(unknown(name)),
    }
}

/// Whether tensors of the device lie in the host's memory, so that taking their values is free.
pub(crate) fn is_host(device: &Device) -> bool {
    let device = device.clone().without_autodiff();
    ["flex", "ndarray"].iter().any(|name| self::device(name).is_ok_and(|host| host == device))
}

fn unknown(name: &str) -> Error {
    Error::UnknownDevice { name: name.to_owned(), available: available_devices() }
}

#[cfg_attr(
    all(feature = "flex", feature = "ndarray", feature = "cuda", feature = "wgpu"),
    allow(dead_code, reason = "every backend is compiled in")
)]
fn not_compiled(name: &str, feature: &'static str) -> Error {
    Error::DeviceNotCompiled { name: name.to_owned(), feature, available: available_devices() }
}

/// Defines one constructor that is an error where its feature is off.
macro_rules! backend {
    ($function:ident($name:ident $(, $arg:ident: $ty:ty)?), $feature:literal => $make:expr) => {
        #[cfg(feature = $feature)]
        fn $function($name: &str $(, $arg: $ty)?) -> Result<Device> {
            let _ = $name;
            Ok($make)
        }

        #[cfg(not(feature = $feature))]
        fn $function($name: &str $(, $arg: $ty)?) -> Result<Device> {
            $(let _ = $arg;)?
            Err(not_compiled($name, $feature))
        }
    };
}

backend!(flex(name), "flex" => Device::flex());
backend!(cuda(name, index: usize), "cuda" => Device::cuda(index));
backend!(wgpu(name), "wgpu" => Device::wgpu(DeviceKind::DefaultDevice));

#[cfg_attr(
    feature = "ndarray",
    expect(deprecated, reason = "kept as second CPU backend and oracle")
)]
mod second_cpu {
    use super::*;
    backend!(make(name), "ndarray" => Device::ndarray());
    pub(super) fn ndarray(name: &str) -> Result<Device> {
        make(name)
    }
}
use second_cpu::ndarray;
