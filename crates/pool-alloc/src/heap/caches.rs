//! Thread caches: blocks that the heap's thread has freed and hands out again, the last one first.
//!
//! The block that was freed last lies in the processor's cache. The one that a pool would hand out may have been freed
//! long ago. In a small heap both are near; in a large one, where blocks come and go without order, the difference is
//! some cache misses for each block. And where threads free each other's blocks, what is sent to its owner and comes back takes
//! longer than what stays. So there a heap has *caches*, one for each class:
//!
//! ```text
//!          closed                                     open
//!   a block out  <--- the class's current pool        a block out  <--- the class's cache   (else as on the left)
//!   a block back ---> its pool                        a block back ---> its class's cache   (else as on the left)
//! ```
//!
//! A cache is a pool that has no slice (`cache`): what takes a block from a pool takes one from a cache, so the way out asks no
//! question more. It leads to the cache from the first block in it until MISSES requests have found nothing (`currents`).
//! For the way back, the bound below which a block is small enough to go straight to its pool is the heap's, and zero while
//! caches are open.
//!
//! To its pool, a block in a cache is in use. So that this never keeps a page after a drop, a heap opens its caches when
//! nothing is dropped, and closes them as soon as something may be:
//!
//! ```text
//! open      after REFILLS refills from pools of the heap's own, in a process with LEAST bytes in small pools; those of
//!           classes of which a pool had few blocks in use or none, with the next refill of that class;
//!           in any process, if SHARED of them were of what others have freed, each with the next refill of its class
//! closed    when a pool is needed from elsewhere; after DRAINED such pools and no refill meanwhile; when all is to
//!           go back
//! a cache   <= BLOCKS blocks of at most BYTES together; in a small process, SMALL_BLOCKS
//! ```
//!
//! A refill may be of one block only: then nine requests are enough.
//!
//! Classes whose pools hold but a few blocks have rules of their own (`wide`).

use std::hint::assert_unchecked;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use super::Heap;
use super::back::free_unusually;
use super::cache::Cache;
use super::wide::Wide;
use crate::arena::Arena;
use crate::class::{CLASSES, Class, Need, SMALL_MAX};
use crate::counters::{self, Event};
use crate::hardened;
use crate::list::Ref;
use crate::os::invariant;
use crate::pool::Block;
use crate::sync::{AtomicUsize, Cell};

/// Bytes in small pools from which on caches pay: what is less finds room in the processor's own. Debug builds open them early,
/// so that all that is tested meets them.
const LEAST: usize = if cfg!(debug_assertions) {
    512 << 10
} else {
    4 << 20
};

/// Blocks in a cache. Where blocks come and go at random it is full or empty once in so many times, which no processor
/// foresees; half as many cost `slots-10k-1k` a tenth, twice as many gain nothing. In a small heap that shares its blocks with
/// others a fourth does as well, and keeps less.
const BLOCKS: usize = 64;
const SMALL_BLOCKS: usize = 16;

/// Their bytes: what large ones of a thread that comes to rest may keep.
const BYTES: usize = 64 << 10;

/// More wait longer, fewer open caches for what ends soon: each time costs as much as a hundred blocks.
const REFILLS: u32 = 8;

/// One may be nearly empty by chance. More keep more of what is dropped.
const DRAINED: u32 = 2;

/// Fewer cost a heap more where it asks for a block now and then in between, more where it asks for many at once: each is
/// a way that is not the shortest, and the change of it is the dearer the more steps the class has.
const MISSES: u16 = 8;

/// Fewer open caches where others free a block now and then, more wait longer.
const SHARED: u32 = 8;

/// Bytes in small pools.
static NARROW_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Whether blocks that were freed long ago are most likely in no processor's cache.
fn is_large() -> bool {
    NARROW_BYTES.load(Relaxed) >= LEAST
}

/// Says how many bytes are in small pools.
pub(crate) fn set_narrow_bytes(bytes: usize) {
    NARROW_BYTES.store(bytes, Relaxed);
}

