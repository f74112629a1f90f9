//! Factors, ranks and numbers of parameters.

use sixfold_tensor_train::shape::reference::{
    Arrangement, Criterion, exact_factors, suggested_factors,
};
use sixfold_tensor_train::shape::{column_factors, row_factors};
use sixfold_tensor_train::{Error, TtShape};

/// The factors that the paper's code chose here for each vocabulary and width, for 2, 3, 4 and 6 cores
/// (`research/tensor-train.md`, §1.3).
#[test]
fn the_papers_factors_come_out() {
    let suggested = |n, d| suggested_factors(n, d, Criterion::Entropy, Arrangement::Ascending);
    let rows: [(usize, &[&[usize]]); 8] = [
        (25_000, &[&[150, 200], &[25, 30, 40], &[10, 10, 15, 20], &[5, 5, 5, 5, 6, 8]]),
        (17_200, &[&[125, 144], &[24, 25, 30], &[10, 10, 12, 15], &[4, 5, 5, 5, 6, 6]]),
        (32_768, &[&[200, 200], &[32, 32, 32], &[8, 16, 16, 16], &[5, 5, 5, 5, 8, 8]]),
        (267_735, &[&[515, 520], &[60, 60, 75], &[20, 24, 25, 25], &[5, 6, 9, 10, 10, 10]]),
        (30_522, &[&[200, 200], &[30, 30, 34], &[10, 12, 15, 17], &[5, 5, 5, 5, 8, 8]]),
        (50_257, &[&[240, 250], &[30, 40, 50], &[10, 15, 17, 20], &[5, 5, 5, 6, 8, 10]]),
        (128_256, &[&[344, 375], &[50, 50, 52], &[20, 20, 20, 25], &[5, 5, 8, 10, 10, 10]]),
        (100_000, &[&[250, 400], &[40, 50, 50], &[10, 20, 20, 25], &[5, 5, 5, 8, 10, 10]]),
    ];
    for (n, expected) in rows {
        for (d, expected) in [2, 3, 4, 6].into_iter().zip(expected) {
            assert_eq!(suggested(n, d), *expected, "{n} by {d}");
        }
    }
    let exact = |n, d| exact_factors(n, d, Criterion::Entropy, Arrangement::Ascending);
    for (n, expected) in [(256, [4, 8, 8]), (1024, [8, 8, 16]), (512, [8, 8, 8]), (768, [8, 8, 12])]
    {
        assert_eq!(exact(n, 3), expected);
        assert_eq!(column_factors(n, 3), expected);
    }
    assert_eq!(exact(256, 6), [2, 2, 2, 2, 4, 4]);
    assert_eq!(exact(4_096, 4), [8, 8, 8, 8]);
    assert_eq!(exact(7, 3), [1, 1, 7]);
    // The default of its training script.
    let mixed = |d| suggested_factors(25_000, d, Criterion::Entropy, Arrangement::Mixed);
    assert_eq!((mixed(4), mixed(6)), (vec![10, 15, 10, 20], vec![5, 5, 5, 6, 5, 8]));
    let down = suggested_factors(25_000, 3, Criterion::Variance, Arrangement::Descending);
    assert!(down.is_sorted_by(|a, b| a >= b) && down.iter().product::<usize>() >= 25_000);
}

/// Rows, factors of both sides, parameters and compression.
type Case = (usize, &'static [usize], &'static [usize], usize, f64);

