//! Rotary positions made of plain burn operations.

use burn::tensor::Tensor;

/// See [`rotate`](super::rotate).
pub fn rotate<const D: usize>(
    x: Tensor<D>,
    cos: Tensor<2>,
    sin: Tensor<2>,
    heads: usize,
) -> Tensor<D> {
    let dims = x.dims();
    let [len, half] = cos.dims();
    // `reshape` would take a 0 for the length that the axis had before.
    if half == 0 || dims.contains(&0) {
        return x;
    }
    let d_head = dims[D - 1] / heads;
    let outer = dims[..D - 2].iter().product::<usize>();
    let x = x.reshape([outer, len, heads, d_head]);
    let dtype = x.dtype();
    let by = |angle: Tensor<2>| angle.cast(dtype).reshape([1, len, 1, half]);
    let (cos, sin) = (by(cos), by(sin));
    let a = x.clone().narrow(3, 0, half);
    let b = x.clone().narrow(3, half, half);
    let mut parts = vec![a.clone() * cos.clone() - b.clone() * sin.clone(), b * cos + a * sin];
    if 2 * half < d_head {
        parts.push(x.narrow(3, 2 * half, d_head - 2 * half));
    }
    Tensor::cat(parts, 3).reshape(dims)
}
