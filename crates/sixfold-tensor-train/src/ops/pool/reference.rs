//! Bags made of plain burn operations.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

use crate::bags::Bags;

/// See [`bag_sum`](super::bag_sum()).
pub fn bag_sum(rows: Tensor<2>, weights: Tensor<1>, bags: &Bags) -> Tensor<2> {
    let device = rows.device();
    let sums = Tensor::zeros([bags.len(), rows.dims()[1]], (&device, rows.dtype()));
    let [_, of_members, positions, of_bags] = bags.lists();
    if of_members.is_empty() {
        return sums;
    }
    let ints = |values: &[u32]| {
        let values: Vec<i32> = values.iter().map(|value| *value as i32).collect();
        let length = values.len();
        Tensor::<1, Int>::from_data(TensorData::new(values, [length]), &device)
    };
    let weights = weights.select(0, ints(positions)).reshape([-1, 1]);
    let members = rows.select(0, ints(of_members)) * weights;
    sums.select_assign(0, ints(of_bags), members, IndexingUpdateOp::Add)
}

/// See [`bag_max`](super::bag_max()).
pub fn bag_max(rows: Tensor<2>, bags: &Bags) -> Tensor<2> {
    let device = rows.device();
    let d = rows.dims()[1];
    let of_bag = |bag: usize| {
        let members: Vec<i32> = bags.members(bag).iter().map(|row| *row as i32).collect();
        if members.is_empty() {
            return Tensor::zeros([1, d], (&device, rows.dtype()));
        }
        let length = members.len();
        let members = Tensor::<1, Int>::from_data(TensorData::new(members, [length]), &device);
        rows.clone().select(0, members).max_dim(0)
    };
    match bags.len() {
        0 => Tensor::zeros([0, d], (&device, rows.dtype())),
        n => Tensor::cat((0..n).map(of_bag).collect(), 0),
    }
}
