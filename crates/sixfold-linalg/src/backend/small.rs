//! nalgebra: less overhead on small matrices.

use super::Columns;

pub(super) fn qr(a: &Columns) -> (Columns, Columns) {
    let qr = a.nalgebra().qr();
    (Columns::from_nalgebra(qr.q()), Columns::from_nalgebra(qr.unpack_r()))
}
