//! A pool: blocks of one size, cut from one slice of an arena. This file is its header; the blocks are elsewhere.
//!
//! ```text
//!  start                        bump              limit     end
//!    |  blocks that were handed  |  never handed    |  rest  |
//!    |  out at least once        |  out             |        |
//! ```
//!
//! A block is *in use*, on the *free* list, *remote* (freed by another thread, waiting in the pool's word), or
//! *untouched* (at or above `bump`). With all four counted:
//!
//! ```text
//! start + k * block_size is a block for 0 <= k < capacity;   limit = start + capacity * block_size <= end
//! in use + remote = used;   used + free + untouched = capacity
//! ```
//!
//! A block goes out from the free list, else from the bump pointer, so that memory is touched only when it is needed
//! and a fresh pool costs its header alone.
//!
//! Who may touch a header: the pool's owner (see `remote`), and while the slice is free, whoever holds the lock of
//! the commons. `used` and `bump` are atomic only so that `stats` may read them from another thread; they are
//! plain loads and stores to the owner.

use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use crate::arena::Arena;
use crate::class::Class;
use crate::heap::Heap;
use crate::list::{Linked, Links, Ref};
use crate::os::invariant;
use crate::remote::Word;
use crate::sync::{self, AtomicPtr, AtomicU32, Cell};

/// The header. All-zero bytes are the header of a slice that was never used.
#[repr(C, align(64))]
pub(crate) struct Pool {
    free: Cell<*mut Block>,
    bump: AtomicPtr<u8>,
    limit: Cell<*mut u8>,
    used: AtomicU32,
    block_size: Cell<u32>,
    /// The owner's heap, null without one. Only ever compared, never followed.
    owner: AtomicPtr<Heap>,
    /// On a heap's list of partial pools, or on the list of abandoned ones.
    links: Links<Self>,
    /// Bytes from the slice's start that may hold something from an earlier use; the rest up to `bump` is known zero.
    stale: Cell<u32>,
    class: Cell<u8>,
    resting: Cell<bool>,
}

const _: () = assert!(size_of::<Pool>() == 64, "the header is one cache line");

impl Linked<0> for Pool {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The first word of a block that is not in use: the link to the next one.
#[repr(transparent)]
pub(crate) struct Block(*mut Block);

impl Block {
    /// # Safety
    /// `block` is not in use, and it is the caller's.
    #[inline(always)]
    pub(crate) unsafe fn link(block: *mut Self, next: *mut Self) {
        // SAFETY: every block has room for a link and is aligned for it.
        unsafe { sync::write(block, Self(next)) };
    }

    /// # Safety
    /// `block` was linked and is still the caller's.
    #[inline(always)]
    unsafe fn next(block: *mut Self) -> *mut Self {
        // SAFETY: a linked block begins with its link.
        unsafe { sync::read(block) }.0
    }
}

impl Pool {
    /// A header without blocks: what a heap has where it has no pool.
    pub(crate) const fn none() -> Self {
        Self {
            free: Cell::new(ptr::null_mut()),
            bump: AtomicPtr::new(ptr::null_mut()),
            limit: Cell::new(ptr::null_mut()),
            used: AtomicU32::new(0),
            block_size: Cell::new(0),
            owner: AtomicPtr::new(ptr::null_mut()),
            links: Links::new(),
            stale: Cell::new(0),
            class: Cell::new(0),
            resting: Cell::new(false),
        }
    }

    /// A block, or null where the pool has none left.
    #[inline(always)]
    pub(crate) fn take(&self) -> *mut u8 {
        let block = self.free.get();
        if !block.is_null() {
            // SAFETY: blocks on the free list are linked and the owner's.
            self.free.set(unsafe { Block::next(block) });
            self.used.store(self.used() + 1, Relaxed);
            return block.cast();
        }
        let block = self.bump.load(Relaxed);
        if block == self.limit.get() {
            return ptr::null_mut();
        }
        self.bump
            .store(block.wrapping_add(self.block_size()), Relaxed);
        self.used.store(self.used() + 1, Relaxed);
        block
    }

