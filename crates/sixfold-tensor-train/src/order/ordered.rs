//! A table whose rows are read in another order.

use super::Order;
use crate::decompose::Table;
use crate::{Error, Result};

/// A table's rows in an order; nothing is copied.
#[derive(Clone, Debug)]
pub struct Ordered<'a, T> {
    order: &'a Order,
    table: T,
}

impl<'a, T: Table> Ordered<'a, T> {
    pub(super) fn new(order: &'a Order, table: T) -> Result<Self> {
        let (expected, found) = (order.len(), table.dim().0);
        if expected != found {
            return Err(Error::Length { what: "the table to be ordered", expected, found });
        }
        Ok(Self { order, table })
    }
}

impl<T: Table> Table for Ordered<'_, T> {
    fn dim(&self) -> (usize, usize) {
        self.table.dim()
    }

    fn read_row<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> &'a [f32] {
        self.table.read_row(self.order.ids[row] as usize, scratch)
    }
}
