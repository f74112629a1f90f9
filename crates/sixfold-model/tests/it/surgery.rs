//! Layers taken out or replaced, and checkpoints of what is left.

use std::path::PathBuf;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use sixfold_model::{
    Batch, CausalLm, Checkpoint, PaddingSide, Seed, SequenceClassifier, Site, Tap, Transformer,
    TransformerSpec,
};
use tempfile::{TempDir, tempdir};

fn stories() -> PathBuf {
    sixfold_testkit::repository().join("fixtures/models/stories260k")
}

fn batch() -> Batch {
    Batch::pad(&[vec![1, 403, 407, 261], vec![1, 5]], 0, PaddingSide::Right)
}

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The map x ↦ a·x + b.
fn multiple(d: usize, a: f32, b: f32, device: &Device) -> Linear {
    Linear {
        weight: Param::from_tensor(Tensor::<2>::eye(d, device) * a),
        bias: Some(Param::from_tensor(Tensor::<1>::full([d], b, device))),
    }
}

/// The residual stream after a layer.
struct After(usize, Option<Tensor<3>>);

impl Tap for After {
    fn wants(&self, site: Site) -> bool {
        site == Site::residual(self.0)
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        self.1 = Some(x.clone());
        x
    }
}

#[test]
fn an_identity_in_the_place_of_a_layer_is_the_layer_left_out() {
    let device = sixfold_model::device("flex").unwrap();
    let spec = TransformerSpec::decoder(500, 16, 4, 2);
    let model = Transformer::new(&spec, Seed::new(0), &device);
    let pruned = values(model.clone().without_layers(1..3).forward(&batch()).unwrap());
    let identity = multiple(16, 1.0, 0.0, &device);
    let replaced = model.clone().with_affine(1..3, identity);
    assert_eq!(replaced.spec().schedule, [0, 1, 2]);
    assert_eq!(replaced.spec().affine, [1]);
    assert!(distance(&pruned, &values(replaced.forward(&batch()).unwrap())) < 1e-6);
    assert!(distance(&pruned, &values(model.forward(&batch()).unwrap())) > 1e-3);
}

#[test]
fn the_map_acts_on_the_stream_before_its_layer() {
    let device = sixfold_model::device("flex").unwrap();
    let spec = TransformerSpec::encoder(500, 16, 3, 2);
    let model = Transformer::new(&spec, Seed::new(1), &device);
    let mut before = After(1, None);
    model.forward_with(&batch(), &mut before).unwrap();
    let replaced = model.with_affine(1..2, multiple(16, -2.0, 0.5, &device));
    let mut after = After(2, None);
    replaced.forward_with(&batch(), &mut after).unwrap();
    let expected = values(before.1.unwrap() * -2.0 + 0.5);
    assert!(distance(&expected, &values(after.1.unwrap())) < 1e-5);
}

#[test]
fn shared_blocks_stay_while_a_layer_uses_them() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(500, 16, 1, 2);
    spec.schedule = vec![0, 1, 0, 1];
    let model = Transformer::new(&spec, Seed::new(0), &device);
    let model = model.with_affine(0..1, multiple(16, 1.0, 0.0, &device));
    assert_eq!((model.spec().schedule.as_slice(), model.blocks.len()), (&[0, 1, 2, 1][..], 3));
    let model = model.without_layers(2..3);
    assert_eq!((model.spec().schedule.as_slice(), model.blocks.len()), (&[0, 1, 1][..], 2));
    assert_eq!(model.spec().affine, [0]);
    model.forward(&batch()).unwrap();
}

/// Writes, reads, and compares logits; the files are gone with the directory.
fn round_trip(checkpoint: &Checkpoint, model: &CausalLm, device: &Device) -> (Checkpoint, TempDir) {
    let dir = tempdir().unwrap();
    checkpoint.save(model, dir.path()).unwrap();
    let again = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(again.spec(), model.body.spec());
    let found = again.causal_lm(device).unwrap().forward(&batch()).unwrap();
    assert_eq!(values(found), values(model.forward(&batch()).unwrap()));
    (again, dir)
}

#[test]
fn a_pruned_model_is_a_checkpoint_of_its_family() {
    let device = sixfold_model::device("flex").unwrap();
    let checkpoint = Checkpoint::open(stories()).unwrap();
    let mut model = checkpoint.causal_lm(&device).unwrap();
    model.body = model.body.without_layers(1..3);
    let (again, _dir) = round_trip(&checkpoint, &model, &device);
    assert_eq!(again.config()["num_hidden_layers"], 3);
    assert_eq!(again.config()["model_type"], "llama");
    assert!(!again.config().contains_key("sixfold_schedule"));
}

#[test]
fn a_replaced_layer_is_read_again_and_hidden_from_others() {
    let device = sixfold_model::device("flex").unwrap();
    let checkpoint = Checkpoint::open(stories()).unwrap();
    let mut model = checkpoint.causal_lm(&device).unwrap();
    let d = model.body.spec().d_model;
    model.body = model.body.with_affine(1..3, multiple(d, 1.5, 0.25, &device));
    let (again, _dir) = round_trip(&checkpoint, &model, &device);
    assert_eq!(again.config()["model_type"], "sixfold-llama");
    assert_eq!(again.family(), "llama");
    // And once more, from the changed checkpoint.
    let mut model = again.causal_lm(&device).unwrap();
    model.body = model.body.without_layers(0..1);
    round_trip(&again, &model, &device);
}

#[test]
fn keys_that_contradict_themselves_are_named() {
    let checkpoint = Checkpoint::open(stories()).unwrap();
    for (key, value, expected) in [
        ("sixfold_schedule", serde_json::json!([0, 2]), "no layer uses block 1"),
        ("sixfold_affine", serde_json::json!([7]), "affine blocks [7] of 5"),
        ("sixfold_affine", serde_json::json!("all"), "expected a list of numbers"),
        ("sixfold_windows", serde_json::json!([null]), "1 windows for 5 layers"),
    ] {
        let mut config = checkpoint.config().clone();
        config.insert(key.to_owned(), value);
        let opened = Checkpoint::from_config(stories(), config, &Default::default());
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("config.json") && error.contains(expected), "{error}");
    }
}

#[test]
#[should_panic(expected = "scaled by the number of its layer")]
fn a_model_that_counts_its_layers_cannot_lose_one() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(500, 16, 3, 2);
    spec.attention.scale_by_layer = true;
    let _ = Transformer::new(&spec, Seed::new(0), &device).without_layers(0..1);
}

#[test]
fn a_classifier_keeps_its_head() {
    let device = sixfold_model::device("flex").unwrap();
    let checkpoint = Checkpoint::open(stories()).unwrap();
    let mut model: SequenceClassifier = checkpoint.init_classifier(Seed::new(0), &device);
    model.body = model.body.without_layers(4..5);
    let dir = tempdir().unwrap();
    checkpoint.save(&model, dir.path()).unwrap();
    let again = Checkpoint::open(dir.path()).unwrap().classifier(Seed::new(1), &device).unwrap();
    let logits = |model: &SequenceClassifier| -> Vec<f32> {
        model.forward(&batch()).unwrap().into_data().iter::<f32>().collect()
    };
    assert_eq!(logits(&model), logits(&again));
}
