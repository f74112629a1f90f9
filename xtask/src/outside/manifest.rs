//! `Cargo.toml` of an outside crate: the crate itself by its path, and what the example names.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Whether a package compiles no burn once its default features are off.
pub(super) fn does_without_burn(package: &Value) -> bool {
    let needs = |one: &Value| {
        let name = one["name"].as_str().unwrap_or_default();
        let normal = one["kind"].is_null() && one["optional"] == false;
        normal && (name.starts_with("burn") || name == "sixfold-model")
    };
    !dependencies(package).any(needs)
}

/// Whether an example needs the feature `model`, by what it names.
pub(super) fn needs_model(code: &str) -> bool {
    names(code, "burn") || names(code, "sixfold_model")
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}

/// Whether `code` has a path that begins with the crate `krate`.
fn names(code: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

/// The manifest. What the example names besides comes at the versions, with the features, that the
/// crate itself asks for.
pub(super) fn of(name: &str, package: &Value, code: &str, without_burn: bool) -> Result<String> {
    let mut text = String::from(
        "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [workspace]\n\n[profile.dev]\ndebug = 0\nincremental = false\n\n[dependencies]\n",
    );
    let own = Path::new(package["manifest_path"].as_str().context("no path")?).parent();
    let own = own.context("no folder")?.display().to_string();
    let defaults = if without_burn { ", default-features = false" } else { "" };
    let _ = writeln!(text, "{name} = {{ path = {own:?}{defaults} }}");
    let mut seen = vec![name];
    for dependency in dependencies(package) {
        let name = dependency["name"].as_str().unwrap_or_default();
        if seen.contains(&name) || !names(code, &name.replace('-', "_")) {
            continue;
        }
        seen.push(name);
        let source = match dependency["path"].as_str() {
            Some(path) => format!("path = {path:?}"),
            None => format!("version = {}", dependency["req"]),
        };
        let (features, defaults) = (&dependency["features"], &dependency["uses_default_features"]);
        let _ = writeln!(
            text,
            "{name} = {{ {source}, default-features = {defaults}, features = {features} }}"
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Value {
        serde_json::json!({
            "name": "sixfold-geometry",
            "manifest_path": "/repo/crates/sixfold-geometry/Cargo.toml",
            "dependencies": [
                {"name": "burn", "req": "=0.22.1", "kind": null, "optional": true, "features": ["std"],
                 "uses_default_features": false},
                {"name": "ndarray", "req": "^0.17", "kind": null, "optional": false, "features": ["rayon"],
                 "uses_default_features": true},
                {"name": "sixfold-model", "req": "^0.1.0", "kind": null, "optional": true, "path": "/repo/m",
                 "features": ["transformer"], "uses_default_features": false},
            ],
        })
    }

    #[test]
    fn only_what_the_example_names_is_a_dependency() {
        let text =
            of("sixfold-geometry", &package(), "use ndarray::s;\nmy_burn::f();", true).unwrap();
        let (_, dependencies) = text.split_once("[dependencies]\n").unwrap();
        assert_eq!(
            dependencies,
            "sixfold-geometry = { path = \"/repo/crates/sixfold-geometry\", default-features = false }\n\
             ndarray = { version = \"^0.17\", default-features = true, features = [\"rayon\"] }\n"
        );
        let text = of("sixfold-geometry", &package(), "use sixfold_model::Seed;", false).unwrap();
        assert!(text.contains("sixfold-geometry = { path = \"/repo/crates/sixfold-geometry\" }\n"));
        assert!(text.ends_with(
            "sixfold-model = { path = \"/repo/m\", default-features = false, features = [\"transformer\"] }\n"
        ));
    }

    #[test]
    fn paths_tell_what_an_example_needs() {
        assert!(needs_model("let d = sixfold_model::device(\"flex\")?;"));
        assert!(needs_model("use burn::tensor::Tensor;") && !needs_model("use sunburn::x;"));
        assert!(!needs_model("// burn, sixfold_model\nuse sixfold_linalg::svd;"));
    }

    #[test]
    fn optional_burn_can_be_left_out() {
        let mut package = package();
        assert!(does_without_burn(&package));
        package["dependencies"][0]["optional"] = false.into();
        assert!(!does_without_burn(&package));
    }
}
