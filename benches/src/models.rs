//! Models of known shapes and inputs of known sizes.

use sixfold_model::{
    Activation, Batch, ClassifierSpec, PaddingSide, Pooling, Seed, TransformerSpec,
};

/// An encoder of MiniLM's shape: 6 layers of 384 with 12 heads.
pub fn minilm() -> TransformerSpec {
    TransformerSpec::encoder(30_522, 384, 6, 12)
}

/// An encoder of BERT-base's shape: 12 layers of 768 with 12 heads.
pub fn bert_base() -> TransformerSpec {
    TransformerSpec::encoder(30_522, 768, 12, 12)
}

/// A decoder of the embedded model's shape: 5 layers of 64 with 8 heads.
pub fn stories() -> TransformerSpec {
    let mut spec = TransformerSpec::decoder(512, 64, 5, 8);
    spec.mlp.d_hidden = 172;
    spec
}

/// BERT's head for two classes: a dense layer over the first token, then the scores.
pub fn two_classes() -> ClassifierSpec {
    ClassifierSpec {
        n_classes: 2,
        pooling: Pooling::First,
        dense: Some(Activation::Tanh),
        bias: true,
        dropout: 0.0,
    }
}

/// Full sequences of random tokens.
pub fn batch(rows: usize, len: usize, vocab: usize) -> Batch {
    use rand::Rng;
    let mut rng = Seed::new(0).stream("bench");
    let row = |_| (0..len).map(|_| (rng.next_u64() % vocab as u64) as u32).collect();
    Batch::pad(&(0..rows).map(row).collect::<Vec<_>>(), 0, PaddingSide::Right)
}
