//! Matrices in files: `.npy` and `.safetensors`, memory-mapped.
