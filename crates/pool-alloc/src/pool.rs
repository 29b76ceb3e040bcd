//! A pool: blocks of one size, cut from slices of an arena. This file is its header; the blocks are elsewhere.
//!
//! ```text
//!  start                bump                        limit                 end
//!    |  blocks that were  |  the row: blocks that are  |  others that were  |
//!    |  handed out        |  free and have no link     |  handed out, rest; |
//!    |                    |  (what is offered of it)   |  or more of the row|
//! ```
//!
//! A block is *in use*, on the *free* list, *remote* (freed by another thread, waiting in the pool's word), *purged*
//! (free, on a page that was given back, see `sweep`), or in the *row*. With all five counted:
//!
//! ```text
//! start + k * block_size is a block for 0 <= k < capacity;   start + capacity * block_size <= end
//! in use + remote = used;   used + free + purged + row = capacity;   bump >= limit where none of the row is offered
//! ```
//!
//! A block goes out from the free list, else from the front of the row, which is at first the whole pool, offered a page at
//! a time (`row`): memory is touched only when it is needed, and a fresh pool costs its header alone.
//!
//! Who may touch a header: the pool's owner (see `remote`), and while its slice is free, whoever holds the lock of
//! the commons. Whoever frees a block of another's pool that is laid aside reads `used`, and may raise `alarm`. `bump` and `stale` are atomic only so that `stats` may read them from another thread; they are plain loads
//! and stores to the owner. Of `used`, a store that counts a block back releases what was written to the pool before.

#[path = "pool/alarm.rs"]
mod alarm;
#[path = "pool/block.rs"]
mod block;
#[path = "pool/owner.rs"]
mod owner;
#[path = "pool/row.rs"]
mod row;

use std::hint::assert_unchecked;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::compiler_fence;

pub(crate) use block::Block;
pub(crate) use owner::Owner;

use crate::arena::Arena;
use crate::class::Class;
use crate::hardened;
use crate::list::{Linked, Links};
use crate::os::{self, invariant};
use crate::remote::Word;
use crate::sweep::Pages;
use crate::sync::{AtomicAlarm, AtomicFlag, AtomicPtr, AtomicU32, AtomicUsed, Cell};

/// The header, which is that of the first slice. All-zero bytes are one that was never used.
#[repr(C, align(64))]
pub(crate) struct Pool {
    free: Cell<*mut Block>,
    /// The row, as far as it is offered (`row`).
    bump: AtomicPtr<u8>,
    limit: Cell<*mut u8>,
    used: AtomicUsed,
    block_size: Cell<u32>,
    /// On a heap's list of partial pools, or on the list of abandoned ones.
    links: Links<Self>,
    /// Bytes from the start of its slices that may be resident though not handed out, and hold something from an earlier use;
    /// what is beyond, and at or above `bump`, is known zero.
    stale: AtomicU32,
    /// When fewer blocks than these are in use, the owner looks at the pool: its mark; or, while the pool is laid aside, what
    /// others have raised that to, so that the owner looks when all others wait in the word.
    alarm: AtomicAlarm,
    /// What the owner wants the alarm to be: 1 is when the pool is empty, 0 is never (see `rest`), more is when it is sparse
    /// (see `sparse`).
    mark: Cell<u16>,
    class: Cell<u8>,
    /// Sparse, and left unswept on the reserve's account (see `sparse`).
    spared: AtomicFlag,
}

/// How far beyond the row's next block lies what is fetched ahead: a few cache lines, so that it is there in time.
const AHEAD: usize = 256;

