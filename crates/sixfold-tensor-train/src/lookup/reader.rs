//! One row after the other.

use pulp::{Arch, Simd, WithSimd};

use super::chain::Chain;
use super::packed::Packed;
use crate::TtShape;

/// Reads rows one by one, without a plan: for a server that is asked for single ids.
///
/// What a row shares with the one before is not computed again.
///
/// ```
/// use sixfold_tensor_train::lookup::RowReader;
/// use sixfold_tensor_train::{Cores, TtShape};
///
/// let shape = TtShape::train(4, [2, 2], [1, 2], 1)?;
/// let cores = Cores::new(shape, vec![1.0, 2.0, 1.0, 10.0, 3.0, 30.0])?;
/// let mut row = [0.0; 2];
/// RowReader::new(cores.shape(), cores.values()).read(3, &mut row);
/// assert_eq!(row, [6.0, 60.0]);
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
pub struct RowReader<'a> {
    shape: &'a TtShape,
    chain: Chain<Box<Packed<'a>>>,
}

impl<'a> RowReader<'a> {
    /// A reader of these cores.
    ///
    /// # Panics
    /// If they are not those of the shape.
    pub fn new(shape: &'a TtShape, cores: &'a [f32]) -> Self {
        Self { shape, chain: Chain::new(Box::new(Packed::new(shape, cores))) }
    }

    /// Row `id`, `[D]`.
    ///
    /// # Panics
    /// If there is no such row, or `row` has another length.
    ///
    /// # Complexity
    /// 2·J_1·J_2·r_1·r_2 + 2·D·r_2 operations for a train of 3 cores; no memory.
    pub fn read(&mut self, id: usize, row: &mut [f32]) {
        assert!(id < self.shape.vocab_size(), "id {id} is one of {}", self.shape.vocab_size());
        assert_eq!(row.len(), self.shape.d_embed(), "a row's length");
        Arch::new().dispatch(Read { chain: &mut self.chain, id, row });
    }
}

struct Read<'r, 'a> {
    chain: &'r mut Chain<Box<Packed<'a>>>,
    id: usize,
    row: &'r mut [f32],
}

impl WithSimd for Read<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.chain.go(simd, self.id);
        self.chain.row(simd, self.row);
    }
}
