//! Encoder–decoders: against `transformers`, decoding, search, structure, training.

mod decoding;
mod golden;
mod search;
mod structure;
mod training;

use burn::tensor::{Device, Tensor};
use sixfold_model::{Batch, Seed, Seq2Seq, Seq2SeqSpec};

/// A small model of the paper's kind, without dropout.
fn small_spec(vocab: usize) -> Seq2SeqSpec {
    let mut spec = Seq2SeqSpec::translation(vocab, 16, 2, 4);
    spec.encoder.dropout = 0.0;
    spec.decoder.dropout = 0.0;
    spec
}

/// A model whose random weights are large enough that its choices vary.
fn lively(spec: &Seq2SeqSpec, seed: u64, device: &Device) -> Seq2Seq {
    struct Louder;
    impl burn::module::ModuleMapper for Louder {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<D>>,
        ) -> burn::module::Param<Tensor<D>> {
            // Gains and offsets stay; matrices go from a deviation of 0.02 to one of 0.3.
            if D == 2 { param.map(|value| value * 15.0) } else { param }
        }
    }
    use burn::module::Module;
    Seq2Seq::new(spec, Seed::new(seed), device).map(&mut Louder)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The log-probability of a target of a source, by teacher forcing.
fn log_prob(model: &Seq2Seq, source: &Batch, target: &[u32]) -> f64 {
    let target = Batch::from_parts(1, target.to_vec(), vec![true; target.len()]).unwrap();
    let mean = values(model.loss(source, &target).unwrap())[0];
    -f64::from(mean) * target.len() as f64
}
