//! A model whose token table was swapped for a tensor train: it trains, is saved and loaded, and becomes a dense
//! checkpoint again.

use burn::module::Module;
use burn::tensor::Tensor;
use sixfold_model::train::{ParamGroups, TrainCheckpoint, Trainer, TrainerConfig};
use sixfold_model::{Batch, CausalLm, Checkpoint, PaddingSide, Seed};
use sixfold_tensor_train::{Initializer, Order, TtEmbedding, TtEmbeddingConfig, TtShape};

use crate::started::REPO;

fn swapped(checkpoint: &Checkpoint, seed: u64) -> CausalLm<TtEmbedding> {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let model = checkpoint.causal_lm(&device).unwrap();
    let spec = checkpoint.spec();
    let shape = TtShape::planned(spec.vocab_size, spec.d_embed, 3, 8).unwrap();
    // An order and padding, so that they are seen to come through.
    let order: Vec<u32> = (0..spec.vocab_size as u32).rev().collect();
    let config = TtEmbeddingConfig::new(shape)
        .with_initializer(Initializer::Std(0.05))
        .with_padding_idx(0)
        .with_order(Order::from_permutation(order).unwrap());
    let train = config.init(Seed::new(seed), &device).unwrap();
    CausalLm { body: model.body.map_embedding(|_| train), head: model.head }
}

fn flat(scores: Tensor<3>) -> Vec<f32> {
    scores.into_data().try_to_vec().unwrap()
}

#[test]
fn it_trains_and_is_the_same_after_saving_and_as_a_dense_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::open(format!("{REPO}/fixtures/models/stories260k")).unwrap();
    let batch = Batch::pad(&[(3..40).collect()], 0, PaddingSide::Right);
    let config = TrainerConfig {
        batch_size: 1,
        max_steps: Some(12),
        peak_lr: 5e-3,
        warmup_ratio: 0.0,
        ..TrainerConfig::default()
    };
    let model = swapped(&checkpoint, 0);
    let kept = dir.path().join("training");
    let mut trainer = Trainer::new(model, 1, &config, &ParamGroups::default())
        .unwrap()
        .with_checkpoints(&kept, 0);
    let before = trainer.model().loss(&batch).unwrap().into_scalar::<f32>();
    let mut loss = |model: &CausalLm<TtEmbedding>, _: &[usize]| model.loss(&batch);
    let _ = trainer.run(&mut loss, &mut ()).unwrap();
    let model = trainer.into_model().valid();
    let after = model.loss(&batch).unwrap().into_scalar::<f32>();
    assert!(after < 0.8 * before, "{before} before, {after} after");
    let scores = flat(model.forward(&batch).unwrap());

    let saved = TrainCheckpoint::open(&kept).unwrap().expect("kept at the end");
    let loaded = saved.load_parameters(swapped(&checkpoint, 1)).unwrap().valid();
    assert_eq!(flat(loaded.forward(&batch).unwrap()), scores);

    let dense =
        CausalLm { body: loaded.body.map_embedding(|train| train.to_dense()), head: loaded.head };
    let exported = dir.path().join("dense");
    checkpoint.save(&dense, &exported).unwrap();
    let device = sixfold_model::device("flex").unwrap();
    let again = Checkpoint::open(&exported).unwrap().causal_lm(&device).unwrap();
    let table = again.body.embed.tokens.weight.val();
    assert!(table.narrow(0, 0, 1).abs().max().into_scalar::<f32>() < f32::MIN_POSITIVE);
    // The row of padding was not that of the cores, which scored it.
    let vocab = checkpoint.spec().vocab_size;
    let found = flat(again.forward(&batch).unwrap());
    for (at, (found, expected)) in found.iter().zip(&scores).enumerate() {
        let expected = if at % vocab == 0 { 0.0 } else { *expected };
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected} at {at}");
    }
}
