//! Sums, products and norms of tables in tensor-train form, without a dense table.
//!
//! All of them are of the padded tables, I_1⋯I_d rows: where V is smaller, rows that nobody looks up count
//! too. Trains that [`decompose`](crate::decompose::decompose) made have zeros there, up to its error.
//! Numbers are f64 inside.

mod freeze;
mod round;
mod train;

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::matmul;

pub(crate) use self::train::Train;
use crate::decompose::{Decomposition, Target};
use crate::{Cores, Error, Result};

/// The algebra of tensor trains. Tables must have the same factors and vocabulary; of rings, which have no
/// such algebra, only [`scale`](Self::scale) is to be had.
impl Cores {
    /// A + B, whose ranks are the sums of both; where an unfolding cannot have as much, they are reduced.
    ///
    /// ```
    /// use sixfold_tensor_train::{Cores, TtShape};
    ///
    /// let shape = TtShape::train(4, [2, 2], [1, 2], 1)?;
    /// let x = Cores::new(shape, vec![1.0, 2.0, 1.0, 10.0, 3.0, 30.0])?;
    /// let twice = x.add(&x)?;
    /// assert_eq!(twice.shape().ranks(), [1, 2, 1]);
    /// assert_eq!(twice.to_dense(), 2.0 * x.to_dense());
    /// # Ok::<(), sixfold_tensor_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the tables differ in their factors or vocabulary, or one is a ring.
    ///
    /// # References
    /// Oseledets, SIAM J. Sci. Comput. 33 (2011), §4.1.
    pub fn add(&self, other: &Self) -> Result<Self> {
        let [a, b] = pair(self, other)?;
        a.add(&b).into_cores(self.shape())
    }

    /// c·A: the first core is multiplied.
    ///
    /// # Errors
    /// If c is not finite, or a value of the core then is not.
    pub fn scale(&self, c: f64) -> Result<Self> {
        let mut scaled = self.clone();
        let first = &mut scaled.values_mut()[..self.shape().core_len(0)];
        first.iter_mut().for_each(|x| *x = (f64::from(*x) * c) as f32);
        if !c.is_finite() || first.iter().any(|x| !x.is_finite()) {
            let (name, expected) = ("the factor", "finite, with finite products");
            return Err(Error::InvalidParameter { name, found: c, expected });
        }
        Ok(scaled)
    }

    /// The product of each value of A with that of B, whose ranks are the products of both; where an
    /// unfolding cannot have as much, they are reduced.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    ///
    /// # Complexity
    /// Cores of r_A²·r_B² numbers for each I_k·J_k: follow it with [`round`](Self::round).
    pub fn hadamard(&self, other: &Self) -> Result<Self> {
        let [a, b] = pair(self, other)?;
        a.hadamard(&b).into_cores(self.shape())
    }

    /// Σ A_ij·B_ij over the padded tables.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    ///
    /// # Complexity
    /// 2·Σ I_k·J_k·r_A·r_B·(r_A + r_B) operations.
    ///
    /// # References
    /// Oseledets, SIAM J. Sci. Comput. 33 (2011), algorithm 4.
    pub fn dot(&self, other: &Self) -> Result<f64> {
        let [a, b] = pair(self, other)?;
        let mut sum = Array2::ones((1, 1));
        for (a, b) in a.cores.iter().zip(&b.cores) {
            sum = contract(sum, a, b);
        }
        Ok(sum[(0, 0)])
    }

    /// ‖A‖, the Frobenius norm of the padded table.
    ///
    /// Of a difference that nearly vanishes, half of the digits are lost:
    /// [`Decomposition::norm`] of a [`round`](Self::round) has them all.
    ///
    /// # Errors
    /// If it is a ring.
    pub fn norm(&self) -> Result<f64> {
        let square = self.dot(self)?;
        // Rounding may leave a little below zero; a NaN stays one.
        Ok(if square < 0.0 { 0.0 } else { square.sqrt() })
    }

    /// The same table with smaller ranks, as [`decompose`](crate::decompose::decompose) finds them of a
    /// dense one: the error of a target is met exactly, the discarded energies add up to the squared error.
    ///
    /// # Errors
    /// As [`decompose`](crate::decompose::decompose); where ranks are given one by one, those above the
    /// ranks of the cores cannot be reached. If it is a ring, or a value is not finite.
    ///
    /// # Complexity
    /// 18·Σ I_k·J_k·r³ operations.
    ///
    /// # References
    /// Oseledets, SIAM J. Sci. Comput. 33 (2011), algorithm 2.
    #[doc(alias = "compress")]
    pub fn round(&self, target: &Target) -> Result<Decomposition> {
        round::round(self, target)
    }
}

/// Both in f64, if they are of the same table.
fn pair(a: &Cores, b: &Cores) -> Result<[Train; 2]> {
    let (a_shape, b_shape) = (a.shape(), b.shape());
    let mut problems = Vec::new();
    for (name, a, b) in [
        ("row factors", a_shape.rows(), b_shape.rows()),
        ("column factors", a_shape.columns(), b_shape.columns()),
        ("vocabularies", &[a_shape.vocab_size()][..], &[b_shape.vocab_size()][..]),
    ] {
        if a != b {
            problems.push(format!("{name} {a:?} and {b:?} differ"));
        }
    }
    if problems.is_empty() {
        Ok([Train::new(a)?, Train::new(b)?])
    } else {
        Err(Error::Shape { problems })
    }
}

/// Σ over i, j of A[i, j]ᵀ·S·B[i, j].
fn contract(sum: Array2<f64>, a: &train::Core, b: &train::Core) -> Array2<f64> {
    let product = matmul(sum.view(), b.across());
    let len = product.len();
    let product =
        ArrayView2::from_shape((len / b.right, b.right), product.as_slice().expect("new"))
            .expect("whole rows");
    matmul(a.down().reversed_axes(), product)
}
