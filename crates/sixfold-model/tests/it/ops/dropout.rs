//! Dropout.

use burn::tensor::Tensor;
use sixfold_model::ops::dropout::reference;
use sixfold_model::ops::{self, DropoutMask};

use super::{Case, device, flat, read, values};

#[test]
fn the_same_elements_on_every_backend() {
    for (shape, p) in [([1, 1, 1], 0.5), ([2, 3, 7], 0.3), ([3, 40, 2], 0.0), ([1, 5, 64], 0.9)] {
        let mask = DropoutMask::new(p, 0xfeed_beef_0123_4567);
        let operation =
            move |mut x: Vec<Tensor<1>>| flat(ops::dropout(x.remove(0).reshape(shape), mask));
        let exact =
            move |mut x: Vec<Tensor<1>>| flat(reference::dropout(x.remove(0).reshape(shape), mask));
        let tangent =
            move |_: Vec<Tensor<1>>, dx: Tensor<1>| flat(ops::dropout(dx.reshape(shape), mask));
        let inputs = vec![values(shape.iter().product(), 1)];
        let case = Case::new("dropout", inputs, &operation, &exact).gradients(1).tangent(&tangent);
        case.check();
        case.check_threads();
    }
}

#[test]
fn views_are_dropped_by_their_own_places() {
    let mask = DropoutMask::new(0.5, 3);
    let view = |mut x: Vec<Tensor<1>>| x.remove(0).reshape([4, 6]).swap_dims(0, 1).narrow(0, 1, 4);
    let operation = |x: Vec<Tensor<1>>| flat(ops::dropout(view(x), mask));
    let exact = |x: Vec<Tensor<1>>| flat(reference::dropout(view(x), mask));
    Case::new("dropout of a view", vec![values(24, 2)], &operation, &exact).gradients(1).check();
}

/// Shares within four deviations, and no trace of the place: neighbours, rows of a power of two
/// and other seeds are independent.
#[test]
fn masks_look_random() {
    let n = 1 << 16;
    for (p, seed) in [(0.1, 1), (0.5, 2), (0.1, u64::MAX)] {
        let device = device("flex").unwrap();
        let kept = |seed: u64| -> Vec<bool> {
            let ones = Tensor::<1>::ones([n], &device);
            read(ops::dropout(ones, DropoutMask::new(p, seed))).iter().map(|&x| x > 0.0).collect()
        };
        let mask = kept(seed);
        let other = kept(seed.wrapping_add(1));
        let q = 1.0 - p;
        let within = |count: usize, of: usize, share: f64, what: &str| {
            let deviation = (of as f64 * share * (1.0 - share)).sqrt();
            let error = (count as f64 - of as f64 * share).abs();
            assert!(error < 4.0 * deviation, "{what}, p {p}: {count} of {of}");
        };
        within(mask.iter().filter(|&&kept| kept).count(), n, q, "kept");
        for lag in [1, 64, 1024] {
            let both = (0..n - lag).filter(|&i| mask[i] && mask[i + lag]).count();
            within(both, n - lag, q * q, "both of two places");
        }
        let both = (0..n).filter(|&i| mask[i] && other[i]).count();
        within(both, n, q * q, "kept by two seeds");
    }
}
