//! An embedding table of any form, and a pair of them.

use burn::module::{Module, Param};
use burn::nn::Embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_distr::{Distribution, Normal, Uniform};
use sixfold_model::{Seed, TokenEmbedding};
use sixfold_tensor_train::baselines::{
    HashEmbedding, LowRankEmbedding, QuotientRemainderEmbedding,
};
use sixfold_tensor_train::{
    Initializer, QuantisedCores, Result, TtEmbedding, TtEmbeddingConfig, TtShape,
};

use super::{Choice, Form};

/// What all tables of a comparison have in common.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Recipe {
    /// V.
    pub(in super::super) vocab: usize,
    /// D.
    pub(in super::super) d_embed: usize,
    /// Cores of trains and rings.
    pub(in super::super) cores: usize,
    /// The rank of trains and rings whose name says none; tables of other forms with a free size
    /// have no more parameters than such a train.
    pub(in super::super) rank: usize,
    /// Standard deviation of the entries of each table at first.
    pub(in super::super) std: f64,
}

impl Recipe {
    /// The shape of a train.
    ///
    /// # Errors
    /// Factors or ranks that cannot be.
    pub(in super::super) fn train(&self, rank: usize) -> Result<TtShape> {
        TtShape::planned(self.vocab, self.d_embed, self.cores, rank)
    }

    /// The shape of a ring.
    fn ring(&self, rank: usize) -> Result<TtShape> {
        let train = self.train(rank)?;
        TtShape::ring(self.vocab, train.rows(), train.columns(), rank)
    }

    /// Random tables of a form: one where it is tied, and else one to read and, for models that
    /// have `heads`, another to score with.
    ///
    /// # Errors
    /// A shape that cannot be.
    pub(in super::super) fn tables(
        &self,
        choice: Choice,
        heads: bool,
        seed: Seed,
        device: &Device,
    ) -> Result<Tables> {
        let read = self.table(choice, seed.derive("read"), device)?;
        let scored = match heads && !choice.tied {
            true => Some(self.table(choice, seed.derive("scored"), device)?),
            false => None,
        };
        Ok(Tables { read, scored })
    }

    /// One random table.
    ///
    /// # Errors
    /// A shape that cannot be.
    pub(in super::super) fn table(
        &self,
        choice: Choice,
        seed: Seed,
        device: &Device,
    ) -> Result<Table> {
        let size = [self.vocab, self.d_embed];
        let rank = choice.rank.unwrap_or(self.rank);
        let trained = |shape| {
            let initializer = Initializer::Std(self.std);
            TtEmbeddingConfig::new(shape).with_initializer(initializer).init(seed, device)
        };
        let budget = || self.train(self.rank).map(|shape| shape.parameters());
        Ok(match choice.form {
            Form::Dense => Table::Dense(dense(size, self.std, seed, device)),
            Form::Train => Table::Train(trained(self.train(rank)?)?),
            Form::Ring => Table::Train(trained(self.ring(rank)?)?),
            Form::LowRank => {
                let rank = match choice.rank {
                    Some(rank) => rank,
                    None => LowRankEmbedding::rank_within(size, budget()?),
                };
                Table::LowRank(LowRankEmbedding::new(size, rank, self.std, seed, device))
            }
            Form::QuotientRemainder => {
                // The divisor at which it is smallest: it cannot be as small as a train.
                let divisor = (self.vocab as f64).sqrt().ceil() as usize;
                let table = QuotientRemainderEmbedding::new(size, divisor, self.std, seed, device);
                Table::QuotientRemainder(table)
            }
            Form::Hash => {
                let buckets = HashEmbedding::buckets_within(size, budget()?);
                Table::Hash(HashEmbedding::new(size, buckets, self.std, seed, device))
            }
        })
    }
}

/// A dense table of normal numbers.
fn dense(shape: [usize; 2], std: f64, seed: Seed, device: &Device) -> Embedding {
    let normal = Normal::new(0.0_f64, std).expect("a finite, positive deviation");
    let draws = normal.sample_iter(seed.derive("init").stream("weight"));
    let values: Vec<f32> = draws.take(shape[0] * shape[1]).map(|value| value as f32).collect();
    let weight = Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device));
    Embedding { weight }
}

