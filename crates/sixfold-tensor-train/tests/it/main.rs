//! The oracles of tensor trains.

mod common;
mod files;
mod gradient;
mod init;
mod lookup;
mod quantised;
mod shape;
