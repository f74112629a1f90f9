//! What a method trains of a model, and the bytes that the planner expects of it.

use std::collections::BTreeMap;

use sixfold_model::train::Patterns;
use sixfold_sparsegrad::config::{BasisKind, Mode, Policy, Realisation, Sharing};
use sixfold_sparsegrad::memory::{self, Form, Kept, MatrixShape, Plan, Workload};
use sixfold_sparsegrad::{Adaptable, SparseAdamConfig, SparseGradConfig};

use super::methods::{BasisName, Method};

/// What all methods of a comparison have in common.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// Patterns of the adapted matrices.
    pub(super) targets: Vec<String>,
    /// Patterns of what every method trains besides: the head of a task.
    pub(super) head: Vec<String>,
    /// Whether every method trains all but the adapted matrices, densely, as in the paper.
    pub(super) train_rest: bool,
    /// Entries trained, of all of a matrix.
    pub(super) fraction: f64,
    /// Coordinates kept, among which entries are chosen; as few as the fraction needs where absent.
    pub(super) rank: Option<usize>,
    /// The basis of SparseGrad itself.
    pub(super) basis: BasisName,
    /// Batches of the calibration.
    pub(super) calibration_batches: usize,
    /// Seed of what is drawn.
    pub(super) seed: u64,
}

/// A method with its settings.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few of them in a run")]
pub(super) enum Way {
    /// All parameters.
    Full,
    /// LoRA.
    Lora,
    /// Largest entries of the gradient of each output row.
    MeProp,
    /// Entries of a core.
    Sparse(Sparse),
}

/// Entries of a core, with what the crate's own settings do not say.
#[derive(Clone, Debug)]
pub(super) struct Sparse {
    pub(super) config: SparseGradConfig,
    pub(super) adam: SparseAdamConfig,
    /// Whether the side of the inputs is transposed, with entries chosen after that.
    pub(super) transposed: bool,
}

impl Common {
    /// The settings of SparseGrad in place.
    pub(super) fn sparse(&self) -> Sparse {
        let config = SparseGradConfig {
            targets: self.targets.clone(),
            fraction: self.fraction,
            rank: self.rank,
            // Of more coordinates than it takes, entries are chosen.
            selection: if self.rank.is_some() { Policy::TopK } else { Policy::All },
            calibration_batches: self.calibration_batches,
            realisation: Realisation::InPlace,
            seed: self.seed,
            ..SparseGradConfig::default()
        };
        let adam = SparseAdamConfig::default();
        Sparse { config, adam, transposed: false }
    }

    /// A method with its settings.
    pub(super) fn way(&self, method: Method, shapes: &[[usize; 2]]) -> Way {
        let sparse = self.sparse();
        let original = |mode: Mode, adam: SparseAdamConfig| {
            // The paper's bases are full.
            let config = SparseGradConfig { mode, rank: None, ..sparse.config.clone() };
            Way::Sparse(Sparse { config, adam, transposed: false })
        };
        let torch = SparseAdamConfig::torch();
        match method {
            Method::Full => Way::Full,
            Method::Lora => Way::Lora,
            Method::MeProp => Way::MeProp,
            Method::LoraXs => {
                let mut way = sparse.on(BasisName::WeightSvd);
                way.config.rank = Some(self.core_rank(shapes));
                way.config.selection = Policy::All;
                way.config.realisation = Realisation::Adapter;
                Way::Sparse(way)
            }
            Method::MePropPaper => {
                let mut way = sparse.on(BasisName::Identity);
                way.config.selection = Policy::Dynamic;
                Way::Sparse(way)
            }
            Method::SparseGrad => Way::Sparse(sparse.on(self.basis)),
            Method::SparseGradAdapter => {
                let mut way = sparse.on(self.basis);
                way.config.realisation = Realisation::Adapter;
                Way::Sparse(way)
            }
            Method::SparseGradShared => Way::Sparse(sparse.on(BasisName::Shared)),
            Method::SparseGradPaper => original(Mode::Paper, sparse.adam.clone()),
            Method::SparseGradReference => original(Mode::Reference, torch),
            Method::RandomBasis => Way::Sparse(sparse.on(BasisName::Random)),
            Method::IdentityBasis => Way::Sparse(sparse.on(BasisName::Identity)),
        }
    }

    /// The rank of a square core with nearest to k entries.
    fn core_rank(&self, shapes: &[[usize; 2]]) -> usize {
        let [d_in, d_out] = shapes.first().copied().unwrap_or([1, 1]);
        let rank = (self.k_of([d_in, d_out]) as f64).sqrt().round() as usize;
        rank.clamp(1, d_in.min(d_out))
    }

