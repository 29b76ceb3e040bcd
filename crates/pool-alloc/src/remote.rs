//! A pool's word: who owns the pool, and the blocks that others freed meanwhile. The only protocol between threads.
//!
//! One atomic word per pool is always in one of these states:
//!
//! ```text
//!              +---- free by another thread: push the block ----+
//!              v                                                |
//!        Owned(empty) --- free by another thread ---> Owned(list of blocks)
//!         |  ^     ^------- the owner collects ----------------+
//!         |  |
//!  disown |  | whoever wants a pool of its class: claims (Listed only)
//!         v  |
//!        Full, Listed                        nobody owns it; its list is empty
//!         |
//!         | whoever frees a block first: claims
//!         v
//!        Aside(empty or list) <--- the owner lays it aside ------- Owned(empty)
//!         |      ^   | others push as above
//!         |      +---+
//!         |-------------- the owner takes it up ----------------> Owned(empty or list)
//!         | free by another thread of the last block in use
//!         v
//!        Vacant
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
//! A pool that is laid aside is one of which its owner hands out no block: how many there are in use can only fall. So
//! whoever frees a block of it, and sees that all others wait in the word, knows that it is the last one, and that nobody
//! needs anything in the pool any more: the owner may sleep for ever. It makes the pool vacant, under the lock of the
//! commons, which give the memory back. The header and the place of the pool on its owner's list stay the owner's,
//! who finds out when it wants to take the pool up.
//!
//! ```text
//! Aside, n blocks in the word, a block in hand, used = n + 1   =>   no other is in use
//! ```
//!
//! The word alone does not tell that nothing has happened between looking at `used` and changing the word: the pool may have
//! been taken up, filled, and laid aside with the same list. So `used` is looked at once more when the word is Vacant and the
//! owner is kept out; where it was a mistake, it is undone. That is why Vacant may be relied on under the lock only.
//!
//! Where the owner frees the last one in use while the others wait, it is the owner who sees it: whoever is about to push a
//! block to a pool that is laid aside first sets its alarm, to one more than then wait (`Pool::uses_or_will_look`). If it
//! rings before the block is there, the owner takes the pool up and lays it aside anew, with another turn in the word: so
//! whoever is about to push fails, and looks again.
//!
//! What is left is a window of some nanoseconds, in which neither sees what the other has just written, and a pool that was
//! filled and laid aside again between a look and its push. Such a one is for the owner to find when it next needs a pool.
//!
//! Collecting detaches the whole list at once, so no thread ever follows a link that another can change (no ABA).
//! The word counts what it holds, so that the owner need not follow the links either, each of which another processor
//! has just written:
//!
//! ```text
//! word = where in its arena the block lies that was freed last, whether the pool is laid aside, and its turn, in the lower
//!        half;  how many there are, in the upper
//! ```
//!
//! Each step out of a state releases what the thread wrote to the pool before. Each step into ownership and each
//! collecting acquires it, and so does whoever sees that a pool was laid aside, before looking at `used`. A thread that
//! pushed touches neither word nor pool afterwards: the pool may be gone.

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

/// No block is in use, and the owner, who laid it aside, does not know yet.
const VACANT: usize = 3;

/// Bits of the lower half.
const HALF: u32 = usize::BITS / 2;

/// Set where the pool is laid aside.
const ASIDE: usize = 1 << (HALF - 1);

/// The bits between that and the place of a block: which time it is that its owner has laid the pool aside.
const TURNS: usize = ASIDE - ARENA;

/// Which time it is, modulo the times that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(usize);

impl Turn {
    /// After the pool was current, or nobody's.
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) fn next(self) -> Self {
        Self((self.0 + ARENA) & TURNS)
    }
}

const _: () = assert!(ARENA < ASIDE && Turn::FIRST.0 == 0);

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
    /// There was no owner: the caller is it now, the pool is laid aside, and the block is still in its hand.
    Claimed(Unowned),
    /// It may be the last one in use of a pool that is laid aside, and is still in the caller's hand: `vacate` finds out.
    PerhapsLast,
}

