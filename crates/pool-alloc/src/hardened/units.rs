//! What the allocator has in each 2 MiB of the address space: two bits for each, in a table that is there from the
//! start and of which a page is touched for 32 GiB of addresses.
//!
//! ```text
//! Unknown ----> Arena ----> Gone        Arenas are at multiples of 2 MiB, and so are large blocks (`guarded`):
//!    |            ^          ^ |        no two of them begin in one unit. The further units of a large block stay as
//!    |            +----------|-+        they are, as no block begins there.
//!    +--------> Large -------+ |
//!                 ^------------+
//! ```
//!
//! An arena's base is no block, so a unit that is Gone was a large block's, if a block is what begins there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::arena::ARENA;

/// Bits of the addresses that a program is given unless it asks for more.
const ADDRESS_BITS: u32 = if cfg!(target_arch = "x86_64") { 47 } else { 48 };

const UNITS: usize = 1 << (ADDRESS_BITS - ARENA.trailing_zeros());

/// Units to a word of the table.
const PER_WORD: usize = 32;

static TABLE: [AtomicU64; UNITS / PER_WORD] = [const { AtomicU64::new(0) }; UNITS / PER_WORD];

/// See the top of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Unit {
    /// Nothing of the allocator's ever began here.
    Unknown = 0,
    /// An arena.
    Arena = 1,
    /// A large block in use begins here.
    Large = 2,
    /// One of these was here, and is not mapped any more.
    Gone = 3,
}

impl Unit {
    /// The state of an address's unit.
    #[inline(always)]
    pub(super) fn of(address: *mut u8) -> Self {
        let (word, shift) = place(address);
        match TABLE.get(word).map(|word| word.load(Relaxed) >> shift & 3) {
            Some(1) => Self::Arena,
            Some(2) => Self::Large,
            Some(3) => Self::Gone,
            _ => Self::Unknown,
        }
    }

    /// Whether the address is that of its unit.
    pub(super) fn begins_at(address: *mut u8) -> bool {
        address.addr().is_multiple_of(ARENA)
    }

    /// Makes this the state of an address's unit.
    pub(super) fn put(self, address: *mut u8) {
        while !Self::of(address).becomes(self, address) {}
    }

    /// Makes `next` the state of an address's unit if this is; false otherwise.
    pub(super) fn becomes(self, next: Self, address: *mut u8) -> bool {
        let (word, shift) = place(address);
        let changed = |word: u64| {
            let is_this = word >> shift & 3 == self as u64;
            is_this.then_some(word & !(3 << shift) | (next as u64) << shift)
        };
        match TABLE.get(word) {
            Some(word) => word.fetch_update(Relaxed, Relaxed, changed).is_ok(),
            // There are no such addresses to be had.
            None => true,
        }
    }
}

/// The word of the table for an address, and how far its bits are to be shifted.
#[inline(always)]
fn place(address: *mut u8) -> (usize, usize) {
    let unit = address.addr() / ARENA;
    (unit / PER_WORD, unit % PER_WORD * 2)
}