/// Q1 and Q2: the parameters and compressions that follow from the paper's shapes (its §2.1–2.3; the
/// quality beside them was never seen).
#[test]
fn the_papers_compressions_follow_from_its_shapes() {
    let tenths = |x: f64| (x * 10.0).round() / 10.0;
    let sentiment: [Case; 6] = [
        (25_000, &[25, 30, 40], &[4, 8, 8], 68_160, 93.9),
        (25_000, &[10, 10, 15, 20], &[4, 4, 4, 4], 27_520, 232.6),
        (25_000, &[5, 5, 5, 5, 6, 8], &[2, 2, 2, 2, 4, 4], 14_496, 441.5),
        (17_200, &[24, 25, 30], &[4, 8, 8], 56_576, 77.8),
        (17_200, &[10, 10, 12, 15], &[4, 4, 4, 4], 24_128, 182.5),
        (17_200, &[4, 5, 5, 5, 6, 6], &[2, 2, 2, 2, 4, 4], 14_336, 307.1),
    ];
    for (vocab, rows, columns, parameters, compression) in sentiment {
        let ranks = |d: usize| [vec![1], vec![16; d - 1], vec![1]].concat();
        // The paper's code does not clip; where its rank can be had, ours is the same number.
        let shape = match TtShape::new(vocab, rows, columns, ranks(rows.len())) {
            Ok(shape) => shape,
            Err(Error::Rank { bond, rank: 16, attainable }) => {
                assert_eq!((bond, attainable), (1, rows[0] * columns[0]));
                let clipped = TtShape::train(vocab, rows, columns, 16).unwrap();
                assert!(clipped.parameters() < parameters);
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(shape.parameters(), parameters);
        assert!((tenths(shape.compression()) - compression).abs() < 1e-9);
    }
    // Translation: input and output tables of their own, as in the paper, and one for both.
    for (rank, apart, tied) in [(64, 15.3, 30.6), (48, 26.8, 53.5), (32, 58.5, 117.0)] {
        let shape = TtShape::train(32_768, [32, 32, 32], [8, 8, 16], rank).unwrap();
        assert!((tenths(shape.compression() / 2.0) - apart).abs() < 1e-9);
        assert!((tenths(shape.compression()) - tied).abs() < 1e-9);
    }
    for (rank, apart) in [(192, 3.83), (128, 8.56), (96, 15.1)] {
        let shape = TtShape::train(267_735, [60, 60, 75], [8, 8, 8], rank).unwrap();
        assert!((shape.compression() / 2.0 - apart).abs() < 0.05, "{rank}");
    }
}

#[test]
fn planned_factors_hardly_pad_and_are_quick_to_find() {
    let vocabularies = (0..400_usize).map(|i| 4_096 + i * i * 104 + 37 * i);
    for vocab in vocabularies.chain([25_000, 30_522, 50_257, 128_256, 151_936, 267_735, 1 << 24]) {
        for cores in 2..=6 {
            let factors = row_factors(vocab, cores);
            let product: usize = factors.iter().product();
            let padding = (product - vocab) as f64 / vocab as f64;
            let allowed = if cores <= 3 { 0.005 } else { 0.02 };
            assert!(factors.is_sorted() && factors.len() == cores);
            assert!(padding <= allowed, "{vocab}: {factors:?} pads by {padding}");
            let (least, most) = (factors[0] as f64, factors[cores - 1] as f64);
            assert!(most <= 4.0 * least, "{vocab}: {factors:?} are not equal enough");
        }
    }
    assert_eq!(row_factors(1, 3), [1, 1, 1]);
    assert_eq!(row_factors(7, 2), [1, 7]);
}

#[test]
fn ranks_are_clipped_where_asked_to_and_refused_otherwise() {
    let shape = TtShape::train(25_000, [5, 5, 5, 5, 6, 8], [2, 2, 2, 2, 4, 4], 16).unwrap();
    assert_eq!(shape.ranks(), [1, 10, 16, 16, 16, 16, 1]);
    let error = shape.with_ranks([1, 16, 16, 16, 16, 16, 1]).unwrap_err();
    assert!(matches!(error, Error::Rank { bond: 1, rank: 16, attainable: 10 }), "{error}");
    let all: Vec<usize> = (1..6).map(|bond| shape.attainable_rank(bond)).collect();
    assert_eq!(all, [10, 100, 1_000, 768, 32]);
}

#[test]
fn budgets_are_used_and_never_exceeded() {
    for budget in [700, 5_000, 68_160, 1_000_000] {
        let shape = TtShape::within(25_000, [25, 30, 40], [4, 8, 8], budget).unwrap();
        let rank = *shape.ranks().iter().max().unwrap();
        assert!(shape.parameters() <= budget);
        let next = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], rank + 1).unwrap();
        assert!(next.parameters() > budget, "{budget}: rank {rank}");
    }
    let error = TtShape::within(25_000, [25, 30, 40], [4, 8, 8], 600).unwrap_err();
    assert!(matches!(error, Error::Budget { budget: 600, smallest: 660 }), "{error}");
    let whole = TtShape::within(20, [4, 5], [2, 2], usize::MAX).unwrap();
    assert_eq!(whole.ranks(), [1, 8, 1]);
}

#[test]
fn what_is_no_shape_says_all_that_is_wrong() {
    let error = TtShape::new(100, [3, 0], [2, 2, 2], [1, 2, 2]).unwrap_err().to_string();
    for part in ["column factors", "contain a 0", "r_0 and r_d differ"] {
        assert!(error.contains(part), "{error}");
    }
    let error = TtShape::train(1_000, [9, 9, 9], [2, 2, 2], 2).unwrap_err().to_string();
    assert!(error.contains("729 rows, fewer than the vocabulary's 1000"), "{error}");
    assert!(TtShape::train(0, [1, 1], [1, 1], 1).is_err());
    assert!(TtShape::train(5, [5], [5], 1).is_err());
    assert!(TtShape::train(5, [usize::MAX, 2], [5, 1], 1).is_err());
    assert!(TtShape::compressed(1_000, 64, 3, f64::NAN).is_err());
    assert!(TtShape::compressed(1_000, 64, 9, 2.0).is_err());
    let json = r#"{"vocab":9,"rows":[2,2],"columns":[1,1],"ranks":[1,1,1]}"#;
    let error = serde_json::from_str::<TtShape>(json).unwrap_err().to_string();
    assert!(error.contains("fewer than the vocabulary's 9"), "{error}");
}
