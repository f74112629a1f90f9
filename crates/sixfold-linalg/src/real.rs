//! The two number types that this crate computes with.

use ndarray::{ArrayView2, NdFloat};

/// `f32` or `f64`. Sealed: the kernels below know no other type.
///
/// ```
/// use sixfold_linalg::Real;
/// fn half<T: Real>(x: T) -> f64 {
///     0.5 * x.widen()
/// }
/// assert_eq!(half(3.0_f32), 1.5);
/// ```
pub trait Real: NdFloat + sealed::Sealed {
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// Distance from 1 to the next larger number, as `f64`.
    const EPSILON: f64;
    /// The largest binary exponent of a scale that neither overflows nor underflows here.
    const MAX_SCALE_EXPONENT: i32;

    /// The same number as `f64`, exactly.
    fn widen(self) -> f64;

    /// The nearest number of this type.
    fn narrow(x: f64) -> Self;

    /// The matrix itself where it is one of `f32`, so that kernels in single precision need no copy.
    fn single(x: ArrayView2<'_, Self>) -> Option<ArrayView2<'_, f32>>;
}

impl Real for f32 {
    const NAME: &'static str = "f32";
    const EPSILON: f64 = f32::EPSILON as f64;
    const MAX_SCALE_EXPONENT: i32 = 120;

    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn narrow(x: f64) -> Self {
        x as f32
    }

    fn single(x: ArrayView2<'_, Self>) -> Option<ArrayView2<'_, f32>> {
        Some(x)
    }
}

impl Real for f64 {
    const NAME: &'static str = "f64";
    const EPSILON: f64 = f64::EPSILON;
    const MAX_SCALE_EXPONENT: i32 = 1000;

    fn widen(self) -> f64 {
        self
    }

    fn narrow(x: f64) -> Self {
        x
    }

    fn single(_: ArrayView2<'_, Self>) -> Option<ArrayView2<'_, f32>> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
