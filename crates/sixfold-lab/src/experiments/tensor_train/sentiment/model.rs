//! The classifier around a table: a bidirectional LSTM, the maximum over a text, two scores.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor, TensorData};
use sixfold_model::{Batch, Dropout, Projection, Seed, TokenEmbedding, ops};

use super::super::tables::{Tables, uniform};

/// One way through a text.
#[derive(Module, Debug)]
struct Direction {
    /// To the four gates, with their bias.
    input: Linear,
    /// From state to gates, `[d, 4·d]`.
    recurrent: Param<Tensor<2>>,
}

/// A classifier of texts.
#[derive(Module, Debug)]
pub(super) struct Classifier {
    pub(super) tables: Tables,
    forwards: Direction,
    backwards: Direction,
    head: Linear,
    dropout: Dropout,
}

impl Direction {
    fn new(d_in: usize, d: usize, seed: Seed, device: &Device) -> Self {
        let width = 4 * d;
        Self {
            input: Linear {
                weight: uniform([d_in, width], d, seed, "input.weight", device),
                bias: Some(uniform([width], d, seed, "input.bias", device)),
            },
            recurrent: uniform([d, width], d, seed, "recurrent", device),
        }
    }

    /// The states after each word. Where the mask is 0 the gates get nothing from outside: a
    /// state of zeros stays so, and a text begins from zeros whatever it is filled up with.
    fn states(&self, vectors: Tensor<3>, mask: Tensor<3>, backwards: bool) -> Tensor<3> {
        let outside = self.input.project(vectors) * mask;
        ops::lstm(outside, self.recurrent.val(), backwards)
    }
}

impl Classifier {
    pub(super) fn new(
        tables: Tables,
        d_hidden: usize,
        dropout: f64,
        seed: Seed,
        device: &Device,
    ) -> Self {
        let direction =
            |name: &str| Direction::new(tables.d_embed(), d_hidden, seed.derive(name), device);
        let (forwards, backwards) = (direction("forwards"), direction("backwards"));
        let d = 2 * d_hidden;
        let head = Linear {
            weight: uniform([d, 2], d, seed, "head.weight", device),
            bias: Some(uniform([2], d, seed, "head.bias", device)),
        };
        Self { tables, forwards, backwards, head, dropout: Dropout::new(dropout) }
    }

    /// The same over other tables.
    pub(super) fn with_tables(self, tables: Tables) -> Self {
        Self { tables, ..self }
    }

    /// Scores of the two classes, `[texts, 2]`, of texts that are filled up on the right.
    pub(super) fn forward(&self, batch: &Batch, device: &Device) -> Tensor<2> {
        let (rows, len) = (batch.rows(), batch.len());
        // Steps before texts: what the recurrence takes lies together.
        let at = |step: usize, row: usize| row * len + step;
        let places = || (0..len).flat_map(|step| (0..rows).map(move |row| at(step, row)));
        let ids: Vec<i32> = places().map(|place| batch.ids()[place] as i32).collect();
        let kept: Vec<f32> = places().map(|p| f32::from(u8::from(batch.mask()[p]))).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [len, rows]), device);
        let mask = Tensor::<3>::from_data(TensorData::new(kept, [len, rows, 1]), device);

        let vectors = self.dropout.forward(self.tables.embed(ids));
        let forwards = self.forwards.states(vectors.clone(), mask.clone(), false);
        let backwards = self.backwards.states(vectors, mask.clone(), true);
        let states = Tensor::cat(vec![forwards, backwards], 2);
        // States are above −1: what is outside a text is never the maximum.
        let outside = (mask - 1.0) * 2.0;
        let pooled = (states + outside).max_dim(0).squeeze_dim::<2>(0);
        self.head.project(self.dropout.forward(pooled))
    }
}

#[cfg(test)]
mod tests {
    use sixfold_model::PaddingSide;

    use super::super::super::tables::Recipe;
    use super::*;

    #[test]
    fn what_fills_a_batch_up_changes_nothing() {
        let device = sixfold_model::device("flex").unwrap();
        let recipe = Recipe { vocab: 50, d_embed: 8, cores: 2, rank: 2, std: 1.0 };
        let seed = Seed::new(3);
        let tables = recipe.tables("tt".parse().unwrap(), false, seed, &device).unwrap();
        let model = Classifier::new(tables, 6, 0.5, seed, &device);
        let of = |texts: &[Vec<u32>]| {
            let batch = Batch::pad(texts, 0, PaddingSide::Right);
            model.forward(&batch, &device).into_data().try_to_vec::<f32>().unwrap()
        };
        let (short, long) = (vec![5, 9, 7], vec![11, 4, 8, 30, 22, 41, 3]);
        let together = of(&[short.clone(), long.clone()]);
        let alone = [of(&[short]), of(&[long])].concat();
        assert!(together.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!((together[0] - together[2]).abs() > 1e-4, "texts differ");
    }
}
