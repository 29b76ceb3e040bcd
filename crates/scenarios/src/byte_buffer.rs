//! `byte-buffer`: one allocation of as many bytes as the `int-list` of that size, every page written.
//!
//! Large requests take another road through most allocators, straight from the system and back.
//! Against `int-list` it tells what of the retention is due to the small blocks.

use std::hint::black_box;

use crate::int_list::{SCENARIO as INT_LIST, footprint_bytes};
use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "byte-buffer",
    summary: "one allocation of the same number of bytes, every page written",
    question: "does one large block come back, where as many bytes in small ones do not?",
    unit: "integers' worth of bytes (32 each)",
    default_size: INT_LIST.default_size,
    footprint_bytes,
    build: |size, _seed| boxed(|| ByteBuffer::build(size)),
};

struct ByteBuffer(Vec<u8>);

impl ByteBuffer {
    fn build(size: u64) -> ByteBuffer {
        // Filled with ones: zeros would be asked for as zeroed memory, and no page touched.
        ByteBuffer(black_box(vec![1; footprint_bytes(size) as usize]))
    }
}

impl Object for ByteBuffer {
    fn live_bytes(&self) -> u64 {
        self.0.capacity() as u64
    }
}