/// Numbers between ±1/√d, as PyTorch begins LSTMs and linear layers.
pub(in super::super) fn uniform<const D: usize>(
    shape: [usize; D],
    d: usize,
    seed: Seed,
    name: &str,
    device: &Device,
) -> Param<Tensor<D>> {
    let bound = (d as f32).sqrt().recip();
    let range = Uniform::new_inclusive(-bound, bound).expect("an interval");
    let draws = range.sample_iter(seed.derive("init").stream(name));
    let values: Vec<f32> = draws.take(shape.iter().product()).collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// A table of any form.
#[derive(Module, Debug)]
pub(in super::super) enum Table {
    Dense(Embedding),
    Train(TtEmbedding),
    LowRank(LowRankEmbedding),
    QuotientRemainder(QuotientRemainderEmbedding),
    Hash(HashEmbedding),
}

/// Does the same with the table of whichever form it is.
macro_rules! of {
    ($table:expr, $name:ident => $value:expr) => {
        match $table {
            Table::Dense($name) => $value,
            Table::Train($name) => $value,
            Table::LowRank($name) => $value,
            Table::QuotientRemainder($name) => $value,
            Table::Hash($name) => $value,
        }
    };
}

impl TokenEmbedding for Table {
    fn vocab_size(&self) -> usize {
        of!(self, table => table.vocab_size())
    }

    fn d_embed(&self) -> usize {
        of!(self, table => table.d_embed())
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        of!(self, table => table.embed(ids))
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        of!(self, table => table.logits(h))
    }

    fn cross_entropy(&self, h: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        of!(self, table => table.cross_entropy(h, targets))
    }
}

/// A table that is read, and the one that scores, where it is another.
#[derive(Module, Debug)]
pub(in super::super) struct Tables {
    read: Table,
    scored: Option<Table>,
}

impl Tables {
    fn scored(&self) -> &Table {
        self.scored.as_ref().unwrap_or(&self.read)
    }

    /// Parameters of all of them.
    pub(in super::super) fn parameters(&self) -> usize {
        self.num_params()
    }

    /// The same with the cores of trains in 8 bits; none for other forms.
    ///
    /// # Errors
    /// Cores that are not finite.
    pub(in super::super) fn in_eight_bits(&self, device: &Device) -> Result<Option<Self>> {
        let of = |table: &Table| -> Result<Option<Table>> {
            match table {
                Table::Train(table) => {
                    let cores = QuantisedCores::int8(&table.to_cores())?.dequantise();
                    Ok(Some(Table::Train(TtEmbedding::from_cores(&cores, device))))
                }
                _ => Ok(None),
            }
        };
        let scored = self.scored.as_ref().map(of).transpose()?;
        Ok(of(&self.read)?.map(|read| Self { read, scored: scored.flatten() }))
    }

    /// How many times fewer parameters than one dense table has.
    pub(in super::super) fn compression(&self) -> f64 {
        (self.vocab_size() * self.d_embed()) as f64 / self.parameters() as f64
    }
}

impl TokenEmbedding for Tables {
    fn vocab_size(&self) -> usize {
        self.read.vocab_size()
    }

    fn d_embed(&self) -> usize {
        self.read.d_embed()
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.read.embed(ids)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        self.scored().logits(h)
    }

    fn cross_entropy(&self, h: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.scored().cross_entropy(h, targets)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    const RECIPE: Recipe = Recipe { vocab: 1_000, d_embed: 16, cores: 3, rank: 8, std: 0.1 };

    fn device() -> Device {
        sixfold_model::device("flex").unwrap()
    }

    #[test]
    fn tables_of_all_forms_begin_alike_and_score_what_they_hold() {
        let device = device();
        let budget = RECIPE.train(8).unwrap().parameters();
        for name in ["dense", "tt", "tr", "low-rank", "quotient-remainder", "hash"] {
            let choice = name.parse().unwrap();
            let table = RECIPE.table(choice, Seed::new(1), &device).unwrap();
            let ids: Vec<i32> = (0..1_000).collect();
            let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, 1_000]), &device);
            let rows = table.embed(ids).reshape([1_000, 16]);
            let std = rows.clone().var(0).mean().sqrt().into_scalar::<f32>();
            assert!((0.07..0.13).contains(&std), "{name}: {std}");
            let h = Tensor::<2>::random([3, 16], Distribution::Default, &device);
            let gap = table.logits(h.clone()) - h.matmul(rows.transpose());
            assert!(gap.abs().max().into_scalar::<f32>() < 1e-5, "{name}");
            if matches!(choice.form, Form::Train | Form::LowRank | Form::Hash) {
                let free = if choice.form == Form::Hash { 2 * 1_000 + 16 } else { 0 };
                assert!(table.num_params() <= budget.max(free), "{name}");
            }
        }
    }

    #[test]
    fn two_tables_are_two_and_a_tied_one_is_one() {
        let of = |name: &str, heads| {
            let choice = name.parse().unwrap();
            RECIPE.tables(choice, heads, Seed::new(1), &device()).unwrap()
        };
        assert_eq!(of("dense", true).parameters(), 2 * 16_000);
        let [one, two] = [of("tt-4-tied", true), of("tt-4", true)];
        assert_eq!(2 * one.parameters(), two.parameters());
        assert_eq!(one.parameters(), of("tt-4", false).parameters());
        assert!((one.compression() - 16_000.0 / one.parameters() as f64).abs() < 1e-9);
        let h = Tensor::<2>::ones([1, 16], &device());
        let gap = two.logits(h.clone()) - one.logits(h);
        assert!(gap.abs().max().into_scalar::<f32>() > 1e-3, "scores come from the other table");
    }
}
