//! Training by teacher forcing.

use burn::tensor::Tensor;

use super::Seq2Seq;
use crate::batch::indices;
use crate::heads::targets;
use crate::{Batch, Error, IGNORE, Projection, Result, TokenEmbedding, cross_entropy};

impl<E: TokenEmbedding, P: Projection> Seq2Seq<E, P> {
    /// Mean cross-entropy of every target token given the source and the target before it, in
    /// nats; padding is left out.
    ///
    /// Targets do not hold the start token, and should hold the token that ends them.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); targets without any token.
    pub fn loss(&self, source: &Batch, target: &Batch) -> Result<Tensor<1>> {
        let (hidden, labels) = self.teacher_forced(source, target)?;
        self.head.loss(hidden, &labels, &self.decoder.embed.tokens)
    }

    /// As [`loss`](Self::loss) with smoothed labels: `(1 − ε)·CE(p, target) + ε·CE(p, uniform)`,
    /// where the uniform distribution is over the whole vocabulary, the target included
    /// (arXiv 1512.00567, §7; ε = 0.1 in arXiv 1706.03762, §5.4).
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    ///
    /// # Panics
    /// If ε is not in [0, 1).
    ///
    /// # Complexity
    /// Makes the scores of all labelled positions, `[n, vocab]`, also where a token table has a
    /// cheaper cross-entropy.
    pub fn smoothed_loss(&self, source: &Batch, target: &Batch, epsilon: f64) -> Result<Tensor<1>> {
        assert!((0.0..1.0).contains(&epsilon), "label smoothing {epsilon} is not in [0, 1)");
        let (hidden, labels) = self.teacher_forced(source, target)?;
        let [batch, seq, d] = hidden.dims();
        let device = hidden.device();
        let (rows, ids) = targets(&labels, batch * seq, self.spec.decoder.vocab_size)?;
        let n = rows.len();
        let hidden = hidden.reshape([batch * seq, d]).select(0, indices(&rows, [n], &device));
        let logits = self.logits(hidden);
        let ids = indices(&ids, [n], &device);
        // The two cross-entropies share their log Σ exp, so what ε moves is linear in the scores.
        let at_target = logits.clone().gather(1, ids.clone().unsqueeze_dim::<2>(1)).mean();
        let gap = at_target - logits.clone().mean();
        Ok(cross_entropy(logits, ids).mean() + gap * epsilon)
    }

    /// The decoder's states on the shifted targets, and the labels of their positions.
    fn teacher_forced(&self, source: &Batch, target: &Batch) -> Result<(Tensor<3>, Vec<i32>)> {
        let (inputs, labels) = shift_right(target, self.spec.start_token)?;
        let memory = self.encode(source)?;
        Ok((self.decoder.forward_over(&inputs, &memory, &mut ())?, labels))
    }
}

/// What a decoder reads to learn the targets, padded on the right, and the label of each of its
/// positions: `[start, y₁, …, yₙ₋₁]` and `[y₁, …, yₙ]`, [`IGNORE`] on padding.
///
/// # Errors
/// [`Error::NoTargets`] where the targets are all padding.
///
/// ```
/// use sixfold_model::{Batch, IGNORE, PaddingSide, shift_right};
///
/// let target = Batch::pad(&[vec![7, 8, 2], vec![9, 2]], 0, PaddingSide::Right);
/// let (inputs, labels) = shift_right(&target, 1)?;
/// assert_eq!((inputs.row(0), inputs.row(1)), (&[1, 7, 8][..], &[1, 9, 1][..]));
/// assert_eq!(labels, [7, 8, 2, 9, 2, IGNORE]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn shift_right(target: &Batch, start_token: u32) -> Result<(Batch, Vec<i32>)> {
    let rows: Vec<Vec<u32>> = (0..target.rows())
        .map(|row| {
            let mask = &target.mask()[row * target.len()..(row + 1) * target.len()];
            let tokens = target.row(row).iter().zip(mask);
            tokens.filter(|(_, kept)| **kept).map(|(&id, _)| id).collect()
        })
        .collect();
    let len = rows.iter().map(Vec::len).max().filter(|&len| len > 0).ok_or(Error::NoTargets)?;
    let (mut ids, mut mask, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        for column in 0..len {
            let kept = column < row.len();
            let before = column.checked_sub(1).filter(|_| kept).map(|at| row[at]);
            ids.push(before.unwrap_or(start_token));
            mask.push(kept);
            labels.push(if kept { row[column] as i32 } else { IGNORE });
        }
    }
    Ok((Batch::from_parts(rows.len(), ids, mask)?, labels))
}