/// Says that this address will be wanted soon: blocks wait in an order that no processor foresees, and where they come
/// in order, there are as many orders as classes. Any address will do, there need not be anything.
#[inline(always)]
fn fetch_ahead(at: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing that the program would see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// The mark of a pool that the heap looks at when it is empty.
pub(crate) const EMPTY: u16 = 1;

/// The mark of a pool that the heap does not look at.
pub(crate) const NEVER: u16 = 0;

const _: () = assert!(size_of::<Pool>() == 64, "the header is one cache line");

impl Linked<0> for Pool {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl Pool {
    /// A header without blocks: what a heap has where it has no pool, and what its caches are (`heap::caches`).
    pub(crate) const fn none() -> Self {
        Self {
            free: Cell::new(ptr::null_mut()),
            bump: AtomicPtr::new(ptr::null_mut()),
            limit: Cell::new(ptr::null_mut()),
            used: AtomicUsed::new(0),
            block_size: Cell::new(0),
            links: Links::new(),
            stale: AtomicU32::new(0),
            alarm: AtomicAlarm::new(EMPTY as u32),
            mark: Cell::new(EMPTY),
            class: Cell::new(0),
            spared: AtomicFlag::new(false),
        }
    }

    /// A block, or null where the pool has none left.
    #[inline(always)]
    pub(crate) fn take(&self) -> *mut u8 {
        let block = self.free.get();
        if !block.is_null() {
            // SAFETY: blocks on the free list are linked and the owner's.
            let next = unsafe { Block::next(block) };
            fetch_ahead(next.cast());
            self.free.set(next);
            self.used.store(self.used() + 1, Relaxed);
            return hardened::hand_out(block.cast());
        }
        let block = self.bump.load(Relaxed);
        if block >= self.limit.get() {
            return ptr::null_mut();
        }
        // SAFETY: only what stands for a pool (`none`) has no addresses, and its row is empty.
        unsafe { assert_unchecked(!block.is_null()) };
        let next = block.wrapping_add(self.block_size());
        fetch_ahead(next.wrapping_add(AHEAD));
        self.bump.store(next, Relaxed);
        self.used.store(self.used() + 1, Relaxed);
        hardened::hand_out(block)
    }

    /// Takes a block back; true where that leaves fewer in use than the pool's alarm says.
    ///
    /// # Safety
    /// `block` is in use, of this pool, and the caller is done with it.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, block: *mut Block) -> bool {
        invariant!(self.used() > 0);
        // SAFETY: the caller hands the block over.
        unsafe { self.push(block) };
        self.count_back()
    }

    #[inline(always)]
    fn count_back(&self) -> bool {
        let used = self.used() - 1;
        self.used.store(used, Release);
        used < self.alarm.load(Relaxed)
    }

    /// Puts a block on the free list.
    ///
    /// # Safety
    /// `block` is one of this pool's, on no list, and in nobody's hand.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, block: *mut Block) {
        // SAFETY: the caller hands the block over.
        unsafe { Block::link(block, self.free.get()) };
        // In this order, should another thread fork here (see `fork`). No instruction comes of it.
        compiler_fence(Release);
        self.free.set(block);
    }

    /// The blocks on the free list.
    pub(crate) fn free_blocks(&self) -> impl Iterator<Item = *mut Block> {
        let mut next = self.free.get();
        std::iter::from_fn(move || {
            let block = next;
            if block.is_null() {
                return None;
            }
            // SAFETY: blocks on the free list are linked and the owner's.
            next = unsafe { Block::next(block) };
            Some(block)
        })
    }

    /// Takes off the free list what does not satisfy `stays`, in one pass.
    pub(crate) fn retain_free(&self, stays: impl Fn(*mut Block) -> bool) {
        let mut last = ptr::null_mut::<Block>();
        for block in self.free_blocks().filter(|block| stays(*block)) {
            match last.is_null() {
                true => self.free.set(block),
                // SAFETY: it is on the free list, and what follows it there has been read.
                false => unsafe { Block::link(last, block) },
            }
            last = block;
        }
        match last.is_null() {
            true => self.free.set(ptr::null_mut()),
            // SAFETY: as above.
            false => unsafe { Block::link(last, ptr::null_mut()) },
        }
    }

    /// Moves the blocks that other threads freed to the free list.
    pub(crate) fn collect(&self) {
        let Some((first, count)) = self.word().collect() else {
            return;
        };
        let mut last = first;
        // Where the list is empty, as it is when blocks are needed, nothing has to be followed.
        if let Some(free) = NonNull::new(self.free.get()) {
            // SAFETY: a collected block is linked, and it is the owner's.
            while let Some(next) = NonNull::new(unsafe { Block::next(last) }) {
                last = next.as_ptr();
            }
            // SAFETY: as above; the list's end gets a successor.
            unsafe { Block::link(last, free.as_ptr()) };
        }
        self.free.set(first);
        invariant!(count <= self.used());
        self.used.store(self.used() - count, Relaxed);
        invariant!(self.is_whole());
    }

    /// Makes free slices into a pool of `class` without a block in use, owned by whoever asked for it.
    pub(crate) fn open(&self, class: Class, start: *mut u8) {
        let size = class.block_size();
        self.free.set(ptr::null_mut());
        self.bump.store(start, Relaxed);
        self.used.store(0, Relaxed);
        self.block_size.set(size as u32);
        self.class.set(class.index() as u8);
        self.set_mark(EMPTY);
        self.begin_first_row();
    }

    /// Makes all of a pool resident, by one call instead of a fault for each page (see `heap::growth`). What is zero is
    /// no longer known to be. Only for the owner.
    pub(crate) fn populate(&self) {
        let start = Arena::slice_start(self);
        let end = self.extent().end;
        let Some(at) = NonNull::new(start.map_addr(os::whole_pages)) else {
            return;
        };
        // SAFETY: the pages of the pool's slices, from the first that is all its own.
        if unsafe { os::populate(at, end - at.addr().get()) } {
            self.set_stale(end - start.addr());
        }
    }

    /// The pool's class; means nothing while its slice is free.
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

    pub(crate) fn set_used(&self, blocks: u32) {
        self.used.store(blocks, Relaxed);
    }

    /// No block is left to hand out, as far as the owner has collected.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.next_is_missing() && !self.row_goes_on() && !self.has_purged_blocks()
    }

    /// The free list is empty.
    #[inline(always)]
    pub(crate) fn lists_nothing(&self) -> bool {
        self.free.get().is_null()
    }

    /// `take` would find nothing, though there may be purged blocks to restore, or a row that goes on.
    pub(crate) fn next_is_missing(&self) -> bool {
        self.lists_nothing() && self.offers_nothing()
    }

    /// Makes a page the next one to be used, where `take` would find nothing: one that was purged, else the row's next.
    pub(crate) fn find_next(&self) {
        if self.next_is_missing() && !self.restore() && self.row_goes_on() {
            self.offer_more();
        }
    }

    /// The next block handed out will be all zeroes.
    pub(crate) fn next_is_zero(&self) -> bool {
        self.lists_nothing() && self.bumped() >= self.stale()
    }

    /// Bytes from the start of its slices that may be resident.
    pub(crate) fn touched(&self) -> usize {
        self.bumped().max(self.stale())
    }

    /// Says how much may be resident, the blocks apart: for the owner, or under the lock when the pool is opened.
    pub(crate) fn set_stale(&self, bytes: usize) {
        self.stale.store(bytes as u32, Relaxed);
    }

    /// What may be resident, the blocks apart.
    pub(crate) fn stale(&self) -> usize {
        self.stale.load(Relaxed) as usize
    }

    fn bumped(&self) -> usize {
        self.bump() - Arena::slice_start(self).addr()
    }

    /// The address of the row's first block.
    pub(crate) fn bump(&self) -> usize {
        self.bump.load(Relaxed).addr()
    }

    /// See the field.
    pub(crate) fn is_spared(&self) -> bool {
        self.spared.load(Relaxed)
    }

    /// See the field.
    pub(crate) fn spared(&self) -> &AtomicFlag {
        &self.spared
    }

    /// How many blocks fit.
    pub(crate) fn capacity(&self) -> usize {
        (self.extent().end - self.start()) / self.block_size()
    }

    /// The address behind the last block.
    pub(crate) fn end_of_blocks(&self) -> usize {
        self.start() + self.capacity() * self.block_size()
    }

    /// The address of the first block.
    pub(crate) fn start(&self) -> usize {
        Arena::start_of_blocks(self, self.class()).addr()
    }

    /// The addresses of its slices, at a multiple of their size.
    pub(crate) fn extent(&self) -> Range<usize> {
        Arena::extent_of(self, self.class().span())
    }

    /// The pages that were swept, see `sweep`.
    pub(crate) fn purged(&self) -> Pages {
        Arena::purged_of(self).load(Relaxed)
    }

    pub(crate) fn set_purged(&self, pages: Pages) {
        Arena::purged_of(self).store(pages, Relaxed);
    }

    pub(crate) fn word(&self) -> &Word {
        Arena::word_of(self)
    }
}
