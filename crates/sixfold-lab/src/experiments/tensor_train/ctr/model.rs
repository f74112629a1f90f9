//! The model around a table: bags of categories, whole numbers, and a multi-layer perceptron.

use anyhow::Result;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use sixfold_model::{Dropout, Projection, Seed};
use sixfold_tensor_train::{BagMode, TtEmbeddingBag};

use super::super::tables::{Table, uniform};
use super::training::Row;
use crate::data::clicks::{COUNTS, FIELDS};

/// A table under bags: what is not known is an empty one, and 0.
#[derive(Module, Debug)]
enum Bags {
    Train(TtEmbeddingBag),
    Other(Table),
}

/// A model of how likely a click is.
#[derive(Module, Debug)]
pub(super) struct Clicker {
    bags: Bags,
    layers: Vec<Linear>,
    dropout: Dropout,
}

impl Clicker {
    pub(super) fn new(
        table: Table,
        [d_embed, dropout]: [f64; 2],
        d_hidden: &[usize],
        seed: Seed,
        device: &Device,
    ) -> Self {
        let mut widths = vec![COUNTS + FIELDS * d_embed as usize];
        widths.extend(d_hidden);
        widths.push(1);
        let layer = |(k, pair): (usize, &[usize])| {
            let (d_in, d_out) = (pair[0], pair[1]);
            let seed = seed.derive(&format!("layers.{k}"));
            Linear {
                weight: uniform([d_in, d_out], d_in, seed, "weight", device),
                bias: Some(uniform([d_out], d_in, seed, "bias", device)),
            }
        };
        let layers = widths.windows(2).enumerate().map(layer).collect();
        let bags = match table {
            Table::Train(table) => Bags::Train(TtEmbeddingBag::new(table, BagMode::Sum)),
            other => Bags::Other(other),
        };
        Self { bags, layers, dropout: Dropout::new(dropout) }
    }

    /// Logits of a click, `[rows]`.
    ///
    /// # Errors
    /// A category that the table has no row for.
    pub(super) fn forward(&self, rows: &[&Row], device: &Device) -> Result<Tensor<1>> {
        let n = rows.len();
        let counts: Vec<f32> = rows.iter().flat_map(|row| row.counts).collect();
        let counts = Tensor::<2>::from_data(TensorData::new(counts, [n, COUNTS]), device);
        let fields = self.bags.vectors(rows, device)?;
        let width = fields.dims()[1] * FIELDS;
        let mut x = Tensor::cat(vec![counts, fields.reshape([n, width])], 1);
        for (k, layer) in self.layers.iter().enumerate() {
            x = layer.project(x);
            if k + 1 < self.layers.len() {
                x = self.dropout.forward(relu(x));
            }
        }
        Ok(x.reshape([n]))
    }
}

impl Bags {
    /// The vectors of all fields, `[rows · fields, d]`.
    fn vectors(&self, rows: &[&Row], device: &Device) -> Result<Tensor<2>> {
        let fields = || rows.iter().flat_map(|row| row.fields);
        match self {
            Self::Train(bags) => {
                let known: Vec<i32> = fields().flatten().map(|id| id as i32).collect();
                let mut begin = 0;
                let offsets = fields().map(|field| {
                    let this = begin;
                    begin += i32::from(field.is_some());
                    this
                });
                let int = |values: Vec<i32>| {
                    let n = values.len();
                    Tensor::<1, Int>::from_data(TensorData::new(values, [n]), device)
                };
                Ok(bags.forward(int(known), int(offsets.collect()), None)?)
            }
            Self::Other(table) => {
                use sixfold_model::TokenEmbedding;
                let n = rows.len() * FIELDS;
                let ids: Vec<i32> = fields().map(|field| field.unwrap_or(0) as i32).collect();
                let known: Vec<f32> = fields().map(|f| f32::from(u8::from(f.is_some()))).collect();
                let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, n]), device);
                let known = Tensor::<2>::from_data(TensorData::new(known, [n, 1]), device);
                let vectors = table.embed(ids);
                let width = vectors.dims()[2];
                Ok(vectors.reshape([n, width]) * known)
            }
        }
    }
}
