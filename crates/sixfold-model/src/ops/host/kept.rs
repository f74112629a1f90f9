//! Bytes of burn in memory of the pool.

use std::mem::{ManuallyDrop, MaybeUninit, take};
use std::ptr::NonNull;
use std::slice;

use burn::tensor::{AllocationProperty, Bytes};
use burn_std::{AccessError, AccessPolicy, AllocationController};

use super::pool::{LARGE, keep};

/// The bytes of a vector, whose memory comes back when they are dropped.
pub(super) fn bytes(values: Vec<f32>) -> Bytes {
    if values.len() < LARGE {
        return Bytes::from_elems(values);
    }
    let len = size_of_val(&*values);
    #[expect(unsafe_code, reason = "bytes with an allocation of their own are made no other way")]
    // SAFETY: all values of the vector are initialised.
    unsafe {
        Bytes::from_controller(Box::new(Kept(values)), len)
    }
}

/// A vector that goes to the pool.
struct Kept(Vec<f32>);

impl Drop for Kept {
    fn drop(&mut self) {
        keep(take(&mut self.0));
    }
}

impl AllocationController for Kept {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Native
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe")]
    // SAFETY: as the trait asks, callers write initialised data only.
    unsafe fn memory_mut(
        &mut self,
        _: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let (start, len) = (self.0.as_mut_ptr(), self.capacity());
        // SAFETY: the vector's own memory, borrowed as long as the vector is.
        Ok(unsafe { slice::from_raw_parts_mut(start.cast(), len) })
    }

    #[expect(unsafe_code, reason = "a vector does not show its capacity otherwise")]
    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        // SAFETY: the vector's own memory, borrowed as long as the vector is.
        Ok(unsafe { slice::from_raw_parts(self.0.as_ptr().cast(), self.capacity()) })
    }

    fn capacity(&self) -> usize {
        size_of::<f32>() * self.0.capacity()
    }

    fn try_detach(&mut self) -> Option<NonNull<u8>> {
        // Who takes the memory frees it with the alignment and capacity told above.
        let mut vector = ManuallyDrop::new(take(&mut self.0));
        NonNull::new(vector.as_mut_ptr().cast())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::{recycled, used};
    use super::*;

    #[test]
    fn memory_comes_back_and_can_be_taken_away() {
        // A length that no other test has.
        let n = LARGE + 4_321;
        let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let start = values.as_ptr();
        let mut bytes = bytes(values);
        let copy = bytes.clone();
        bytes[..4].copy_from_slice(&7.5_f32.to_ne_bytes());
        assert_eq!(copy[..8], [0.0_f32.to_ne_bytes(), 1.0_f32.to_ne_bytes()].concat());
        drop(bytes);
        let again = recycled(n);
        assert_eq!((again.as_ptr(), again[0], again[1]), (start, 7.5, 1.0));
        let other = recycled(n);
        assert_ne!(other.as_ptr(), start);
        drop(other);
        // A vector that is taken out of the bytes is the caller's.
        let taken = super::bytes(again).try_into_vec::<f32>().unwrap();
        assert_eq!((taken.as_ptr(), taken.len()), (start, n));
        assert!(used(n).is_none());
    }
}
