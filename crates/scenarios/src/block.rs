//! The small block of the scenarios whose point is not its size: 160 bytes, every byte written.
//!
//! More than the 128 bytes up to which glibc keeps freed blocks apart without joining them with
//! their neighbours: what such blocks keep is `int-list`'s question, and would hide what the others
//! ask. And no size of the traffic's: what sits in a thread's cache after the drop stays there,
//! where otherwise traffic would take it and put back another, and chance decide what that pins.

use std::hint::black_box;

pub(crate) type Block = Box<[u8; BLOCK_BYTES as usize]>;

pub(crate) const BLOCK_BYTES: u64 = 160;

/// Bytes of a block and of the pointer to it in a list.
pub(crate) const BYTES_PER_BLOCK: u64 = BLOCK_BYTES + size_of::<Block>() as u64;

/// One block, out of the optimiser's sight.
pub(crate) fn block() -> Block {
    black_box(Box::new([1; BLOCK_BYTES as usize]))
}

/// What a list of blocks holds.
pub(crate) fn bytes_of(list: &Vec<Block>) -> u64 {
    (list.capacity() * size_of::<Block>()) as u64 + list.len() as u64 * BLOCK_BYTES
}
