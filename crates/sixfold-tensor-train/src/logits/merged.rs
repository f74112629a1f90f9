//! Hidden states with prefixes first, and then with the last core.
//!
//! With h as a matrix `[J, J_d]`, J = J_1⋯J_{d−1}, and P the prefix `[J, r]` of I_d rows, their logits are the
//! products of G_d, `[I_d, r·J_d]`, with Pᵀ·h, `[r·J_d]`. Of a ring, r counts the pairs (r_0, r_{d−1}).

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use sixfold_linalg::{Threads, matmul_into};

use super::blocks::Block;
use super::hidden::{Scratch, Sums, sized};
use super::tiled::view;
use crate::lookup::packed::Packed;
use crate::lookup::walk;

/// Hidden states in the order that makes all products contiguous.
pub(super) struct Merged<'a> {
    cores: &'a Packed<'a>,
    n: usize,
    /// `[J, J_d·n]`
    hidden: Array2<f32>,
}

/// The sizes of the last core.
struct Sizes {
    rows: usize,
    /// r_0, r_{d−1}
    ring: usize,
    left: usize,
    columns: usize,
    /// J_1⋯J_{d−1}
    height: usize,
}

impl Sizes {
    /// Rank of a prefix as a matrix `[J, r]`.
    fn rank(&self) -> usize {
        self.ring * self.left
    }
}

impl<'a> Merged<'a> {
    pub(super) fn new(cores: &'a Packed<'a>, hidden: ArrayView2<'a, f32>) -> Self {
        let n = hidden.nrows();
        let columns = *cores.shape().columns().last().expect("a shape has cores");
        // [n, D] → [D, n] = [J, J_d·n]
        let turned = hidden.t().as_standard_layout().into_owned();
        let height = hidden.ncols() / columns;
        let hidden =
            turned.into_shape_with_order((height, columns * n)).expect("J·J_d·n values in order");
        Self { cores, n, hidden }
    }

    pub(super) fn dim(&self) -> (usize, usize) {
        self.hidden.dim()
    }

    fn sizes(&self) -> Sizes {
        let shape = self.cores.shape();
        let [rows, left, columns, ring] = shape.core(shape.cores() - 1);
        Sizes { rows, ring, left, columns, height: self.hidden.nrows() }
    }

    pub(super) fn logits(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        mut logits: ArrayViewMut2<'_, f32>,
    ) {
        let sizes = self.sizes();
        let prefixes = block.prefixes.len();
        let left = sized(&mut scratch.left, prefixes * sizes.rank() * sizes.height);
        self.turned_prefixes(block, left);
        let left = view(left, [prefixes * sizes.rank(), sizes.height]);
        let len = prefixes * sizes.rank() * sizes.columns * self.n;
        let product = sized(&mut scratch.product, len);
        let shape = (left.nrows(), sizes.columns * self.n);
        let into = ArrayViewMut2::from_shape(shape, &mut *product).expect("values of the shape");
        matmul_into(1.0, left, self.hidden.view(), 0.0, into, Threads::ONE);
        let depth = sizes.rank() * sizes.columns;
        let last = view(self.cores.last(), [sizes.rows, depth]);
        for (p, product) in product.chunks_exact(depth * self.n).enumerate() {
            let rows = self.rows_of(block, p, sizes.rows);
            let last = last.slice(s![..rows.len(), ..]);
            let into = logits.slice_mut(s![.., rows]);
            matmul_into(
                1.0,
                last,
                view(product, [depth, self.n]),
                0.0,
                into.reversed_axes(),
                Threads::ONE,
            );
        }
    }

    /// The columns of a block's logits that belong to its p-th prefix.
    fn rows_of(&self, block: &Block, p: usize, rows: usize) -> std::ops::Range<usize> {
        p * rows..((p + 1) * rows).min(block.rows.len())
    }

