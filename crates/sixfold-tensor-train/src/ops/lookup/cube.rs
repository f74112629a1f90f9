//! The look-up on CUDA and wgpu: prefixes level by level, a unit for each of their numbers.
//!
//! Gradients are sums in the order of nodes, so that no two units add to one number.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{FloatDType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use sixfold_model::ops::cube::{elementwise, empty_like};

use super::LookupOps;
use super::levels::{Groups, Level, levels};
use crate::TtShape;
use crate::lookup::Plan;
use crate::ops::cube::signed;

type Tensor = FloatTensor<CubeBackend>;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    /// How a node follows from its prefix and a slice of its core:
    /// value[m, c] = Σ_b Σ_a prefix[b, m, a]·slice[a, c, b].
    #[derive(CubeType, CubeLaunch)]
    pub(super) struct Product {
        /// Where the core begins.
        pub(super) start: usize,
        /// Values of b: r_0 for the last core, 1 for others.
        pub(super) ring: usize,
        /// Values of m.
        pub(super) height: usize,
        /// Values of a.
        pub(super) left: usize,
        /// Values of c.
        pub(super) width: usize,
    }

    /// Parts of `values` of one length, by index; zeros for an index that is none.
    #[cube(launch)]
    pub(super) fn gather(
        values: &Tensor<f32>,
        indices: &Tensor<i32>,
        out: &mut Tensor<f32>,
        count: usize,
        length: usize,
    ) {
        if ABSOLUTE_POS < out.len() {
            let index = indices[ABSOLUTE_POS / length] as usize;
            let mut value = f32::new(0.0);
            if index < count {
                value = values[index * length + ABSOLUTE_POS % length];
            }
            out[ABSOLUTE_POS] = value;
        }
    }

    /// The sum of a group's members, parts of `values` of one length.
    #[cube(launch)]
    pub(super) fn collect(
        values: &Tensor<f32>,
        offsets: &Tensor<i32>,
        members: &Tensor<i32>,
        out: &mut Tensor<f32>,
        length: usize,
        total: usize,
    ) {
        if ABSOLUTE_POS < total {
            let group = ABSOLUTE_POS / length;
            let mut sum = f32::new(0.0);
            let end = offsets[group + 1] as usize;
            let mut at = offsets[group] as usize;
            while at < end {
                sum += values[members[at] as usize * length + ABSOLUTE_POS % length];
                at += 1usize;
            }
            out[ABSOLUTE_POS] = sum;
        }
    }

    /// The values of nodes.
    #[cube(launch)]
    pub(super) fn extend(
        prefixes: &Tensor<f32>,
        cores: &Tensor<f32>,
        digits: &Tensor<i32>,
        parents: &Tensor<i32>,
        out: &mut Tensor<f32>,
        by: Product,
    ) {
        if ABSOLUTE_POS < out.len() {
            let c = ABSOLUTE_POS % by.width;
            let m = ABSOLUTE_POS / by.width % by.height;
            let node = ABSOLUTE_POS / (by.width * by.height);
            let parent = parents[node] as usize;
            let digit = digits[node] as usize;
            let mut sum = f32::new(0.0);
            let mut b = comptime!(0usize).runtime();
            while b < by.ring {
                let prefix = ((parent * by.ring + b) * by.height + m) * by.left;
                let mut a = comptime!(0usize).runtime();
                while a < by.left {
                    let at = ((digit * by.left + a) * by.width + c) * by.ring + b;
                    sum += prefixes[prefix + a] * cores[by.start + at];
                    a += 1usize;
                }
                b += 1usize;
            }
            out[ABSOLUTE_POS] = sum;
        }
    }

    /// The derivatives of prefixes: of each, the sum over the nodes that begin with it.
    #[cube(launch)]
    pub(super) fn of_prefixes(
        grad: &Tensor<f32>,
        cores: &Tensor<f32>,
        digits: &Tensor<i32>,
        children: &Tensor<i32>,
        out: &mut Tensor<f32>,
        by: Product,
    ) {
        if ABSOLUTE_POS < out.len() {
            let a = ABSOLUTE_POS % by.left;
            let m = ABSOLUTE_POS / by.left % by.height;
            let b = ABSOLUTE_POS / (by.left * by.height) % by.ring;
            let parent = ABSOLUTE_POS / (by.left * by.height * by.ring);
            let mut sum = f32::new(0.0);
            let end = children[parent + 1] as usize;
            let mut node = children[parent] as usize;
            while node < end {
                let slice = (digits[node] as usize * by.left + a) * by.width;
                let of_node = (node * by.height + m) * by.width;
                let mut c = comptime!(0usize).runtime();
                while c < by.width {
                    sum += grad[of_node + c] * cores[by.start + (slice + c) * by.ring + b];
                    c += 1usize;
                }
                node += 1usize;
            }
            out[ABSOLUTE_POS] = sum;
        }
    }

    /// The gradient of a core: of each slice, the sum over the nodes that end with it.
    #[cube(launch)]
    pub(super) fn of_core(
        prefixes: &Tensor<f32>,
        grad: &Tensor<f32>,
        offsets: &Tensor<i32>,
        members: &Tensor<i32>,
        parents: &Tensor<i32>,
        out: &mut Tensor<f32>,
        by: Product,
        total: usize,
    ) {
        if ABSOLUTE_POS < total {
            let b = ABSOLUTE_POS % by.ring;
            let c = ABSOLUTE_POS / by.ring % by.width;
            let a = ABSOLUTE_POS / (by.ring * by.width) % by.left;
            let digit = ABSOLUTE_POS / (by.ring * by.width * by.left);
            let mut sum = f32::new(0.0);
            let end = offsets[digit + 1] as usize;
            let mut at = offsets[digit] as usize;
            while at < end {
                let node = members[at] as usize;
                let prefix = (parents[node] as usize * by.ring + b) * by.height * by.left + a;
                let of_node = node * by.height * by.width + c;
                let mut m = comptime!(0usize).runtime();
                while m < by.height {
                    sum += prefixes[prefix + m * by.left] * grad[of_node + m * by.width];
                    m += 1usize;
                }
                at += 1usize;
            }
            out[by.start + ABSOLUTE_POS] = sum;
        }
    }
}

