//! Thread caches: blocks that the heap's thread has freed and hands out again, the last one first.
//!
//! The block that was freed last lies in the processor's cache. The one that a pool would hand out may have been freed
//! long ago. In a small heap both are near; in a large one, where blocks come and go without order, the difference is
//! some cache misses for each block. So there a heap has *caches*, one for each class:
//!
//! ```text
//!          closed                                     open
//!   a block out  <--- the class's current pool        a block out  <--- the class's cache   (else as on the left)
//!   a block back ---> its pool                        a block back ---> its class's cache   (else as on the left)
//! ```
//!
//! A cache is a pool that has no slice: what takes a block from a pool takes one from a cache, so the way out asks no
//! question more (`currents`). For the way back, the bound below which a block is small enough to go straight to its pool is
//! the heap's, and zero while caches are open.
//!
//! To its pool, a block in a cache is in use. So that this never keeps a page after a drop, a heap opens its caches when
//! nothing is dropped, and closes all of them as soon as something may be:
//!
//! ```text
//! open      after REFILLS refills from pools of the heap's own, in a process with LEAST bytes in pools
//! closed    when a pool is needed from elsewhere; after DRAINED pools with few blocks in use or none, and no refill
//!           meanwhile; when all is to go back
//! a cache   <= BLOCKS blocks of at most BYTES together, or one block
//! ```

use std::hint::assert_unchecked;
use std::ptr::NonNull;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::{Heap, free_unusually};
use crate::arena::Arena;
use crate::class::{CLASSES, Class, Kind, Need, SMALL_MAX};
use crate::counters::{self, Event};
use crate::hardened;
use crate::list::Ref;
use crate::pool::{Block, Pool};
use crate::sync::{AtomicUsize, Cell};

/// Blocks in a cache. Where blocks come and go at random it is full or empty once in so many times, which no processor
/// foresees; half as many cost `slots-10k-1k` a tenth, twice as many gain nothing.
const BLOCKS: usize = 64;

/// Their bytes: what large ones of a thread that comes to rest may keep.
const BYTES: usize = 64 << 10;

/// Bytes in pools from which on caches pay: what is less finds room in the processor's own. Debug builds open them early,
/// so that all that is tested meets them.
const LEAST: usize = if cfg!(debug_assertions) {
    128 << 10
} else {
    4 << 20
};

/// More wait longer, fewer open caches for what ends soon: each time costs as much as a hundred blocks.
const REFILLS: u32 = 8;

/// One may be nearly empty by chance. More keep more of what is dropped.
const DRAINED: u32 = 2;

/// Bytes in pools.
static OPEN_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Says how many bytes are in pools.
pub(crate) fn set_open_bytes(bytes: usize) {
    OPEN_BYTES.store(bytes, Relaxed);
}

/// How many blocks a cache takes.
const fn capacity(class: Class) -> u32 {
    let blocks = BYTES / class.block_size();
    match blocks {
        0 => 1,
        _ if blocks < BLOCKS => blocks as u32,
        _ => BLOCKS as u32,
    }
}

/// See the top of this file.
pub(super) struct Caches {
    caches: [Cache; CLASSES],
    /// What needs fewer bytes goes back to its pool at once: all that is small, or nothing while caches are open.
    plain_below: Cell<usize>,
    /// Other threads may read it.
    are_open: AtomicBool,
    /// Refills from the heap's own pools since one came from elsewhere or was drained, and pools drained since the last.
    refills: Cell<u32>,
    drained: Cell<u32>,
}

/// A cache: its free list is the blocks in it, and its blocks in use are those that it would still take.
struct Cache(Pool);

impl Cache {
    /// How many blocks it takes; none while it is closed.
    #[inline(always)]
    fn room(&self) -> u32 {
        self.0.used()
    }

    /// # Safety
    /// There is room. `block` is in use, of this cache's class, and the caller is done with it.
    #[inline(always)]
    unsafe fn put(&self, block: *mut u8) {
        // SAFETY: as promised by the caller; a block has room for a link.
        let _full = unsafe { self.0.put(block.cast()) };
    }

    /// The block that was put there last.
    fn take(&self) -> Option<NonNull<Block>> {
        NonNull::new(self.0.take().cast())
    }
}

impl Caches {
    pub(super) const fn new() -> Self {
        Self {
            caches: [const { Cache(Pool::none()) }; CLASSES],
            plain_below: Cell::new(SMALL_MAX),
            are_open: AtomicBool::new(false),
            refills: Cell::new(0),
            drained: Cell::new(0),
        }
    }

    fn are_open(&self) -> bool {
        self.are_open.load(Relaxed)
    }

    fn set_open(&self, are_open: bool) {
        self.are_open.store(are_open, Relaxed);
        self.plain_below.set(if are_open { 0 } else { SMALL_MAX });
    }

