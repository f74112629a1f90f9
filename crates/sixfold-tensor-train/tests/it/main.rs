//! The oracles of tensor trains.

mod common;
mod gradient;
mod init;
mod lookup;
mod shape;
