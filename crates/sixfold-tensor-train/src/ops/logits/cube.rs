//! Logits on CUDA and wgpu: products with blocks of rows, which the look-up makes.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::ops::{FloatTensorOps, IntTensorOps};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{FloatDType, IntDType, Scalar, Shape, Slice};
use burn_cubecl::CubeBackend;

use super::LogitsOps;
use crate::TtShape;
use crate::lookup::Plan;
use crate::ops::lookup::LookupOps;

type B = CubeBackend;
type Float = FloatTensor<B>;