    /// Entries that SparseGrad trains of a matrix, k: what the others are sized by.
    pub(super) fn k_of(&self, [d_in, d_out]: [usize; 2]) -> usize {
        self.sparse().config.k_of(d_in, d_out)
    }

    /// The rank of a LoRA with nearest to k parameters.
    pub(super) fn lora_rank(&self, [d_in, d_out]: [usize; 2]) -> usize {
        let rank = self.k_of([d_in, d_out]) as f64 / (d_in + d_out) as f64;
        (rank.round() as usize).clamp(1, d_in.min(d_out))
    }

    /// Entries of the gradient of an output row that MeProp keeps: the same fraction.
    pub(super) fn meprop_k(&self, d_out: usize) -> usize {
        ((self.fraction * d_out as f64).round() as usize).clamp(1, d_out)
    }

    /// The adapted matrices of a model: `[d_in, d_out]` by path.
    pub(super) fn adapted<M: Adaptable>(
        &self,
        model: &M,
    ) -> sixfold_model::Result<BTreeMap<String, [usize; 2]>> {
        let targets = Patterns::new(&self.targets)?;
        let mut found = BTreeMap::new();
        model.visit_projections(&mut |path, linear| {
            if targets.matches(path) {
                found.insert(path.to_owned(), linear.weight.lazy_shape().dims());
            }
        });
        Ok(found)
    }
}

impl Sparse {
    /// The same in other coordinates.
    pub(super) fn on(mut self, basis: BasisName) -> Self {
        let config = &mut self.config;
        (config.basis, config.sharing) = match basis {
            BasisName::Shared | BasisName::ReferenceTransposed => {
                (BasisKind::Gradients, Sharing::Type)
            }
            BasisName::Paired => (BasisKind::Gradients, Sharing::Blocks(2)),
            BasisName::PerLayer => (BasisKind::Gradients, Sharing::Blocks(1)),
            BasisName::WeightSvd => (BasisKind::Weights, Sharing::Blocks(1)),
            BasisName::Random => (BasisKind::Random, Sharing::Blocks(2)),
            BasisName::Identity => (BasisKind::Identity, Sharing::Type),
        };
        if basis == BasisName::Identity {
            // All of the features would be all of the matrix.
            config.selection = Policy::TopK;
        }
        self.transposed = basis == BasisName::ReferenceTransposed;
        if self.transposed {
            // Only a whole side can be transposed.
            config.rank = Some(usize::from(u16::MAX));
            config.selection = Policy::TopK;
        }
        self
    }
}

impl Way {
    /// Whether the rest of the model is trained as well.
    pub(super) fn trains_rest(&self, common: &Common) -> bool {
        match self {
            Self::Full => true,
            Self::Sparse(sparse) => common.train_rest || sparse.config.mode != Mode::Default,
            Self::Lora | Self::MeProp => common.train_rest,
        }
    }

    /// What the planner says. `rest` are the parameters beside the matrices, of which `head` are trained
    /// in any case; `touched` are the entries of a matrix that have moments where they change.
    pub(super) fn plan(
        &self,
        common: &Common,
        adapted: &BTreeMap<String, [usize; 2]>,
        [rest, head]: [usize; 2],
        tokens: usize,
        touched: Option<usize>,
    ) -> sixfold_sparsegrad::Result<Plan> {
        let matrices = adapted.iter().map(|(path, shape)| {
            let group = match self {
                Self::Sparse(sparse) => sparse.config.sharing().name(path),
                _ => path.clone(),
            };
            MatrixShape::new(path.clone(), *shape, group)
        });
        let trained = self.trains_rest(common);
        let work = Workload {
            matrices: matrices.collect(),
            rest,
            rest_trained: trained,
            tokens,
            ..Workload::default()
        };
        let shape = adapted.values().next().copied().unwrap_or([1, 1]);
        let mut plan = match self {
            Self::Full => work.plan(memory::Method::Full)?,
            Self::Lora => work.plan(memory::Method::Lora { rank: common.lora_rank(shape) })?,
            Self::MeProp => work.plan(memory::Method::MeProp)?,
            Self::Sparse(sparse) => sparse.plan(&work, shape, touched)?,
        };
        if !trained {
            plan.gradients += 4 * head;
            plan.moments += 8 * head;
        }
        Ok(plan)
    }
}

