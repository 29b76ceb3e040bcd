//! `c-library`: a library written in C allocates beside Rust, in turns, and frees what it took.
//!
//! Whose memory stays: Rust's or the library's? cq27-dev/rag-rat#305 is a Rust program on jemalloc
//! whose C libraries went on using the C library's `malloc`. An allocator chosen in Rust is chosen
//! for Rust: half of these integers ask whatever allocator that is, the other half `malloc`, and
//! what `malloc` keeps is nothing that the first could give back or would count.

use std::ptr::NonNull;

use crate::int_list::{Int, IntList, footprint_bytes};
use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "c-library",
    summary: "24-byte integers, every other one from the C library's malloc",
    question: "does memory come back when a C library allocates beside Rust?",
    unit: "integers",
    default_size: 3_000_000,
    footprint_bytes,
    build: |size, _seed| boxed(|| Beside::build(size)),
};

struct Beside {
    rust: IntList,
    c: Vec<CInt>,
}

impl Beside {
    fn build(size: u64) -> Beside {
        let half = size as usize / 2;
        let mut rust = IntList(Vec::with_capacity(size as usize - half));
        let mut c = Vec::with_capacity(half);
        for value in 0..size as i64 {
            match value % 2 {
                0 => rust.0.push(Int::boxed(value)),
                _ => c.push(CInt::new(value)),
            }
        }
        Beside { rust, c }
    }
}

impl Object for Beside {
    fn live_bytes(&self) -> u64 {
        let c = self.c.capacity() * size_of::<CInt>() + self.c.len() * size_of::<[i64; 3]>();
        self.rust.live_bytes() + c as u64
    }
}

/// As large as an [`Int`], from `malloc`.
struct CInt(NonNull<[i64; 3]>);

impl CInt {
    fn new(value: i64) -> CInt {
        // SAFETY: the call has no precondition.
        let block = unsafe { libc::malloc(size_of::<[i64; 3]>()) };
        let block = NonNull::new(block.cast()).expect("memory for 24 bytes");
        // SAFETY: `malloc` gave that many bytes, aligned for every basic type.
        unsafe { block.write([1, 0, value]) };
        CInt(block)
    }
}

impl Drop for CInt {
    fn drop(&mut self) {
        // SAFETY: the block is from `malloc` and freed once, here.
        unsafe { libc::free(self.0.as_ptr().cast()) };
    }
}
