//! Bases from streamed gradients, beside those of the stack.

use ndarray::{Array2, ArrayView2, concatenate, s};
use sixfold_linalg::{eigh, svd};
use sixfold_sparsegrad::{Basis, Error, GramCalibration, Side};

use crate::common::{bits, by_threads, random, times, transposed, wide};

fn calibrated(gradients: &[Array2<f32>]) -> GramCalibration {
    let [d_in, d_out] = [gradients[0].nrows(), gradients[0].ncols()];
    let mut calibration = GramCalibration::new(d_in, d_out);
    gradients.iter().for_each(|g| calibration.add(g.view()).unwrap());
    calibration
}

/// Gradients with falling spectra in common directions.
fn gradients(d_in: usize, d_out: usize, n: usize, fall: f64, scale: f64) -> Vec<Array2<f32>> {
    let basis = Basis::random(d_in, d_out, d_in, d_out, 1).unwrap();
    let [u, v] = [basis.input, basis.output].map(|side| columns(&side).to_owned());
    let gradient = |i: usize| {
        let core = Array2::from_shape_fn((d_in, d_out), |(p, q)| {
            f64::from(random(1, 1, (i * 7919 + p * 131 + q) as u64)[(0, 0)])
                * (-fall * (p + q) as f64).exp()
        });
        let g = wide(u.view()).dot(&core).dot(&wide(v.t()));
        g.mapv(|x| (x * scale) as f32)
    };
    (0..n).map(gradient).collect()
}

fn columns(side: &Side) -> ArrayView2<'_, f32> {
    side.columns().unwrap().view()
}

/// Σ XᵀX by plain loops.
fn gram(blocks: impl Iterator<Item = Array2<f64>>, d: usize) -> Array2<f64> {
    blocks.fold(Array2::zeros((d, d)), |sum, x| sum + times(&transposed(&x), &x))
}

/// The largest |QᵀQ − I|.
fn skew(q: ArrayView2<'_, f32>) -> f64 {
    let q = wide(q);
    let product = times(&transposed(&q), &q);
    (product - Array2::<f64>::eye(q.ncols())).iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The smallest cosine between two subspaces of one dimension.
fn cosine(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f64>) -> f64 {
    let product = times(&transposed(&wide(a)), &b.to_owned());
    *svd(product.view()).unwrap().s.last().unwrap()
}

#[test]
fn bases_are_those_of_the_eigenvectors_in_f64() {
    // Small sides in full, large ones by iteration, gradients of any magnitude.
    for (d_in, d_out, r, scale) in
        [(24, 40, 16, 1.0), (40, 24, 24, 1e-24), (33, 70, 32, 1e17), (30, 560, 28, 1e-6)]
    {
        let gradients = gradients(d_in, d_out, 6, 0.12, scale);
        let (basis, spectrum) = calibrated(&gradients).finish_with_spectrum(r, r).unwrap();
        let scaled = |g: &Array2<f32>| wide(g.view()) / scale;
        let of_input = gram(gradients.iter().map(|g| transposed(&scaled(g))), d_in);
        let of_output = gram(gradients.iter().map(scaled), d_out);
        for (side, gram, spectrum) in [
            (&basis.input, of_input, &spectrum.input),
            (&basis.output, of_output, &spectrum.output),
        ] {
            let found = columns(side);
            assert!(skew(found) <= 1e-5, "{}", skew(found));
            let expected = eigh(gram.view()).unwrap();
            let first = s![.., ..r / 4];
            let cosine = cosine(found.slice(first), expected.vectors.slice(first));
            assert!(cosine >= 0.9999, "{d_in} × {d_out}: {cosine}");
            for (found, expected) in spectrum.values.iter().zip(expected.values).take(r / 4) {
                let found = found / scale / scale;
                assert!((found - expected).abs() <= 1e-5 * expected, "{found} {expected}");
            }
            let (total, trace) = (spectrum.total / scale / scale, gram.diag().sum());
            assert!((total - trace).abs() <= 1e-5 * trace, "{total} {trace}");
            assert!(spectrum.share(r) <= 1.0 && spectrum.share(4) > spectrum.share(3));
        }
    }
}

#[test]
fn a_stream_gives_the_singular_vectors_of_the_stack() {
    let gradients = gradients(20, 28, 5, 0.15, 1.0);
    let basis = calibrated(&gradients).finish(20, 28).unwrap();
    let beside: Vec<_> = gradients.iter().map(|g| wide(g.view())).collect();
    let beside: Vec<_> = beside.iter().map(|g| g.view()).collect();
    let unfolded = [
        svd(concatenate(ndarray::Axis(1), &beside).unwrap().view()).unwrap().u,
        svd(concatenate(ndarray::Axis(0), &beside).unwrap().view()).unwrap().vt.reversed_axes(),
    ];
    for (side, expected) in [&basis.input, &basis.output].into_iter().zip(unfolded) {
        for (found, expected) in columns(side).columns().into_iter().zip(expected.columns()).take(5)
        {
            let cosine: f64 = found.iter().zip(expected).map(|(a, b)| f64::from(*a) * b).sum();
            assert!(cosine.abs() >= 0.9999, "{cosine}");
            let largest = found.iter().fold(0.0_f32, |l, x| if x.abs() > l.abs() { *x } else { l });
            assert!(largest > 0.0);
        }
    }
}

#[test]
fn parts_merge_to_the_whole() {
    let gradients = gradients(18, 90, 6, 0.1, 1.0);
    let mut merged = calibrated(&gradients[..2]);
    merged.merge(&calibrated(&gradients[2..])).unwrap();
    let whole = calibrated(&gradients);
    assert_eq!(merged.count(), 6);
    let [found, expected] = [merged, whole].map(|of| of.finish(8, 8).unwrap());
    let close = |a: &Side, b: &Side| (&columns(a) - &columns(b)).iter().all(|x| x.abs() < 1e-4);
    assert!(close(&found.input, &expected.input) && close(&found.output, &expected.output));
    assert!(matches!(
        calibrated(&gradients).merge(&GramCalibration::new(18, 91)),
        Err(Error::Shape { what: "calibration", .. })
    ));
}

#[test]
fn threads_change_no_bit() {
    let gradients: Vec<_> = (0..3).map(|i| random(140, 520, i)).collect();
    let found = by_threads(|| {
        let basis = calibrated(&gradients).finish(100, 60).unwrap();
        [bits(columns(&basis.input)), bits(columns(&basis.output))]
    });
    assert!(found[0] == found[1] && found[0] == found[2]);
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let mut calibration = GramCalibration::new(3, 4);
    assert!(matches!(
        calibration.finish(1, 1),
        Err(Error::InvalidParameter { name: "gradients", .. })
    ));
    calibration.add(random(3, 4, 0).view()).unwrap();
    let before = calibration.clone();
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut gradient = random(3, 4, 1);
        gradient[(1, 2)] = wrong;
        let error = calibration.add(gradient.view()).unwrap_err();
        assert!(matches!(error, Error::NotFinite { index: 6, .. }), "{error}");
    }
    assert!(matches!(
        calibration.add(random(4, 3, 0).view()),
        Err(Error::Shape { what: "gradient", .. })
    ));
    assert_eq!(calibration, before);
    for (r_in, r_out, wrong) in [(0, 1, "r_in"), (4, 1, "r_in"), (1, 5, "r_out")] {
        let error = calibration.finish(r_in, r_out).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { name, .. } if name == wrong), "{error}");
    }
}