    /// Pᵀ of each prefix, `[prefixes, r_0, r_{d−1}, J]`.
    fn turned_prefixes(&self, block: &Block, to: &mut [f32]) {
        let sizes = self.sizes();
        let mut to = to.chunks_exact_mut(sizes.rank() * sizes.height);
        walk::prefixes(self.cores, block.prefixes.clone(), |prefix| {
            let to = to.next().expect("memory for each prefix");
            turn(prefix, to, [sizes.height, sizes.left]);
        });
    }

    pub(super) fn backward(
        &self,
        block: &Block,
        scratch: &mut Scratch,
        grad: ArrayView2<'_, f32>,
        sums: &mut Sums<'_>,
    ) {
        let sizes = self.sizes();
        let prefixes = block.prefixes.len();
        let depth = sizes.rank() * sizes.columns;
        let last = view(self.cores.last(), [sizes.rows, depth]);
        let product = &mut scratch.product[..prefixes * depth * self.n];
        for (p, product) in product.chunks_exact_mut(depth * self.n).enumerate() {
            let rows = self.rows_of(block, p, sizes.rows);
            let last = last.slice(s![..rows.len(), ..]);
            let of_rows = grad.slice(s![.., rows.clone()]);
            let of_last = &mut sums.cores.of_last()[..rows.len() * depth];
            let into = ArrayViewMut2::from_shape((rows.len(), depth), of_last).expect("its rows");
            let mut product = ArrayViewMut2::from_shape((depth, self.n), product).expect("its own");
            matmul_into(1.0, of_rows.t(), product.t(), 1.0, into, Threads::ONE);
            matmul_into(1.0, last.t(), of_rows.t(), 0.0, product.view_mut(), Threads::ONE);
        }
        // From here on, the derivatives with respect to Pᵀ·h.
        let of_product = view(product, [prefixes * sizes.rank(), sizes.columns * self.n]);
        let left = view(
            &scratch.left[..prefixes * sizes.rank() * sizes.height],
            [prefixes * sizes.rank(), sizes.height],
        );
        matmul_into(1.0, left.t(), of_product, 1.0, sums.hidden.view_mut(), Threads::ONE);
        let of_left = sized(&mut scratch.grad, left.len());
        let into = ArrayViewMut2::from_shape(left.dim(), &mut *of_left).expect("as many values");
        matmul_into(1.0, of_product, self.hidden.t(), 0.0, into, Threads::ONE);
        let mut of_left = of_left.chunks_exact(sizes.rank() * sizes.height);
        sums.cores.add_prefixes(block.prefixes.clone(), |to| {
            let from = of_left.next().expect("derivatives for each prefix");
            add_turned(from, to, [sizes.left, sizes.height]);
        });
    }

    /// `[J, J_d·n]` → `[n, D]`
    pub(super) fn finish(&self, sums: Array2<f32>) -> Array2<f32> {
        let d = sums.len() / self.n.max(1);
        let sums = sums.into_shape_with_order((d, self.n)).expect("D·n values in order");
        sums.t().as_standard_layout().into_owned()
    }
}

/// Matrices `[m, n]`, transposed.
#[inline(always)]
fn turn(from: &[f32], to: &mut [f32], [m, n]: [usize; 2]) {
    for (from, to) in from.chunks_exact(m * n).zip(to.chunks_exact_mut(m * n)) {
        for (i, from) in from.chunks_exact(n).enumerate() {
            for (to, value) in to[i..].iter_mut().step_by(m).zip(from) {
                *to = *value;
            }
        }
    }
}

/// Matrices `[m, n]`, added transposed.
#[inline(always)]
fn add_turned(from: &[f32], to: &mut [f32], [m, n]: [usize; 2]) {
    for (from, to) in from.chunks_exact(m * n).zip(to.chunks_exact_mut(m * n)) {
        for (i, from) in from.chunks_exact(n).enumerate() {
            for (to, value) in to[i..].iter_mut().step_by(m).zip(from) {
                *to += *value;
            }
        }
    }
}