/// The sizes of a node's product.
#[derive(Clone, Copy)]
struct Product {
    start: usize,
    ring: usize,
    height: usize,
    left: usize,
    width: usize,
}

impl Product {
    /// Of nodes with k + 1 digits, k ≥ 1.
    fn new(shape: &TtShape, k: usize) -> Self {
        let start = shape.core_range(k).start;
        let [_, left, columns, right] = shape.core(k);
        let above = shape.columns()[..k].iter().product();
        if k + 1 == shape.cores() {
            Self { start, ring: right, height: above, left, width: columns }
        } else {
            Self { start, ring: 1, height: shape.ranks()[0] * above, left, width: columns * right }
        }
    }

    fn launch(self) -> kernels::ProductLaunch {
        kernels::ProductLaunch::new(self.start, self.ring, self.height, self.left, self.width)
    }
}

/// The values of all prefixes, and of rows, [`Level`] by level.
fn values(shape: &TtShape, cores: &Tensor, levels: &[Level]) -> Vec<Tensor> {
    let mut all = vec![gather(
        cores,
        &levels[0].digits,
        shape.rows()[0],
        shape.core_len(0) / shape.rows()[0],
    )];
    for (k, level) in levels.iter().enumerate().skip(1) {
        let by = Product::new(shape, k);
        let out = empty_like(cores, Shape::new([level.len() * by.height * by.width]));
        let (count, dim) = elementwise(&out, out.shape().num_elements());
        kernels::extend::launch(
            &out.client,
            count,
            dim,
            all[k - 1].clone().into_tensor_arg(),
            cores.clone().into_tensor_arg(),
            signed(level.digits.clone(), cores).into_tensor_arg(),
            signed(level.parents.clone(), cores).into_tensor_arg(),
            out.clone().into_tensor_arg(),
            by.launch(),
        );
        all.push(out);
    }
    all
}