    /// Each with its class.
    fn each(&self) -> impl Iterator<Item = (Class, &Cache)> {
        let numbered = self.caches.iter().enumerate();
        numbered.map(|(number, cache)| (Class::nth(number), cache))
    }
}

impl Heap {
    /// Whether a block of this need goes back to its pool at once: it is small, and no caches are open.
    #[inline(always)]
    pub(crate) fn frees_plainly(&self, need: Need) -> bool {
        need.is_below(self.caches.plain_below.get())
    }

    /// Whether blocks of pools go back to caches.
    #[inline(always)]
    pub(crate) fn has_open_caches(&self) -> bool {
        self.caches.are_open()
    }

    /// Takes back a block while caches are open.
    ///
    /// # Safety
    /// `block` came from a pool of this class, is in use, and the caller is done with it.
    #[inline(always)]
    pub(crate) unsafe fn free_to_cache(&self, block: *mut u8, class: Class) {
        // SAFETY: no class has a greater number.
        unsafe { assert_unchecked(class.index() < CLASSES) };
        let cache = &self.caches.caches[class.index()];
        if cache.room() > 0 {
            self.blocks.taken_back();
            // SAFETY: there is room; as for the block, as promised by the caller.
            unsafe { cache.put(block) };
        } else {
            // SAFETY: as promised by the caller.
            unsafe { super::free_seldom(block, class) };
        }
    }

    /// A pool of this heap's own was needed, and there was one.
    pub(super) fn refilled(&self) {
        let refills = self.caches.refills.get().saturating_add(1);
        self.caches.refills.set(refills);
        self.caches.drained.set(0);
        if refills > REFILLS && OPEN_BYTES.load(Relaxed) >= LEAST {
            self.open_caches();
        }
    }

    /// A pool of this heap has few blocks in use, or none.
    pub(super) fn has_drained(&self) {
        self.caches.refills.set(0);
        self.caches
            .drained
            .set(self.caches.drained.get().saturating_add(1));
        if self.caches.drained.get() >= DRAINED {
            self.close_caches();
        }
    }

    fn open_caches(&self) {
        if self.caches.are_open() || !hardened::CACHES {
            return;
        }
        for (class, cache) in self.caches.each() {
            cache.0.set_used(capacity(class));
            let at = NonNull::from_ref(&cache.0);
            // SAFETY: heaps live in memory that is never given back.
            self.current.lead(class, unsafe { Ref::new(at) });
        }
        self.caches.set_open(true);
        counters::count(Event::CachesOpened);
    }

    /// Sends the blocks in caches to their pools.
    pub(super) fn close_caches(&self) {
        self.caches.refills.set(0);
        if self.caches.are_open() {
            self.caches.set_open(false);
            self.empty_caches();
        }
    }

    #[cold]
    fn empty_caches(&self) {
        for (class, cache) in self.caches.each() {
            self.current.lead(class, self.current.of(class));
            while let Some(block) = cache.take() {
                // SAFETY: it came from a pool of this class, and is free but for that, which does not know yet.
                unsafe { self.send_home(block.as_ptr(), class.kind()) };
            }
            cache.0.set_used(0);
        }
    }

    /// Gives its pool a block that was counted as taken back already.
    ///
    /// # Safety
    /// `block` came from a pool of this kind, to which it is in use, and the caller is done with it.
    unsafe fn send_home(&self, block: *mut Block, kind: Kind) {
        // SAFETY: to its pool the block is in use.
        let pool = unsafe { Arena::pool_of(block.cast(), kind) };
        if std::ptr::eq(pool.owner(), self) {
            // SAFETY: the block is the pool's, and this is the owner's heap.
            if unsafe { pool.put(block) } {
                self.drained(pool);
            }
        } else {
            self.blocks.passed_on();
            // SAFETY: as promised by the caller.
            unsafe { free_unusually(pool, block, self.as_ref()) };
        }
    }

    /// Takes the blocks in its caches, each with its class, for the child of a process that forked while the heap's thread
    /// did what it liked.
    pub(crate) fn take_cached(&self) -> impl Iterator<Item = (Class, NonNull<Block>)> {
        let caches = self.caches.each();
        caches.flat_map(|(class, cache)| std::iter::from_fn(move || Some((class, cache.take()?))))
    }

    /// Bytes of the blocks in its caches. Others may ask, too.
    pub(crate) fn cached_bytes(&self) -> usize {
        if !self.caches.are_open() {
            return 0;
        }
        let bytes = |(class, cache): (Class, &Cache)| {
            capacity(class).saturating_sub(cache.room()) as usize * class.block_size()
        };
        self.caches.each().map(bytes).sum()
    }
}
