//! The tables that are compared: any form of an embedding, as one type of module.

mod choice;
mod table;

pub use choice::{Choice, Form, UnknownTable};
pub(super) use table::{Recipe, Table, Tables, uniform};

use crate::config::Problem;

/// What is wrong with a list of tables; `heads` says whether a model has scores to tie.
pub(super) fn problems(embeddings: &[Choice], heads: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |message: String| problems.push(Problem::new("embeddings", message));
    if embeddings.is_empty() {
        add("is empty; `dense` is what the others are compared with".to_owned());
    }
    for (index, choice) in embeddings.iter().enumerate() {
        if embeddings[..index].contains(choice) {
            add(format!("`{choice}` stands twice"));
        }
        if choice.tied && !heads {
            add(format!("`{choice}`: this model scores no words, so there is nothing to tie"));
        }
    }
    problems
}