/// Parts of a tensor of one length, of which there are `count`.
fn gather(values: &Tensor, indices: &[i32], count: usize, length: usize) -> Tensor {
    let out = empty_like(values, Shape::new([indices.len(), length]));
    let (cubes, dim) = elementwise(&out, indices.len() * length);
    kernels::gather::launch(
        &out.client,
        cubes,
        dim,
        values.clone().into_tensor_arg(),
        signed(indices.to_vec(), values).into_tensor_arg(),
        out.clone().into_tensor_arg(),
        count,
        length,
    );
    out
}

/// Writes the sums of groups to the beginning of `out`.
fn collect(values: &Tensor, groups: &Groups, out: &Tensor, length: usize) {
    let total = groups.len() * length;
    let (cubes, dim) = elementwise(out, total);
    kernels::collect::launch(
        &out.client,
        cubes,
        dim,
        values.clone().into_tensor_arg(),
        signed(groups.offsets.clone(), values).into_tensor_arg(),
        signed(groups.members.clone(), values).into_tensor_arg(),
        out.clone().into_tensor_arg(),
        length,
        total,
    );
}

impl LookupOps for CubeBackend {
    fn tt_rows(cores: Tensor, shape: Arc<TtShape>, plan: Arc<Plan>) -> Tensor {
        let d = shape.d_embed();
        if plan.unique().is_empty() {
            let empty = Shape::new([plan.len(), d]);
            return Self::float_zeros(empty, &cores.device, FloatDType::F32);
        }
        let cores = into_contiguous(cores);
        let levels = levels(&shape, &plan);
        let unique = values(&shape, &cores, &levels).pop().expect("a level for each core");
        // A blank position has an index that is none.
        let inverse: Vec<i32> = plan.inverse().iter().map(|place| *place as i32).collect();
        gather(&unique, &inverse, plan.unique().len(), d)
    }

    fn tt_rows_backward(
        cores: Tensor,
        grad: Tensor,
        shape: Arc<TtShape>,
        plan: Arc<Plan>,
    ) -> Tensor {
        let size = Shape::new([shape.parameters()]);
        if plan.unique().is_empty() {
            return Self::float_zeros(size, &cores.device, FloatDType::F32);
        }
        let (cores, grad) = (into_contiguous(cores), into_contiguous(grad));
        let levels = levels(&shape, &plan);
        let prefixes = values(&shape, &cores, &levels[..shape.cores() - 1]);
        let out = empty_like(&cores, size);
        let (d, ids) = (shape.d_embed(), plan.unique().len());
        let mut of_nodes = empty_like(&grad, Shape::new([ids * d]));
        collect(&grad, &Groups::of_positions(&plan), &of_nodes, d);
        for (k, level) in levels.iter().enumerate().skip(1).rev() {
            let by = Product::new(&shape, k);
            let groups = Groups::by_digit(level, shape.rows()[k]);
            let total = shape.core_len(k);
            let (cubes, dim) = elementwise(&out, total);
            kernels::of_core::launch(
                &out.client,
                cubes,
                dim,
                prefixes[k - 1].clone().into_tensor_arg(),
                of_nodes.clone().into_tensor_arg(),
                signed(groups.offsets, &cores).into_tensor_arg(),
                signed(groups.members, &cores).into_tensor_arg(),
                signed(level.parents.clone(), &cores).into_tensor_arg(),
                out.clone().into_tensor_arg(),
                by.launch(),
                total,
            );
            let of_prefixes = empty_like(&cores, prefixes[k - 1].shape());
            let (cubes, dim) = elementwise(&of_prefixes, of_prefixes.shape().num_elements());
            kernels::of_prefixes::launch(
                &out.client,
                cubes,
                dim,
                of_nodes.into_tensor_arg(),
                cores.clone().into_tensor_arg(),
                signed(level.digits.clone(), &cores).into_tensor_arg(),
                signed(level.children(levels[k - 1].len()), &cores).into_tensor_arg(),
                of_prefixes.clone().into_tensor_arg(),
                by.launch(),
            );
            of_nodes = of_prefixes;
        }
        let rows = shape.rows()[0];
        collect(&of_nodes, &Groups::by_digit(&levels[0], rows), &out, shape.core_len(0) / rows);
        out
    }
}