#[test]
fn gradients_of_zeros_have_a_basis() {
    let mut calibration = GramCalibration::new(3, 2);
    calibration.add(Array2::zeros((3, 2)).view()).unwrap();
    let (basis, spectrum) = calibration.finish_with_spectrum(3, 2).unwrap();
    assert!(skew(columns(&basis.input)) < 1e-6 && (spectrum.input.share(1) - 1.0).abs() < 1e-12);
}

#[test]
fn other_bases_are_orthonormal_and_those_asked_for() {
    let random_basis = Basis::random(30, 20, 30, 7, 3).unwrap();
    assert_eq!(random_basis, Basis::random(30, 20, 30, 7, 3).unwrap());
    assert_ne!(random_basis, Basis::random(30, 20, 30, 7, 4).unwrap());
    assert_eq!((random_basis.weights(), random_basis.core()), ([30, 20], [30, 7]));
    assert!(skew(columns(&random_basis.input)) <= 1e-6);
    assert!(skew(columns(&random_basis.output)) <= 1e-6);

    let weights = gradients(48, 64, 1, 0.2, 1.0).remove(0);
    for (r_in, r_out) in [(12, 8), (40, 48)] {
        let basis = Basis::of_weights(weights.view(), r_in, r_out).unwrap();
        let expected = svd(wide(weights.view()).view()).unwrap();
        let v = expected.vt.reversed_axes();
        assert!(
            cosine(columns(&basis.input).slice(s![.., ..4]), expected.u.slice(s![.., ..4]))
                > 0.9999
        );
        assert!(cosine(columns(&basis.output).slice(s![.., ..4]), v.slice(s![.., ..4])) > 0.9999);
        assert_eq!(basis.core(), [r_in, r_out]);
    }
    assert!(Basis::of_weights(weights.view(), 49, 8).is_err());

    let transposed = random_basis.transposed_input().unwrap();
    assert_eq!(columns(&transposed.input), columns(&random_basis.input).t());
    assert_eq!(transposed.output, random_basis.output);
    let cut = random_basis.truncate(5, 7).unwrap();
    assert_eq!(columns(&cut.input), columns(&random_basis.input).slice(s![.., ..5]));
    assert!(cut.transposed_input().is_err() && random_basis.truncate(5, 8).is_err());
    assert_eq!(random_basis.input_only().output, Side::Identity(20));
    assert_eq!(random_basis.output_only().input, Side::Identity(30));
    let identity = Basis::identity(4, 5);
    assert_eq!(identity.truncate(4, 5).unwrap(), identity);
    assert!(identity.truncate(3, 5).is_err());
}
