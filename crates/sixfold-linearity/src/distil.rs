//! The loss that trains affine maps to give what the layers gave.

use burn::tensor::{Tensor, TensorData};
use sixfold_model::{Batch, Projection, Site, Tap, TokenEmbedding, Transformer};

use crate::Result;

/// Keeps the states of some sites of one pass.
struct Keep {
    sites: Vec<Site>,
    states: Vec<Option<Tensor<3>>>,
}

impl Keep {
    /// Of residual sites.
    fn new(sites: impl Iterator<Item = usize>) -> Self {
        let sites: Vec<Site> = sites.map(Site::residual).collect();
        Self { states: vec![None; sites.len()], sites }
    }
}

impl Tap for Keep {
    fn wants(&self, site: Site) -> bool {
        self.sites.contains(&site)
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        for (wanted, state) in self.sites.iter().zip(&mut self.states) {
            if *wanted == site {
                *state = Some(x.clone());
            }
        }
        x
    }
}

/// Layerwise distillation: Σ ‖s − t‖² / Σ ‖t‖² over tokens, averaged over pairs of sites of the
/// student (s) and the teacher (t).
///
/// Freeze all but the affine blocks of the student ([`freeze`](sixfold_model::train::freeze)); no
/// gradient flows into the teacher's states.
///
/// # Shapes
/// `pairs` are residual sites `[student's, teacher's]`; the result is `[1]`.
///
/// # Errors
/// As [`Transformer::forward`](sixfold_model::Transformer::forward).
///
/// # Panics
/// If a model has no such site, or there is no pair.
///
/// # References
/// Razzhigaev et al. 2024, *Your Transformer is Secretly Linear*, §6.
pub fn layerwise_mse<E, P, F, Q>(
    student: &Transformer<E, P>,
    teacher: &Transformer<F, Q>,
    batch: &Batch,
    pairs: &[[usize; 2]],
) -> Result<Tensor<1>>
where
    E: TokenEmbedding,
    P: Projection,
    F: TokenEmbedding,
    Q: Projection,
{
    assert!(!pairs.is_empty(), "no pair of sites to compare");
    let mut teacher_states = Keep::new(pairs.iter().map(|[_, teacher]| *teacher));
    teacher.forward_with(batch, &mut teacher_states)?;
    let mut student_states = Keep::new(pairs.iter().map(|[student, _]| *student));
    student.forward_with(batch, &mut student_states)?;
    let mask: Vec<f32> = batch.mask().iter().map(|&token| f32::from(u8::from(token))).collect();
    let mask = TensorData::new(mask, [batch.rows(), batch.len(), 1]);
    let states = student_states.states.into_iter().zip(teacher_states.states).zip(pairs);
    let losses = states.map(|((student, teacher), pair)| {
        let [student, teacher] = [student, teacher]
            .map(|state| state.unwrap_or_else(|| panic!("no such site among {pair:?}")));
        let teacher = teacher.detach();
        let mask = Tensor::<3>::from_data(mask.clone(), &student.device());
        let total = (teacher.clone().square().sum_dim(2) * mask.clone()).sum();
        ((student - teacher).square().sum_dim(2) * mask).sum() / total
    });
    let sum = losses.reduce(|sum, loss| sum + loss).expect("there is a pair");
    Ok(sum / pairs.len() as f32)
}
