//! `limit-...`: what `int-list` costs with no allocator between.
//!
//! The kernel zeroes a page before a program has it and takes it back afterwards, and somebody has
//! to write it: no allocator that returns everything can be faster than that. With huge pages there
//! is a fault for every 2 MiB, without them one for every 4 KiB.
//!
//! A program makes its boxes one by one, enters them in a list and reads that again to drop them.
//! `limit-bump` does so, too, and asks nobody: its allocator is a sum, its free is empty.

use std::hint::black_box;
use std::ptr::{NonNull, null_mut};

use libc::{MADV_HUGEPAGE, MADV_NOHUGEPAGE};

use crate::int_list::{BYTES_PER_BOX, Int};
use crate::{Pass, Start, Workload};

pub(crate) const HUGE: Workload = Workload {
    name: "limit-huge",
    summary: "the bytes of int-list mapped, written and unmapped, in huge pages where there are any",
    operation: "the bytes of a box",
    start: Start::Cold,
    passes: 1,
    size: 5_120_000,
    prepare: |size| prepare(size, MADV_HUGEPAGE),
    limits: &[],
};

pub(crate) const FOUR_KIB: Workload = Workload {
    name: "limit-4k",
    summary: "the bytes of int-list mapped, written and unmapped, in pages of 4 KiB",
    prepare: |size| prepare(size, MADV_NOHUGEPAGE),
    ..HUGE
};

pub(crate) const BUMP: Workload = Workload {
    name: "limit-bump",
    summary: "the boxes of int-list made by adding up sizes and never freed, in huge pages where there are any",
    operation: "a box",
    prepare: prepare_bump,
    ..HUGE
};

/// In place of the vector there is one mapping, of the boxes another.
fn prepare_bump(size: u64) -> Pass {
    Box::new(move || {
        let mut boxes = Mapping::new(size as usize * size_of::<Int>(), MADV_HUGEPAGE);
        let mut list = Mapping::new(size as usize * size_of::<u64>(), MADV_HUGEPAGE);
        let words = size_of::<Int>() / size_of::<u64>();
        let places = boxes.words().chunks_exact_mut(words);
        for (value, (place, entry)) in (0..size).zip(places.zip(list.words())) {
            let new: Int = [1, 0, value];
            place.copy_from_slice(&new);
            *entry = black_box(place.as_ptr()).addr() as u64;
        }
        for entry in list.words() {
            black_box(*entry);
        }
        size
    })
}

fn prepare(size: u64, advice: i32) -> Pass {
    Box::new(move || {
        let mut mapping = Mapping::new((size * BYTES_PER_BOX) as usize, advice);
        mapping.words().fill(1);
        size
    })
}

const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Fresh memory, from the boundary of a huge page on. Dropping it gives it back.
struct Mapping {
    start: NonNull<u8>,
    mapped_bytes: usize,
    bytes: usize,
}

impl Mapping {
    fn new(bytes: usize, advice: i32) -> Mapping {
        let mapped_bytes = bytes + HUGE_PAGE_BYTES; // room for the alignment
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new memory at an address of the kernel's choice is nobody else's.
        let start = unsafe { libc::mmap(null_mut(), mapped_bytes, protection, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED, "no memory");
        // SAFETY: advice about pages of this mapping, which has been written to by nobody.
        unsafe { libc::madvise(start, mapped_bytes, advice) }; // a kernel without huge pages refuses
        Mapping {
            start: NonNull::new(start.cast()).expect("a mapping is never at null"),
            mapped_bytes,
            bytes,
        }
    }

    /// What is to be written.
    fn words(&mut self) -> &mut [u64] {
        let aligned = self.start.align_offset(HUGE_PAGE_BYTES);
        // SAFETY: the mapping is longer than what is asked for by the most that this can be.
        let start = unsafe { self.start.add(aligned) };
        let words = self.bytes / size_of::<u64>();
        // SAFETY: within the mapping, zeroed by the kernel, aligned, and borrowed as long as `self`.
        unsafe { std::slice::from_raw_parts_mut(start.cast().as_ptr(), words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the whole of a mapping that is this value's own.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.mapped_bytes) };
    }
}
