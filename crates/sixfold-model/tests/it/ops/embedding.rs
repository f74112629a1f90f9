//! Look-ups.

use burn::tensor::{Int, Tensor};
use sixfold_model::device;
use sixfold_model::ops::embedding;
use sixfold_model::ops::embedding::reference;

use super::{Case, flat, values};

fn first(x: Vec<Tensor<1>>) -> Tensor<1> {
    x.into_iter().next().expect("a table")
}

/// Ids with repetitions, and rows that nobody looks up.
fn ids(x: &Tensor<1>, [batch, seq]: [usize; 2], rows: usize) -> Tensor<2, Int> {
    let ids: Vec<i32> = (0..batch * seq).map(|i| (i * i % rows.div_ceil(2)) as i32).collect();
    Tensor::<1, Int>::from_ints(ids.as_slice(), &x.device()).reshape([batch, seq])
}

#[test]
fn every_shape_agrees() {
    // The last has more tokens than one task of the backward pass.
    for ([rows, d], shape) in
        [([7, 3], [2, 4]), ([1, 5], [1, 1]), ([3, 1], [1, 6]), ([40, 2], [3, 70])]
    {
        let operation = |x| {
            let x = first(x);
            let ids = ids(&x, shape, rows);
            flat(embedding(x.reshape([rows, d]), ids))
        };
        let exact = |x| {
            let x = first(x);
            let ids = ids(&x, shape, rows);
            flat(reference::embedding(x.reshape([rows, d]), ids))
        };
        // Linear: the tangent is the operation itself.
        let tangent = |x, dx: Tensor<1>| {
            let ids = ids(&first(x), shape, rows);
            flat(embedding(dx.reshape([rows, d]), ids))
        };
        let name = format!("{shape:?} of {rows}×{d}");
        Case::new(&name, vec![values(rows * d, 1)], &operation, &exact)
            .gradients(1)
            .tangent(&tangent)
            .check();
    }
}

#[test]
fn no_tokens_have_no_rows() {
    let operation = |x| {
        let x = first(x);
        let ids = Tensor::<2, Int>::zeros([2, 0], &x.device());
        flat(embedding(x.reshape([3, 2]), ids))
    };
    let exact = |x| {
        let x = first(x);
        let ids = Tensor::<2, Int>::zeros([2, 0], &x.device());
        flat(reference::embedding(x.reshape([3, 2]), ids))
    };
    Case::new("no tokens", vec![values(6, 2)], &operation, &exact).on_cpu().check();
}

#[test]
fn strided_tables_and_ids_are_looked_up() {
    let view = |x: Tensor<1>| x.reshape([3, 8]).swap_dims(0, 1).narrow(0, 1, 6);
    let operation = |x| {
        let x = first(x);
        let ids = ids(&x, [3, 2], 6).swap_dims(0, 1);
        flat(embedding(view(x), ids))
    };
    let exact = |x| {
        let x = first(x);
        let ids = ids(&x, [3, 2], 6).swap_dims(0, 1);
        flat(reference::embedding(view(x), ids))
    };
    Case::new("view", vec![values(24, 3)], &operation, &exact).gradients(1).check();
}

#[test]
fn infinities_and_nan_stay_in_their_row() {
    let mut table = values(12, 4);
    (table[0], table[4]) = (f64::NAN, f64::INFINITY);
    let operation = |x| {
        let x = first(x);
        let ids = ids(&x, [1, 4], 4);
        flat(embedding(x.reshape([4, 3]), ids))
    };
    let exact = |x| {
        let x = first(x);
        let ids = ids(&x, [1, 4], 4);
        flat(reference::embedding(x.reshape([4, 3]), ids))
    };
    Case::new("infinite rows", vec![table], &operation, &exact).on_cpu().check();
}

#[test]
fn an_id_out_of_range_panics_with_its_token() {
    for name in ["flex", "ndarray"] {
        let Ok(device) = device(name) else { continue };
        for id in [3, -1] {
            let table = Tensor::<2>::zeros([3, 2], &device);
            let ids = Tensor::<2, Int>::from_ints([[0, id]], &device);
            let run = || embedding(table, ids);
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
            let message = panic.downcast_ref::<String>().expect("a formatted message");
            assert!(message.contains(&format!("id {id} of token 1")), "{message}");
        }
    }
}

#[test]
fn threads_do_not_change_gradients() {
    let operation = |x| {
        let x = first(x);
        let ids = ids(&x, [20, 50], 90);
        flat(embedding(x.reshape([90, 8]), ids))
    };
    Case::new("look-up", vec![values(720, 5)], &operation, &operation).gradients(1).check_threads();
}
