//! The oracles of sparse updates.

mod adam;
mod adapter;
mod apply;
mod calibration;
mod common;
mod config;
mod diagnostics;
mod lora;
mod lora_import;
mod memory;
mod orientation;
mod sampled;
mod select;
