//! Penalties on the steps of the residual stream, as losses.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{Tensor, TensorData};
use sixfold_model::{Batch, Site, Tap};

/// Keeps the norm of a state of zeros differentiable.
const EPSILON: f32 = 1e-12;

/// What is asked of consecutive hidden states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Regulariser {
    /// 1 − cos(hᵢ, hᵢ₋₁): 0 for equal directions, 1 for orthogonal, 2 for opposite ones.
    #[default]
    Cosine,
    /// ‖hᵢ − hᵢ₋₁‖².
    Mse,
}

impl Regulariser {
    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Mse => "mse",
        }
    }
}

impl fmt::Display for Regulariser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no regulariser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no regulariser: expected cosine or mse")]
pub struct UnknownRegulariser(pub String);

impl FromStr for Regulariser {
    type Err = UnknownRegulariser;

    fn from_str(name: &str) -> Result<Self, UnknownRegulariser> {
        let found = [Self::Cosine, Self::Mse].into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| UnknownRegulariser(name.to_owned()))
    }
}

/// A tap that gathers the penalty of one forward pass, to be added to its loss.
///
/// The penalty is the mean over tokens, padding left out, and over the layers: the paper's sum over
/// layers is this times their number.
///
/// # References
/// Razzhigaev et al. 2024, *Your Transformer is Secretly Linear*, §5; λ = 0.5 for the cosine.
///
/// ```
/// use sixfold_linearity::{Regulariser, RegulariserTap};
/// use sixfold_model::{
///     Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec, next_token_labels,
/// };
///
/// let device = sixfold_model::device("flex")?.autodiff();
/// let spec = TransformerSpec::decoder(50, 8, 3, 2);
/// let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
/// let batch = Batch::pad(&[(0..9).collect()], 0, PaddingSide::Right);
/// let mut tap = RegulariserTap::new(Regulariser::Cosine, &batch);
/// let hidden = model.body.forward_with(&batch, &mut tap)?;
/// let loss = model.loss_of_hidden(hidden, &next_token_labels(&batch))?;
/// let total = loss + tap.penalty().unwrap() * 0.5;
/// let gradients = total.backward();
/// # let _ = gradients;
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Debug)]
pub struct RegulariserTap {
    kind: Regulariser,
    weights: TensorData,
    previous: Option<Tensor<3>>,
    sum: Option<Tensor<1>>,
    pairs: usize,
}

impl RegulariserTap {
    /// Gathers over the tokens of `batch`.
    pub fn new(kind: Regulariser, batch: &Batch) -> Self {
        let share = 1.0 / batch.n_tokens().max(1) as f32;
        let weights: Vec<f32> =
            batch.mask().iter().map(|&token| if token { share } else { 0.0 }).collect();
        let weights = TensorData::new(weights, [batch.rows(), batch.len(), 1]);
        Self { kind, weights, previous: None, sum: None, pairs: 0 }
    }

    /// The penalty, `[1]`; `None` before a second site was passed.
    pub fn penalty(self) -> Option<Tensor<1>> {
        let pairs = self.pairs as f32;
        self.sum.map(|sum| sum / pairs)
    }

    fn of_pair(&self, before: Tensor<3>, after: Tensor<3>) -> Tensor<1> {
        let each = match self.kind {
            Regulariser::Cosine => {
                let norm = |x: &Tensor<3>| (x.clone().square().sum_dim(2) + EPSILON).sqrt();
                let norms = norm(&before) * norm(&after);
                ((before * after).sum_dim(2) / norms).neg() + 1.0
            }
            Regulariser::Mse => (after - before).square().sum_dim(2),
        };
        let weights = Tensor::<3>::from_data(self.weights.clone(), &each.device());
        (each * weights).sum()
    }
}

impl Tap for RegulariserTap {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        if let Some(before) = self.previous.replace(x.clone()) {
            let penalty = self.of_pair(before, x.clone());
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + penalty,
                None => penalty,
            });
            self.pairs += 1;
        }
        x
    }
}