impl Sparse {
    fn plan(
        &self,
        work: &Workload,
        [d_in, d_out]: [usize; 2],
        touched: Option<usize>,
    ) -> sixfold_sparsegrad::Result<Plan> {
        let Self { config, adam, .. } = self;
        let k = config.k_of(d_in, d_out);
        let [r_in, r_out] = config.core_of(d_in, d_out);
        let xs = config.basis == BasisKind::Weights && config.selection == Policy::All;
        if config.is_dynamic() {
            let touched = Kept::Entries(touched.unwrap_or(adam.cap_of(k)).min(d_in * d_out));
            let (kept, entry_bytes) = (Kept::Entries(k), adam.bytes_per_entry());
            let mut plan = work.plan(memory::Method::Dynamic { kept, touched, entry_bytes })?;
            if config.basis == BasisKind::Identity {
                plan.bases = 0;
            }
            return Ok(plan);
        }
        if xs {
            return work.plan(memory::Method::LoraXs { rank: r_in });
        }
        let form = match config.realisation {
            Realisation::Adapter => Form::Adapter,
            Realisation::InPlace => Form::InPlace,
        };
        // The sides of matrices differ, and the planner wants ranks that fit them all: whole sides go one by one.
        let kept = if k == r_in * r_out { Kept::Core } else { Kept::Entries(k) };
        let mut total = Plan::default();
        let mut groups = Vec::new();
        for matrix in &work.matrices {
            let [r_in, r_out] = config.core_of(matrix.d_in, matrix.d_out);
            let one = Workload { matrices: vec![matrix.clone()], rest: 0, ..work.clone() };
            let mut plan = one.plan(memory::Method::Sparse { form, r_in, r_out, kept })?;
            let again = groups.contains(&&matrix.group);
            groups.push(&matrix.group);
            if again || config.basis == BasisKind::Identity {
                plan.bases = 0;
            }
            total = sum(total, plan);
        }
        let none = Workload { matrices: Vec::new(), ..work.clone() };
        Ok(sum(total, none.plan(memory::Method::Sparse { form, r_in: 1, r_out: 1, kept })?))
    }
}

fn sum(a: Plan, b: Plan) -> Plan {
    Plan {
        weights: a.weights + b.weights,
        gradients: a.gradients + b.gradients,
        moments: a.moments + b.moments,
        indices: a.indices + b.indices,
        bases: a.bases + b.bases,
        saved: a.saved + b.saved,
        transient: a.transient.max(b.transient),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(fraction: f64) -> Common {
        Common {
            targets: vec!["**.mlp.*".to_owned()],
            head: Vec::new(),
            train_rest: false,
            fraction,
            rank: None,
            basis: BasisName::Paired,
            calibration_batches: 3,
            seed: 0,
        }
    }

    #[test]
    fn sizes_are_nearest_to_those_of_sparsegrad() {
        let common = common(0.012);
        // BERT-base: 168² entries; a rank has 3 840 parameters.
        assert_eq!((common.k_of([768, 3072]), common.lora_rank([3072, 768])), (28_224, 7));
        assert_eq!(common.core_rank(&[[768, 3072]]), 168);
        assert_eq!((common.meprop_k(3072), common.meprop_k(10)), (37, 1));
    }

    #[test]
    fn plans_agree_with_the_planner_and_leave_out_what_is_not_there() {
        let common = common(0.012);
        let adapted: BTreeMap<String, [usize; 2]> = (0..2)
            .flat_map(|i| {
                [
                    (format!("blocks.{i}.mlp.up"), [384, 1536]),
                    (format!("blocks.{i}.mlp.down"), [1536, 384]),
                ]
            })
            .collect();
        let shapes: Vec<[usize; 2]> = adapted.values().copied().collect();
        let plan = |method| {
            common.way(method, &shapes).plan(&common, &adapted, [1000, 10], 64, None).unwrap()
        };
        let k = 84 * 84;
        let ours = plan(Method::SparseGrad);
        assert_eq!(
            ours.bases,
            2 * 2 * 84 * (384 + 1536),
            "both blocks share it, in half precision"
        );
        assert_eq!(ours.moments, 8 * (4 * k + 10));
        assert_eq!(plan(Method::IdentityBasis).bases, 0);
        assert_eq!(plan(Method::MePropPaper).bases, 0);
        assert_eq!(plan(Method::Lora).moments, 8 * (4 * 4 * 1920 + 10));
        assert!(plan(Method::LoraXs).bases > 0 && plan(Method::LoraXs).indices == 0);
        let full = plan(Method::Full).persistent();
        assert_eq!(full, 16 * (4 * 384 * 1536 + 1000));
        assert!(Method::ALL.into_iter().all(|method| plan(method).persistent() <= 2 * full));
    }
}
