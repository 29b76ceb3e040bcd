//! Which blocks of an arena are in use: a bit for each multiple of the least block size.
//!
//! ```text
//! arena + 4 KiB                                 arena + HEADER
//!  | bit 0 | bit 1 | ...            | bit 262,143 |  blocks ...
//!
//! bit (address mod 2 MiB) / 8 is set   <=>   a block in use begins at the address
//! ```
//!
//! The bits do not depend on the pools' classes, so that no division is needed, and none of them has a meaning to be
//! changed when a slice becomes a pool of another class. A page of bits is touched when one of 256 KiB of blocks is.
//!
//! Bits of neighbours are in one word, and blocks are freed by any thread: hence the atomic steps. They order nothing.
//! Whoever hands a block out has it from who freed it, by the order of the pool's word or of the lock.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::arena::{ARENA, HEADER};

/// The least distance of two blocks.
const STEP: usize = 8;

const BITS: usize = u64::BITS as usize;

/// See the top of this file. All-zero bytes are those of a fresh arena.
pub(crate) struct Live([AtomicU64; ARENA / STEP / BITS]);

const _: () = assert!(
    HEADER.is_multiple_of(STEP * BITS),
    "a slice begins with a word of bits"
);

impl Live {
    /// The bits of the arena around an address.
    ///
    /// # Safety
    /// There is one, and it stays mapped while the result is used.
    #[inline(always)]
    pub(super) unsafe fn around<'a>(address: *mut u8) -> &'a Self {
        let base = address.expose_provenance() & !(ARENA - 1);
        let bits = ptr::with_exposed_provenance(base + HEADER - size_of::<Self>());
        // SAFETY: the bits are the end of the header, and zeroes are valid ones.
        unsafe { &*bits }
    }

    /// Whether a block in use begins at the address.
    #[inline(always)]
    pub(super) fn has(&self, address: *mut u8) -> bool {
        let (word, bit) = self.of(address);
        address.addr().is_multiple_of(STEP) && word.load(Relaxed) & bit != 0
    }

    /// Sets a block's bit; returns whether it was set.
    #[inline(always)]
    pub(super) fn set(&self, block: *mut u8) -> bool {
        let (word, bit) = self.of(block);
        word.fetch_or(bit, Relaxed) & bit != 0
    }

    /// Clears a block's bit; returns whether it was set.
    #[inline(always)]
    pub(super) fn clear(&self, block: *mut u8) -> bool {
        let (word, bit) = self.of(block);
        word.fetch_and(!bit, Relaxed) & bit != 0
    }

    /// Clears the bits from an address up to another, which both are multiples of 512.
    pub(super) fn clear_all(&self, from: *mut u8, end: usize) {
        let words = (from.addr() & (ARENA - 1)) / (STEP * BITS)..;
        for word in &self.0[words][..(end - from.addr()) / (STEP * BITS)] {
            // Reading does not make a page of zeroes resident.
            if word.load(Relaxed) != 0 {
                word.store(0, Relaxed);
            }
        }
    }

    #[inline(always)]
    fn of(&self, address: *mut u8) -> (&AtomicU64, u64) {
        let number = (address.addr() & (ARENA - 1)) / STEP;
        (&self.0[number / BITS], 1 << (number % BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clearing_a_slice_leaves_its_neighbours() {
        let live = Live([const { AtomicU64::new(0) }; ARENA / STEP / BITS]);
        let at = |offset: usize| ptr::without_provenance_mut::<u8>((1 << 40) + (64 << 10) + offset);
        let (before, first, last, behind) = (at(0), at(512), at(2_040), at(2_048));
        for block in [before, first, last, behind] {
            assert!(!live.set(block), "it was not set");
            assert!(live.set(block), "now it was");
        }
        live.clear_all(first, behind.addr());
        assert_eq!(
            [before, first, last, behind].map(|block| live.has(block)),
            [true, false, false, true]
        );
        assert!(live.clear(behind), "it was set");
        assert!(!live.clear(behind), "now it was not");
        assert!(!live.has(before.wrapping_add(1)), "it is no multiple of 8");
    }
}
