//! What stands in the sources, and what must not.

use std::path::{Component, Path};

use super::{none, rust_files};

/// Whether `path` is part of the `src/` folder of a crate.
fn in_src(path: &Path) -> bool {
    path.components().any(|part| part == Component::Normal("src".as_ref()))
}

#[test]
fn every_module_begins_with_its_documentation() {
    let problems: Vec<String> = rust_files()
        .iter()
        .filter(|(path, text)| in_src(path) && !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    none("Begin these files with a `//!` line that says what they are for:", &problems);
}

#[test]
fn nothing_is_left_for_later() {
    // Joined here so that this file does not find itself.
    let words = ["todo!", "unimplemented!", "dbg!"].map(|name| format!("{name}("));
    let ignore = ["#[", "ignore"].concat();
    let mut problems = Vec::new();
    for (path, text) in rust_files() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if words.iter().any(|word| code.contains(word)) || code.contains(&ignore) {
                problems.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none("Finish these, or take them out; a slow test asks a variable instead:", &problems);
}

/// Config keys and tensor names of Hugging Face that mean nothing else.
const NAMES: [&str; 16] = [
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "layer_norm_eps",
    "rope_theta",
    "tie_word_embeddings",
    "model_type",
    "self_attn",
    "c_attn",
    "q_proj",
    "gate_proj",
    "query_key_value",
    "word_embeddings",
];

#[test]
fn hugging_face_names_stay_in_model() {
    let mut problems = Vec::new();
    for (path, text) in rust_files() {
        let method = path.starts_with("crates") && in_src(&path);
        if !method || path.starts_with("crates/sixfold-model") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            // Only text in quotes is meant: such a name may well be spoken of in a comment.
            let quoted = line.split("//").next().unwrap_or(line).split('"').skip(1).step_by(2);
            let parts = quoted.flat_map(|text| text.split(['.', '/', ' ', '=']));
            if let Some(name) = parts.into_iter().find(|part| NAMES.contains(part)) {
                problems.push(format!("{}:{}: `{name}`", path.display(), number + 1));
            }
        }
    }
    none(
        "sixfold-model is the only crate that knows Hugging Face names: ask its spec, or \
         `hf_name(path)`:",
        &problems,
    );
}
