//! A train of two cores for inference.

use ndarray::{ArrayView2, ArrayViewMut2};
use sixfold_linalg::{Threads, matmul_into};

use crate::{Cores, Result, TtShape};

impl Cores {
    /// The same table with all cores but the last contracted into one: a row is then one product, for
    /// I_1⋯I_{d−1}·J_1⋯J_{d−1}·r_0·r_{d−1} numbers in place of the first d − 1 cores. For inference; trains
    /// that learn keep their cores.
    ///
    /// ```
    /// use sixfold_tensor_train::{Cores, Initializer, TtShape};
    ///
    /// let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16)?;
    /// let cores = Cores::init(shape, &Initializer::Glorot, 0)?;
    /// let frozen = cores.freeze()?;
    /// assert_eq!((frozen.shape().rows(), frozen.shape().ranks()), (&[750, 40][..], &[1, 16, 1][..]));
    /// assert_eq!(frozen.rows(&[24_999])?, cores.rows(&[24_999])?);
    /// # Ok::<(), sixfold_tensor_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If products are not finite.
    pub fn freeze(&self) -> Result<Self> {
        let shape = self.shape();
        let last = shape.cores() - 1;
        let [mut rows, ring, mut columns, mut right] = shape.core(0);
        let mut merged = self.core(0).to_vec();
        for k in 1..last {
            let [digits, left, width, next] = shape.core(k);
            let (height, breadth) = (ring * columns, width * next);
            let mut wider = vec![0.0; rows * digits * height * breadth];
            let mut slices = wider.chunks_exact_mut(height * breadth);
            for a in merged.chunks_exact(height * left) {
                for b in self.core(k).chunks_exact(left * breadth) {
                    if let Some(out) = slices.next() {
                        product([height, left, breadth], a, b, out);
                    }
                }
            }
            (rows, columns, right, merged) = (rows * digits, columns * width, next, wider);
        }
        merged.extend_from_slice(self.core(last));
        let rows = [rows, shape.rows()[last]];
        let columns = [columns, shape.columns()[last]];
        let shape = TtShape::new(shape.vocab_size(), rows, columns, [ring, right, ring])?;
        Self::new(shape, merged)
    }
}

/// out ← a·b with a `[m, k]` and b `[k, n]`.
fn product([m, k, n]: [usize; 3], a: &[f32], b: &[f32], out: &mut [f32]) {
    let matrix = |values, rows, columns| {
        ArrayView2::from_shape((rows, columns), values).expect("a slice as a matrix")
    };
    let out = ArrayViewMut2::from_shape((m, n), out).expect("a slice as a matrix");
    matmul_into(1.0, matrix(a, m, k), matrix(b, k, n), 0.0, out, Threads::ONE);
}
