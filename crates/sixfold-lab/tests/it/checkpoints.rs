//! The models of the paper, as random weights of their real width cut in depth: what a user's own
//! checkpoint goes through.

use std::path::Path;

use serde_json::{Value, json};
use sixfold_model::{Checkpoint, LoadOptions, Seed};

use crate::started::{REPO, run};

/// Layers that are left of twelve or six; words of the tokenizer that goes with them.
const LAYERS: u64 = 2;
const VOCAB: u64 = 512;

fn configs() -> [(&'static str, Value); 3] {
    [
        (
            "gpt2",
            json!({
                "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": VOCAB,
                "n_embd": 768, "n_head": 12, "n_layer": LAYERS, "n_positions": 1024, "n_ctx": 1024,
                "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
                "bos_token_id": 1, "eos_token_id": 2
            }),
        ),
        (
            "opt-125m",
            json!({
                "model_type": "opt", "architectures": ["OPTForCausalLM"], "vocab_size": VOCAB,
                "hidden_size": 768, "word_embed_proj_dim": 768, "ffn_dim": 3072,
                "num_attention_heads": 12, "num_hidden_layers": LAYERS,
                "max_position_embeddings": 2048, "activation_function": "relu",
                "do_layer_norm_before": true, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2
            }),
        ),
        (
            "pythia-70m",
            json!({
                "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"],
                "vocab_size": VOCAB, "hidden_size": 512, "intermediate_size": 2048,
                "num_attention_heads": 8, "num_hidden_layers": LAYERS,
                "max_position_embeddings": 2048, "rotary_pct": 0.25, "rotary_emb_base": 10_000,
                "hidden_act": "gelu", "use_parallel_residual": true, "layer_norm_eps": 1e-5,
                "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 0
            }),
        ),
    ]
}

/// A directory as a user has it: config, weights, tokenizer.
fn write(name: &str, config: Value, to: &Path) {
    let dir = to.join(name);
    std::fs::create_dir(&dir).unwrap();
    let Value::Object(config) = config else { unreachable!("configs are objects") };
    let checkpoint = Checkpoint::from_config(&dir, config, &LoadOptions::default()).unwrap();
    let device = sixfold_model::device("flex").unwrap();
    checkpoint.save(&checkpoint.init_causal_lm(Seed::new(7), &device), &dir).unwrap();
    let tokenizer = Path::new(REPO).join("fixtures/models/stories260k/tokenizer.json");
    std::fs::copy(tokenizer, dir.join("tokenizer.json")).unwrap();
}

#[test]
fn gpt2_opt_and_pythia_are_profiled_from_their_directories() {
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (name, config) in configs() {
        write(name, config, dir.path());
        names.push(format!("{:?}", dir.path().join(name).display().to_string()));
    }
    let models = format!("models=[{}]", names.join(","));
    let more = [models.as_str(), "text.max_tokens=2048", "official_tokens=0", "filters=[\"all\"]"];
    let run = run("linearity/profile", &dir.path().join("run"), &more);
    for (name, _) in configs() {
        let place = [("model", name.into())];
        assert_eq!(run.named("linearity", &place).len(), LAYERS as usize, "{name}");
        for layer in 0..LAYERS {
            let at = |metric: &str| run.value(metric, &[place[0].clone(), ("layer", layer.into())]);
            let (score, without, ratio) =
                (at("linearity"), at("linearity_without_residual"), at("norm_ratio"));
            assert!((0.0..=1.0).contains(&score) && without <= 1.0, "{name}: {score} {without}");
            assert!(((1.0 - score) - (1.0 - without) * ratio).abs() < 1e-9, "{name}");
        }
    }
}
