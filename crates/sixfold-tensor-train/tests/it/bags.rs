//! Bags against loops over their members.

use rand::RngExt;
use sixfold_tensor_train::bags::{Bags, max, max_backward, sum, sum_backward};
use sixfold_tensor_train::lookup::Plan;
use sixfold_tensor_train::{Error, TtShape};

use crate::common::generator;

const D: usize = 3;

/// Ids with repetitions and padding (5), and where bags begin: some are empty, the last one too.
const IDS: [u32; 9] = [7, 7, 2, 5, 9, 2, 7, 5, 0];
const OFFSETS: [i64; 6] = [0, 3, 3, 4, 7, 9];

fn plan() -> Plan {
    let shape = TtShape::train(10, [3, 4], [1, D], 1).unwrap();
    Plan::with_padding(&shape, &IDS, Some(5))
}

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed);
    (0..n).map(|_| generator.random_range(-1.0..1.0)).collect()
}

/// The row of each position, for a plan's rows.
fn row<'a>(rows: &'a [f32], plan: &Plan, position: usize) -> Option<&'a [f32]> {
    let place = plan.inverse()[position] as usize;
    (place < plan.unique().len()).then(|| &rows[place * D..][..D])
}

/// The positions of each bag.
fn positions() -> Vec<std::ops::Range<usize>> {
    let ends = OFFSETS[1..].iter().copied().chain([IDS.len() as i64]);
    OFFSETS.iter().zip(ends).map(|(start, end)| *start as usize..end as usize).collect()
}

#[test]
fn sums_and_their_gradients_are_those_of_loops() {
    let plan = plan();
    let bags = Bags::new(&plan, &OFFSETS, false).unwrap();
    assert_eq!((bags.len(), bags.rows(), bags.ids()), (6, 4, 9));
    let (rows, weights) = (numbers(4 * D, 1), numbers(9, 2));
    let grad = numbers(6 * D, 3);
    let found = sum(&rows, D, &bags, &weights);
    let (of_rows, of_weights) = sum_backward(&rows, D, &bags, &weights, &grad);
    let mut expected_rows = vec![0.0; rows.len()];
    for (bag, positions) in positions().into_iter().enumerate() {
        for j in 0..D {
            let mut expected = 0.0;
            for position in positions.clone() {
                let Some(row) = row(&rows, &plan, position) else {
                    assert!(of_weights[position].abs() < f32::MIN_POSITIVE);
                    continue;
                };
                expected += weights[position] * row[j];
                let place = plan.inverse()[position] as usize;
                expected_rows[place * D + j] += weights[position] * grad[bag * D + j];
            }
            assert!((found[bag * D + j] - expected).abs() < 1e-6);
        }
        for position in positions {
            let Some(row) = row(&rows, &plan, position) else { continue };
            let expected: f32 = row.iter().zip(&grad[bag * D..]).map(|(x, g)| x * g).sum();
            assert!((of_weights[position] - expected).abs() < 1e-6);
        }
    }
    for (found, expected) in of_rows.iter().zip(&expected_rows) {
        assert!((found - expected).abs() < 1e-6);
    }
}

#[test]
fn sums_are_linear_in_weights() {
    let bags = Bags::new(&plan(), &OFFSETS, false).unwrap();
    let (rows, a, b) = (numbers(4 * D, 1), numbers(9, 2), numbers(9, 3));
    let both: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 2.0 * a - b).collect();
    let [of_a, of_b, of_both] = [&a, &b, &both].map(|weights| sum(&rows, D, &bags, weights));
    for ((a, b), both) in of_a.iter().zip(&of_b).zip(&of_both) {
        assert!((2.0 * a - b - both).abs() < 1e-6);
    }
}

#[test]
fn means_are_sums_of_equal_weights() {
    let bags = Bags::new(&plan(), &OFFSETS, false).unwrap();
    let weights = bags.mean_weights();
    // Members without padding: two 7s and a 2, none, none, 9 2 7, and 0.
    let third = 1.0 / 3.0;
    for (weight, expected) in
        weights.iter().zip([third, third, third, 0.0, third, third, third, 0.0, 1.0])
    {
        assert!((weight - expected).abs() < 1e-7);
    }
}

#[test]
fn maxima_and_their_gradient_are_those_of_the_first_largest() {
    let plan = plan();
    let bags = Bags::new(&plan, &OFFSETS, false).unwrap();
    let mut rows = numbers(4 * D, 4);
    // Rows 1 and 2 are equal: the first member wins.
    let (first, second) = rows.split_at_mut(2 * D);
    second[..D].copy_from_slice(&first[D..]);
    let grad = numbers(6 * D, 5);
    let found = max(&rows, D, &bags);
    let mut expected_rows = vec![0.0; rows.len()];
    for (bag, positions) in positions().into_iter().enumerate() {
        for j in 0..D {
            let mut largest: Option<(usize, f32)> = None;
            for position in positions.clone() {
                let Some(row) = row(&rows, &plan, position) else { continue };
                if largest.is_none_or(|(_, x)| row[j] > x) {
                    largest = Some((plan.inverse()[position] as usize, row[j]));
                }
            }
            let (place, expected) = largest.unwrap_or((usize::MAX, 0.0));
            assert_eq!(found[bag * D + j].to_bits(), expected.to_bits());
            if place < 4 {
                expected_rows[place * D + j] += grad[bag * D + j];
            }
        }
    }
    for (found, expected) in max_backward(&rows, D, &bags, &grad).iter().zip(&expected_rows) {
        assert!((found - expected).abs() < 1e-6);
    }
}

#[test]
fn both_conventions_of_offsets_make_the_same_bags() {
    let plan = plan();
    let with_end: Vec<i64> = OFFSETS.iter().copied().chain([9]).collect();
    let bags = Bags::new(&plan, &OFFSETS, false).unwrap();
    assert_eq!(Bags::new(&plan, &with_end, true).unwrap(), bags);
    // Ids in no bag would be lost without a word.
    assert!(Bags::new(&plan, &[], false).is_err());
}

#[test]
fn offsets_that_make_no_bags_are_named() {
    let plan = plan();
    for (offsets, include_last, bag, offset, part) in [
        (&[0, 4, 3][..], false, 2, 3, "less than the one before"),
        (&[1, 4], false, 0, 1, "expected 0"),
        (&[0, 10], false, 1, 10, "more than there are ids"),
        (&[0, -1], false, 1, -1, "negative"),
        (&[0, 4], true, 1, 4, "expected the number of ids"),
        (&[], true, 0, 0, "expected the number of ids"),
    ] {
        let error = Bags::new(&plan, offsets, include_last).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        let Error::Offsets { bag: found_bag, offset: found, .. } = error else { panic!("{error}") };
        assert_eq!((found_bag, found), (bag, offset));
    }
}
