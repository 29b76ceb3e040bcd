//! A pool's word: who owns the pool, and the blocks that others freed meanwhile. The only protocol between threads.
//!
//! One atomic word per pool is always in one of these states:
//!
//! ```text
//!              +---- free by another thread: push the block ----+
//!              v                                                |
//!        Owned(empty) --- free by another thread ---> Owned(list of blocks)
//!         |  ^   ^ ^------- the owner collects ----------------+
//!         |  |   |
//!  disown |  |   | whoever frees a block first, or (Listed only) wants a pool of its class: claims
//!         v  |   |
//!        Full, Listed                        nobody owns it; its list is empty
//! ```
//!
//! What makes nothing be lost is one equation, which holds because each arrow is one atomic step:
//!
//! ```text
//! the word holds blocks  =>  the pool has exactly one owner, who collects them
//! ```
//!
//! - `disown` succeeds only from Owned(empty). A block pushed meanwhile makes it fail, and the owner collects.
//! - A free that finds no owner does not leave the block behind: it claims the pool, and the claimer then frees the
//!   block as the owner does.
//! - A claim succeeds for one thread only.
//!
//! Collecting detaches the whole list at once, so no thread ever follows a link that another can change (no ABA).
//! The word counts what it holds, so that the owner need not follow the links either, each of which another processor
//! has just written:
//!
//! ```text
//! word = where in its arena the block lies that was freed last, in the lower half;  how many there are, in the upper
//! ```
//!
//! Each step out of a state releases what the thread wrote to the pool before, each step into ownership and each
//! collecting acquires it. A thread that pushed touches neither word nor pool afterwards: the pool may be gone.

use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::arena::ARENA;
use crate::os::invariant;
use crate::pool::Block;
use crate::sync::AtomicUsize;

/// The word, which lies in its pool's arena. Zero is Owned(empty), which suits a fresh page; the states without an owner
/// count no blocks.
pub(crate) struct Word(AtomicUsize);

const OWNED_EMPTY: usize = 0;

/// Bits of the lower half.
const HALF: u32 = usize::BITS / 2;

const _: () = assert!(ARENA < 1 << HALF);

/// The states without an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Unowned {
    /// Every block is in use; on no list.
    Full = 1,
    /// Some blocks are free; on the list of abandoned pools, or about to leave it by the hand of its claimer.
    Listed = 2,
}

/// What became of a block that was freed by a thread that does not own its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freed {
    /// It waits in the word for the owner.
    Pushed,
    /// There was no owner: the caller is it now, and the block is still in its hand.
    Claimed(Unowned),
}

impl Word {
    /// Frees `block` on behalf of a thread that does not own the pool.
    ///
    /// # Safety
    /// `block` is a block in use of this word's pool, and the caller is done with it.
    pub(crate) unsafe fn free(&self, block: *mut Block) -> Freed {
        let mut seen = self.0.load(Relaxed);
        loop {
            let (new, outcome) = match unowned(seen) {
                Some(state) => (OWNED_EMPTY, Freed::Claimed(state)),
                None => {
                    // SAFETY: the block is the caller's until the exchange below succeeds.
                    unsafe { Block::link(block, self.first(seen)) };
                    (self.holding(block, count(seen) + 1), Freed::Pushed)
                }
            };
            match self.0.compare_exchange_weak(seen, new, AcqRel, Relaxed) {
                Ok(_) => return outcome,
                Err(now) => seen = now,
            }
        }
    }

    /// The word for so many blocks, of which this was freed last.
    fn holding(&self, first: *mut Block, count: u32) -> usize {
        let word = first.expose_provenance() & (ARENA - 1) | (count as usize) << HALF;
        invariant!(self.first(word) == first && self::count(word) == count);
        word
    }

    /// The block that was freed last, if any.
    fn first(&self, word: usize) -> *mut Block {
        if word == OWNED_EMPTY {
            return ptr::null_mut();
        }
        let arena = ptr::from_ref(self).addr() & !(ARENA - 1);
        ptr::with_exposed_provenance_mut(arena | word & (ARENA - 1))
    }

    /// The state without an owner that it is in, if any.
    pub(crate) fn unowned(&self) -> Option<Unowned> {
        unowned(self.0.load(Relaxed))
    }

    /// Detaches what others freed, if anything: a list ending in null, and how many are on it. Only for the owner.
    pub(crate) fn collect(&self) -> Option<(*mut Block, u32)> {
        if self.0.load(Relaxed) == OWNED_EMPTY {
            return None;
        }
        let word = self.0.swap(OWNED_EMPTY, Acquire);
        Some((self.first(word), count(word)))
    }

    /// Leaves the pool without an owner; false where blocks came in that the owner has to collect first. Only for
    /// the owner, who touches the pool no more after success.
    #[must_use]
    pub(crate) fn disown(&self, to: Unowned) -> bool {
        self.0
            .compare_exchange(OWNED_EMPTY, to as usize, Release, Relaxed)
            .is_ok()
    }

    /// Becomes the owner of a listed pool; false where another thread was first.
    #[must_use]
    pub(crate) fn claim_listed(&self) -> bool {
        self.0
            .compare_exchange(Unowned::Listed as usize, OWNED_EMPTY, Acquire, Relaxed)
            .is_ok()
    }
}

fn count(word: usize) -> u32 {
    (word >> HALF) as u32
}

fn unowned(word: usize) -> Option<Unowned> {
    match word {
        1 => Some(Unowned::Full),
        2 => Some(Unowned::Listed),
        _ => None,
    }
}
