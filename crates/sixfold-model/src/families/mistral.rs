//! Mistral (arXiv 2310.06825): Llama with a sliding window.

use super::{Family, ModelSpec, last_token, llama, llama_like, model, plain_head};
use crate::Result;
use crate::checkpoint::ConfigReader;

pub(super) static FAMILY: Family = Family {
    name: "mistral",
    prefixes: llama::PREFIXES,
    architectures: ["MistralModel", "MistralForCausalLM", "MistralForSequenceClassification"],
    spec,
    body: llama::BODY,
    lm: llama::LM,
    classifier: llama::CLASSIFIER,
    buffers: llama::BUFFERS,
    heads: llama::HEADS,
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    let mut body = llama_like(config)?;
    // Absent means the default of the first release; null means none.
    let window = match config.is_given("sliding_window") {
        true => config.count_opt("sliding_window")?,
        false => Some(4096),
    };
    if let Some(window) = window {
        body.attention.windows = vec![Some(window); body.n_layers()];
    }
    let lm = plain_head(config, false)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