impl Word {
    /// Frees `block` on behalf of a thread that does not own the pool. `is_all` tells of a number of blocks whether so many
    /// are in use or wait in the word.
    ///
    /// # Safety
    /// `block` is a block in use of this word's pool, and the caller is done with it.
    pub(crate) unsafe fn free(&self, block: *mut Block, is_all: impl Fn(u32) -> bool) -> Freed {
        let mut seen = self.0.load(Acquire);
        loop {
            let (new, outcome) = match unowned(seen) {
                Some(state) => (ASIDE, Freed::Claimed(state)),
                None if seen == VACANT || is_aside(seen) && is_all(count(seen) + 1) => {
                    return Freed::PerhapsLast;
                }
                None => {
                    // SAFETY: the block is the caller's until the exchange below succeeds.
                    unsafe { Block::link(block, self.first(seen)) };
                    let word = self.holding(block, count(seen) + 1);
                    (word | seen & (ASIDE | TURNS), Freed::Pushed)
                }
            };
            match self.0.compare_exchange_weak(seen, new, AcqRel, Acquire) {
                Ok(_) => return outcome,
                Err(now) => seen = now,
            }
        }
    }

    /// Makes a pool vacant that is laid aside, if the block in the caller's hand is the last one in use (`is_all` as above).
    /// If not, it is to be freed anew. Under the lock.
    #[must_use]
    pub(crate) fn vacate(&self, is_all: impl Fn(u32) -> bool) -> bool {
        let seen = self.0.load(Relaxed);
        let is_vacant = is_aside(seen)
            && self
                .0
                .compare_exchange(seen, VACANT, Acquire, Relaxed)
                .is_ok();
        if is_vacant && !is_all(count(seen) + 1) {
            self.0.store(seen, Release);
            return false;
        }
        is_vacant
    }

    /// The word for so many blocks, of which this was freed last.
    fn holding(&self, first: *mut Block, count: u32) -> usize {
        let word = first.expose_provenance() & (ARENA - 1) | (count as usize) << HALF;
        invariant!(self.first(word) == first && self::count(word) == count);
        word
    }

    /// The block that was freed last, if any.
    fn first(&self, word: usize) -> *mut Block {
        if count(word) == 0 {
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
        invariant!(!is_aside(word) && word != VACANT);
        Some((self.first(word), count(word)))
    }

    /// How many blocks others have freed. Only for the owner; but others may free more meanwhile.
    pub(crate) fn waiting(&self) -> u32 {
        count(self.0.load(Relaxed))
    }

    /// Lays the pool aside; false where blocks came in that the owner has to collect first. Only for the owner, who hands
    /// out none until it has taken the pool up.
    #[must_use]
    pub(crate) fn lay_aside(&self, turn: Turn) -> bool {
        self.0
            .compare_exchange(OWNED_EMPTY, ASIDE | turn.0, Release, Relaxed)
            .is_ok()
    }

    /// Takes up what was laid aside, if it was, and tells its turn; `None` where it is vacant. Only for the owner.
    #[must_use]
    pub(crate) fn take_up(&self) -> Option<Turn> {
        let word = self.0.fetch_and(!(ASIDE | TURNS), Relaxed);
        (word != VACANT).then_some(Turn(word & TURNS))
    }

    /// Whether it is vacant: under the lock. Without it, whether it may be.
    pub(crate) fn is_vacant(&self) -> bool {
        self.0.load(Relaxed) == VACANT
    }

    /// Makes it the word of a pool that is not open. Nobody else has to do with it any more.
    pub(crate) fn end(&self) {
        self.0.store(OWNED_EMPTY, Relaxed);
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

fn is_aside(word: usize) -> bool {
    word & ASIDE != 0
}

fn unowned(word: usize) -> Option<Unowned> {
    match word {
        1 => Some(Unowned::Full),
        2 => Some(Unowned::Listed),
        _ => None,
    }
}