    /// Takes a block back; true where it was the last one in use.
    ///
    /// # Safety
    /// `block` is in use, of this pool, and the caller is done with it.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, block: *mut Block) -> bool {
        invariant!(self.used() > 0);
        // SAFETY: the caller hands the block over.
        unsafe { Block::link(block, self.free.get()) };
        self.free.set(block);
        let used = self.used() - 1;
        self.used.store(used, Relaxed);
        used == 0
    }

    /// Moves the blocks that other threads freed to the free list.
    pub(crate) fn collect(&self) {
        let first = self.word().collect();
        if first.is_null() {
            return;
        }
        let (mut last, mut count) = (first, 1);
        loop {
            // SAFETY: a collected block is linked, and it is the owner's.
            let next = unsafe { Block::next(last) };
            if next.is_null() {
                break;
            }
            (last, count) = (next, count + 1);
        }
        // SAFETY: as above; the list's end gets a successor.
        unsafe { Block::link(last, self.free.get()) };
        self.free.set(first);
        invariant!(count <= self.used());
        self.used.store(self.used() - count, Relaxed);
    }

    /// Makes a free slice into a pool of `class` without a block in use, owned by whoever asked for it.
    pub(crate) fn open(&self, class: Class, start: *mut u8, end: *mut u8) {
        let size = class.block_size();
        let capacity = (end.addr() - start.addr()) / size;
        self.free.set(ptr::null_mut());
        self.bump.store(start, Relaxed);
        self.limit.set(start.wrapping_add(capacity * size));
        self.used.store(0, Relaxed);
        self.block_size.set(size as u32);
        self.class.set(class.index() as u8);
        self.resting.set(false);
    }

    /// The pool's class; means nothing while the slice is free.
    pub(crate) fn class(&self) -> Class {
        Class::nth(self.class.get() as usize)
    }

    pub(crate) fn block_size(&self) -> usize {
        self.block_size.get() as usize
    }

    /// Blocks in use, remote ones included.
    #[inline(always)]
    pub(crate) fn used(&self) -> u32 {
        self.used.load(Relaxed)
    }

    /// No block is left to hand out, as far as the owner has collected.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.free.get().is_null() && self.bump.load(Relaxed) == self.limit.get()
    }

    /// The next block handed out will be all zeroes.
    pub(crate) fn next_is_zero(&self) -> bool {
        self.free.get().is_null() && self.bumped() >= self.stale.get() as usize
    }

    /// Bytes from the slice's start that may be resident.
    pub(crate) fn touched(&self) -> usize {
        self.bumped().max(self.stale.get() as usize)
    }

    /// Says of a free slice how much of it may be resident.
    pub(crate) fn set_stale(&self, bytes: usize) {
        self.stale.set(bytes as u32);
    }

    /// While the slice is free: what may be resident.
    pub(crate) fn stale(&self) -> usize {
        self.stale.get() as usize
    }

    fn bumped(&self) -> usize {
        self.bump.load(Relaxed).addr() - Arena::slice_start(self).addr()
    }

    #[inline(always)]
    pub(crate) fn owner(&self) -> *const Heap {
        self.owner.load(Relaxed)
    }

    pub(crate) fn set_owner(&self, heap: Option<Ref<Heap>>) {
        self.owner
            .store(heap.map_or(ptr::null_mut(), Ref::as_ptr), Relaxed);
    }

    /// Whether the pool is one of its heap's resting pools (see `heap`).
    pub(crate) fn is_resting(&self) -> bool {
        self.resting.get()
    }

    pub(crate) fn set_resting(&self, resting: bool) {
        self.resting.set(resting);
    }

    pub(crate) fn word(&self) -> &Word {
        Arena::word_of(self)
    }
}