/// See the top of this file.
pub(super) struct Caches {
    caches: [Cache; CLASSES],
    /// What needs fewer bytes goes back to its pool at once: all that is small, or nothing while caches are open.
    plain_below: Cell<usize>,
    /// Refills from the heap's own pools since one came from elsewhere or was drained, and pools drained since the last.
    refills: Cell<u32>,
    drained: Cell<u32>,
    /// Refills of blocks that others have freed, since the caches were closed.
    shared: Cell<u32>,
    /// The classes, by number, of which a pool was drained and none refilled since: they may be dropped.
    dropped: Cell<u64>,
    wide: Wide,
}

impl Caches {
    pub(super) const fn new() -> Self {
        Self {
            caches: [const { Cache::new() }; CLASSES],
            plain_below: Cell::new(SMALL_MAX),
            refills: Cell::new(0),
            drained: Cell::new(0),
            shared: Cell::new(0),
            dropped: Cell::new(0),
            wide: Wide::new(),
        }
    }

    fn are_open(&self) -> bool {
        self.plain_below.get() == 0
    }

    fn set_open(&self, are_open: bool) {
        self.plain_below.set(if are_open { 0 } else { SMALL_MAX });
    }

    /// What is known of the wide ones.
    pub(super) fn wide(&self) -> &Wide {
        &self.wide
    }

    #[inline(always)]
    pub(super) fn of(&self, class: Class) -> &Cache {
        invariant!(class.index() < CLASSES);
        // SAFETY: no class has a greater number, but for the one that is none (`rest`), which is not asked for.
        unsafe { assert_unchecked(class.index() < CLASSES) };
        &self.caches[class.index()]
    }

    /// Each with its class.
    pub(super) fn each(&self) -> impl Iterator<Item = (Class, &Cache)> {
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
        self.caches.are_open() || self.caches.wide.are_open()
    }

    /// Takes a block back into its class's cache; false where there is no room, as in those that are closed.
    ///
    /// # Safety
    /// `block` came from a pool of this class and is in use. Where it was taken, the caller is done with it.
    #[inline(always)]
    pub(crate) unsafe fn free_to_cache(&self, block: *mut u8, class: Class) -> bool {
        if class.is_wide() {
            // SAFETY: as promised by the caller.
            unsafe { self.free_to_wide_cache(block, class) }
        } else {
            // SAFETY: as above.
            self.caches.are_open() && unsafe { self.put_in_cache(block, class) }
        }
    }

