//! Backends are named in few places, and their features are forwarded everywhere.

use std::path::{Component, Path};

use serde_json::Value;

use super::graph::{name, packages};
use super::{none, root, rust_files};

const FEATURES: [&str; 4] = ["flex", "ndarray", "cuda", "wgpu"];

/// Types, modules and constructors that stand for one backend.
const NAMES: [&str; 17] = [
    "Flex",
    "FlexDevice",
    "NdArray",
    "NdArrayDevice",
    "Cuda",
    "CudaDevice",
    "CudaRuntime",
    "Wgpu",
    "WgpuDevice",
    "WgpuRuntime",
    "Vulkan",
    "Metal",
    "WebGpu",
    "burn_flex",
    "burn_ndarray",
    "burn_cuda",
    "burn_wgpu",
];

/// Whether a backend may be named in the file.
fn may_name(path: &Path) -> bool {
    let ops = |part: Component<'_>| part == Component::Normal("ops".as_ref());
    path == Path::new("crates/sixfold-model/src/device.rs") || path.components().any(ops)
}

#[test]
fn backends_are_named_in_ops_and_device_only() {
    let mut problems = Vec::new();
    let crates = |path: &Path| {
        path.starts_with("crates")
            && path.components().any(|part| part == Component::Normal("src".as_ref()))
    };
    for (path, text) in rust_files().iter().filter(|(path, _)| crates(path) && !may_name(path)) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            // What stands in quotes is text for a user.
            let code: String = code.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(word) = words.find(|word| NAMES.contains(word)) {
                problems.push(format!("{}:{}: `{word}`", path.display(), number + 1));
            }
        }
    }
    none("Take a device by name from sixfold_model::device, or move the code to ops/:", &problems);
}

fn features<'a>(package: &'a Value, feature: &str) -> Option<Vec<&'a str>> {
    let list = package["features"][feature].as_array()?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

#[test]
fn crates_with_operations_forward_every_backend() {
    let mut problems = Vec::new();
    for package in packages() {
        let crate_name = name(package);
        let dir = root().join("crates").join(crate_name);
        let has_ops = dir.join("src/ops").is_dir()
            || rust_files().iter().any(|(path, _)| {
                path.starts_with(Path::new("crates").join(crate_name).join("src"))
                    && path.components().any(|part| part == Component::Normal("ops".as_ref()))
            });
        if !has_ops && crate_name != "sixfold-lab" {
            continue;
        }
        let depends_on_model =
            package["dependencies"].as_array().unwrap().iter().any(|dependency| {
                name(dependency) == "sixfold-model" && dependency["kind"].is_null()
            });
        for feature in FEATURES {
            let below = match depends_on_model {
                true => [format!("sixfold-model/{feature}"), format!("sixfold-model?/{feature}")],
                false => [format!("burn/{feature}"), format!("burn?/{feature}")],
            };
            match features(package, feature) {
                None => problems.push(format!("{crate_name}: no feature `{feature}`")),
                Some(list) if !below.iter().any(|wanted| list.contains(&wanted.as_str())) => {
                    problems.push(format!("{crate_name}: `{feature}` lacks {:?}", below[0]));
                }
                Some(_) => {}
            }
        }
    }
    none(
        "The cfgs of the extension macro are features of the crate itself, and a backend that is \
         not listed panics at run time: declare and forward flex, ndarray, cuda, wgpu:",
        &problems,
    );
}