    /// The same, where its class is not wide, or its cache has been looked at.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    pub(crate) unsafe fn put_in_cache(&self, block: *mut u8, class: Class) -> bool {
        let cache = self.caches.of(class);
        if cache.room() == 0 {
            return false;
        }
        self.blocks.taken_back();
        let is_first = cache.is_empty();
        // SAFETY: there is room; as for the block, as promised by the caller.
        unsafe { cache.put(block) };
        if is_first {
            self.lead_to_cache(class);
        }
        true
    }

    /// From now on blocks of the class come from its cache first.
    #[inline(never)]
    fn lead_to_cache(&self, class: Class) {
        let cache = self.caches.of(class);
        cache.forget_misses();
        if !self.leads_to_cache(class) {
            let at = NonNull::from_ref(cache.as_pool());
            // SAFETY: heaps live in memory that is never given back.
            self.current.lead(class, unsafe { Ref::new(at) });
        }
    }

    /// Whether they do.
    pub(super) fn leads_to_cache(&self, class: Class) -> bool {
        let cache = self.caches.of(class).as_pool();
        ptr::eq(self.current.first_of(class).as_ptr(), cache)
    }

    /// A block of the class from its current pool, where its cache was asked first, and is empty. Where that goes on, the
    /// cache is not asked any more.
    pub(super) fn take_uncached(&self, class: Class) -> *mut u8 {
        if !self.leads_to_cache(class) {
            return ptr::null_mut();
        }
        let pool = self.current.of(class);
        if self.caches.of(class).missed() >= MISSES {
            self.current.lead(class, pool);
        }
        pool.take()
    }

    /// A pool of this heap's own was needed for the class, and there was one.
    pub(super) fn refilled(&self, class: Class) {
        let refills = self.caches.refills.get().saturating_add(1);
        self.caches.refills.set(refills);
        self.caches.drained.set(0);
        let dropped = self.caches.dropped.get();
        self.caches.dropped.set(dropped & !class.as_set());
        if self.caches.are_open() {
            self.open_cache(class);
        } else if refills > REFILLS && (is_large() || self.caches.shared.get() >= SHARED) {
            self.open_caches();
        }
    }

    /// The same, and what there was were blocks that others have freed.
    pub(super) fn refilled_by_others(&self, class: Class) {
        let shared = self.caches.shared.get().saturating_add(1);
        self.caches.shared.set(shared);
        self.refilled(class);
    }

    fn open_cache(&self, class: Class) {
        if self.caches.of(class).capacity() > 0 {
            return;
        }
        let most = if is_large() { BLOCKS } else { SMALL_BLOCKS };
        let blocks = most.min(BYTES / class.block_size());
        self.caches.of(class).open(blocks);
    }

    /// A pool of this heap and of this class has few blocks in use, or none.
    pub(super) fn has_drained(&self, class: Class) {
        self.caches.refills.set(0);
        let dropped = self.caches.dropped.get();
        self.caches.dropped.set(dropped | class.as_set());
        let drained = self.caches.drained.get().saturating_add(1);
        self.caches.drained.set(drained);
        if drained >= DRAINED {
            self.caches.drained.set(0);
            self.close_caches();
            self.close_wide_caches();
        }
    }

    /// The heap is about to be another thread's.
    pub(super) fn forget_drops(&self) {
        self.caches.drained.set(0);
        self.caches.dropped.set(0);
    }

    /// Opens caches: in a large heap at once those of all classes of which nothing says that they are dropped.
    fn open_caches(&self) {
        if !hardened::CACHES {
            return;
        }
        let dropped = self.caches.dropped.get();
        let classes = self.caches.each().map(|(class, _)| class);
        let at_once = |class: &Class| !class.is_wide() && dropped & class.as_set() == 0;
        for class in classes.filter(|_| is_large()).filter(at_once) {
            self.open_cache(class);
        }
        self.caches.set_open(true);
        counters::count(Event::CachesOpened);
    }

    /// Sends the blocks in caches to their pools.
    pub(super) fn close_caches(&self) {
        self.caches.refills.set(0);
        self.caches.shared.set(0);
        if self.caches.are_open() {
            self.caches.set_open(false);
            self.empty_caches(|class| !class.is_wide());
        }
    }

    /// Sends the blocks in the caches of these classes to their pools, and lets them take none.
    #[cold]
    pub(super) fn empty_caches(&self, is_one: impl Fn(Class) -> bool) {
        for (class, cache) in self.caches.each().filter(|(class, _)| is_one(*class)) {
            if self.leads_to_cache(class) {
                self.current.lead(class, self.current.of(class));
            }
            while let Some(block) = cache.take() {
                // SAFETY: it came from a pool of this class, and is free but for that, which does not know yet.
                unsafe { self.send_home(block.as_ptr(), class) };
            }
            cache.shut();
        }
    }

    /// Gives its pool a block that was counted as taken back already.
    ///
    /// # Safety
    /// `block` came from a pool of this class, to which it is in use, and the caller is done with it.
    unsafe fn send_home(&self, block: *mut Block, class: Class) {
        // SAFETY: to its pool the block is in use.
        let pool = unsafe { Arena::pool_of(block.cast(), class.span()) };
        if pool.owner() == self.as_owner() {
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
        caches.flat_map(|(class, cache)| {
            std::iter::from_fn(move || match cache.take() {
                Some(block) => Some((class, block)),
                None => {
                    cache.shut();
                    None
                }
            })
        })
    }

    /// Bytes of the blocks in its caches. Others may ask, too.
    pub(crate) fn cached_bytes(&self) -> usize {
        let bytes = |(class, cache): (Class, &Cache)| cache.blocks() * class.block_size();
        self.caches.each().map(bytes).sum()
    }
}
