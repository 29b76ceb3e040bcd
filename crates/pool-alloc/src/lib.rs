//! A memory allocator for Rust programs, made of arenas, pools and blocks, that gives memory back when it is dropped.
//!
//! ```
//! #[global_allocator]
//! static GLOBAL: pool_alloc::PoolAlloc = pool_alloc::PoolAlloc;
//!
//! fn main() {
//!     let list: Vec<Box<u64>> = (0..100_000).map(Box::new).collect();
//!     assert!(GLOBAL.stats().allocated_bytes > 100_000 * 8);
//!     drop(list); // what the list held is back at the system, but for a little that the next list will find
//!     GLOBAL.release(); // and now that, too
//! }
//! ```
//!
//! # Why another one
//!
//! Most allocators keep what a program frees: until a timer that ticks only while the program allocates, until the
//! top of the heap happens to become free, or for ever. Those settings that give back at once make every reuse pay.
//! This one decides at the moment when memory becomes free, from what it sees then. There is no timer, no background
//! thread and no randomness: the same calls touch the same pages, but for what loops have earned. For that alone a clock
//! is read, to tell a loop that wants its memory back at once from a program that repeats itself now and then (`tide`).
//!
//! # Arena, pool, block
//!
//! ```text
//!   arena, 2 MiB at a multiple of 2 MiB: 32 slices of 64 KiB
//!  +-------------+---------+---------+---------+---------+---- - - ----+---------+
//!  | 4 KiB: all  | slice 0 | slice 1 | slice 2 | slice 3 |             | slice 31|
//!  | the headers | a pool  | (free)  | a pool  |   a pool of two ...   |         |
//!  +-------------+---------+---------+---------+---------+---- - - ----+---------+
//!                               ______/           \_________________________
//!                              /  pool, 64 KiB: blocks of one size           \
//!                             +-------+-------+-------+-------+-------+- - - +
//!                             | in    | free  | in    | in    | un-   | un-  |
//!                             | use   | (link)| use   | use   |touched|touch.|
//!                             +-------+-------+-------+-------+-------+- - - +
//!                                         ^                   ^
//!                                       free                bump              both in the pool's header
//! ```
//!
//! A *block* is what the program gets. Block sizes are multiples of 8 up to 128, then four per doubling up to 256 KiB
//! (`class`); what is larger is a run of pages of its own (`large`). An *arena* is cut into *slices* of 64 KiB (`arena`). A
//! *pool* is one slice, or 2, 4 or 8 neighbours, so that it holds four blocks of its size, or at least two. The headers of
//! all pools are together in the arena's first page, so a pool is all blocks, and masking a block's address is all it takes
//! to find its pool.
//!
//! `dealloc` and `realloc` are told size and alignment again, and the class is a pure function of these two. So
//! nothing is looked up to tell how many slices a block's pool has, or that it is a large one (`by_layout`).
//!
//! C's `free` is told neither. For it there is [`by_address`], whose large blocks have headers (`headed`).
//!
//! # The states
//!
//! A **block** is *in the row* (from its pool's bump pointer on, side by side and without links: at first all blocks,
//! which are *untouched*; later those that came back in order), *in use*, *free* (on its pool's list), *purged* (free, and
//! the page where it begins was given back), or *remote*: freed by a thread that does not own the pool, and waiting for
//! the owner. A free block is preferred to one in the row, and a remote one or one of the thread's other pools to one on a
//! page that would have to be touched first.
//!
//! A **slice** is part of a pool, or free: *clean*, which costs nothing, *dirty*, which may be resident, or *fresh*, which came
//! with the arena's huge page and has not been used. One of a *vacant* pool costs no more than a free one. A **pool** is:
//!
//! ```text
//!             slices are opened
//!                    |                      the owner needs a block and has none here
//!                    v                    ------------------------------------------->
//!   free slices   owned: current or partial                                          full, no owner
//!                    |        |           <-------------------------------------------
//!         ^          |        |             whoever frees a block first owns it
//!         |          |        |
//!         +----------+        |  the owner's thread ends
//!       its last block        +------------------------------------> listed (abandoned), no owner
//!       comes back            <------------------------------------
//!                               whoever frees a block or needs a pool first
//! ```
//!
//! An owned pool that is partial is laid aside: its owner hands out no block of it. So if another thread frees the last one in
//! use, nobody needs what is in the pool any more, and it is *vacant*: its pages are given back as those of free slices are,
//! and its owner, when it next needs a pool of the class, frees the slices. If it is the owner who frees the last one, the others
//! waiting, it closes the pool.
//!
//! An **arena** is mapped when no other has a place for a pool, and unmapped when its last pool closes, unless it is then
//! the only empty one. Pools of all sizes lie in one arena: what one class gives up serves any other.
//!
//! # A block's way
//!
//! *Out.* Each thread has a *heap* (`heap`), which a word of the thread points to (`thread`, `slot`). For each
//! class it has a *current* pool, which requests of up to 1 KiB find by their size alone (`heap::currents`); a block
//! comes from there: one load for the heap, one for the pool, one pop or bump.
//! When the current pool has nothing on pages that were touched, the heap collects its remote blocks, else turns to a
//! *partial* pool of its own, else to the next page. When it is exhausted, the heap lets it go as full and turns to a
//! partial pool, else to an abandoned one, else to free slices: for a small pool of the fullest arena, for others where
//! they are dirtiest.
//!
//! In a large heap whose blocks come and go without order, the next block of the current pool is one that no processor
//! has in its cache; and what is sent to another heap and comes back takes long. There the heap opens *thread caches*: what its
//! thread frees goes out again first, whoever's pool it is of. In a large heap there are up to 64 blocks of each class in them
//! and 64 KiB, in a small one whose blocks others free, 16. They close, and their blocks go to their pools, as soon as
//! two pools in turn are found nearly empty, which is where a drop begins (`heap::caches`). Blocks of which a pool holds but a
//! few have caches wherever they come and go, of three blocks each, until sixteen come back in a row (`heap::wide`).
//!
//! *Back.* The arena says who owns the pool (`pool::owner`). If it is the calling thread's heap, the block is pushed: no atomic
//! read-modify-write here either. Otherwise one compare-and-exchange on the pool's word decides
//! (`remote`): either the owner will find the block there, or the pool has no owner and this thread becomes it. Where
//! that thread then frees all blocks of the pool in the order in which they went out, as a dropped vector does, it
//! writes to the pool's header and to none of them, unless a loop is about to want them again.
//!
//! That full pools have no owner is the idea that the rest hangs on. A heap need not watch pools that it cannot use.
//! What one thread builds and another drops comes back through the one that drops, though the builder sleeps, and though
//! it has freed some itself. And when a thread ends, its full pools are already as they should be; the others are listed
//! (`commons`).
//!
//! # Giving back
//!
//! When the last block of a pool comes back, it is closed, or vacant, and under the lock of the commons these hold again:
//!
//! ```text
//! empty arenas             <= 1 while there is no reserve and no churn      else the arena is unmapped
//! bytes of dirty slices    <= max(128 KiB, 1/128 of the open pools)         else the longest dirty are purged
//!                             + max(reserve, with churn 1/4 of these)
//! bytes of fresh slices    <= 1/8 of the filled pools                       else they count as dirty
//! empty pools of a heap    <= 512 KiB touched in all, when one begins to    else the longest resting is closed (`rest`)
//!                             rest, and 64 KiB of each
//! sparse pools of a heap   <= 4 that were not swept                         else the longest waiting is swept
//!                             + what the reserve covers
//! runs of large blocks     <= the reserve of their own (`runs`)             else they are unmapped, or hollow
//!                             + 1 MiB at hand of each thread that was in a loop
//! pools found nearly empty <= 1 since one was needed, while caches are open else what is in these goes to its pool
//! wide blocks that came    <= 15 since one was needed, while there are wide the same
//!   back in a row             caches, of 1 MiB of each thread at most
//! ```
//!
//! *Survivors.* A pool is *sparse* when few of its blocks are in use (`sparse`). A *sweep* finds its pages on which no
//! block is in use, and gives them back (`sweep`). So a survivor keeps the page or two that it lies on, not its pool; but one
//! of those of which a pool holds no more than four keeps its pool.
//!
//! *Packing.* Where many pools of a class are partly used, those that are mostly free are left to drain, as long as others
//! have free blocks (`heap::partial`). So a heap that has shrunk ends up on fewer pages, though nothing is dropped any more.
//!
//! *Company.* Where threads free each other's blocks, who comes to own a pool is chance. A heap that has more than its even share
//! of a class's pools as partial ones leaves some to others, as if its thread had ended; so none opens new ones where another
//! has room (`heap::partial`).
//!
//! *Loops.* A loop that drops and builds would pay for every page each round. After a few such rounds in quick
//! succession there is a *reserve* of a round's size and a third, which goes back when no more such rounds come; with what
//! is in use it is never more than a round had at its height, and the third (`tide`). Arenas have one, the runs of large
//! blocks have another (`runs`); of that, a block that grows gets a run with room behind it to double.
//! [`PoolAlloc::limit_reserve`] bounds both, or forbids them.
//!
//! *Churn.* Where one thread builds what another drops, what is in use hardly changes, and there are no rounds to see; but each
//! pool that is emptied is needed again at once. Where pools of four times what is open were opened in half a second, a quarter of
//! what is open may be free beside it. As that is a share of what is open, after a drop it is nothing (`commons::churn`).
//!
//! *Huge pages.* One fault takes the place of 512; but an arena that asks for a huge page is resident as a whole. So
//! an arena asks when eight times as much was filled already, and three quarters of all small pools are: where many threads
//! have a pool each of many classes, most are about empty. A smaller heap declines huge pages even where the system
//! gives them unasked, and so does an arena of which something was given back, from then on: else a thread of the
//! kernel would fill it again. When half of it was given back, the huge page is taken apart, since until then the kernel
//! keeps what goes, and only the resident set falls (`arena`).
//!
//! *Pages in company.* Pages of the usual size come by a fault each, until a thread has filled 128 pools of a class and
//! freed nothing of it since: the next ones come whole, by one call each (`heap::growth`), and what such a pool does not
//! come to use goes with `release`, or with the thread.
//!
//! *Refusals.* Where the system refuses memory, all that is free goes back, and it is asked once more: what is kept for
//! later never makes a request fail.
//!
//! After a drop without survivors, then, what stays is bounded by a constant per process and a constant per thread, unless
//! there is a reserve, but for the headers of vacant pools and what came back in lock step (see the weaknesses).
//! [`PoolAlloc::release`] takes all but what is other threads'. The figures above are constants of the source, each with
//! what it costs.
//!
//! # Who may touch what
//!
//! ```text
//! a pool's header and its free blocks      its owner; while the slice is free, whoever holds the lock. Others read how many
//!                                            are in use, and raise the alarm, atomically
//! a pool's word                            everyone, atomically
//! whose a pool is                          everyone reads it, its owner writes it, atomically
//! an arena's own fields, all lists but     whoever holds the lock
//!   those of a heap
//! a heap                                   its thread
//! ```
//!
//! # Features
//!
//! - `hardened`: double and invalid frees, wrong layouts, overwritten links and overruns of large blocks end the
//!   process, with one line on standard error (`hardened`). Its price stands in the README.
//! - `stats`: `PoolAlloc::counters` tells how often blocks, pools and arenas came and went (`counters`).
//! - `initial-exec`: for libraries that are preloaded (`slot`).
//!
//! # Weaknesses
//!
//! - A process that looped and goes idle, or lives on the pools that it has, keeps one round's memory until a large block
//!   is freed or pools come or go, or it calls `release`.
//! - Blocks that others free in a pool that its owner still fills wait until the owner needs a block of that class, or
//!   ends, or calls `release`. For a thread that never does, that is its current pools, one for each class; and of any other
//!   pool too if its last two blocks came back within some nanoseconds of each other, one of them by its own hand. Threads
//!   that drop together, each at its own pace, leave next to none so; two in lock step, block by block, leave some.
//! - Of a pool that a thread has laid aside others give back all or nothing. Where it has freed some blocks of each of its pools and
//!   sleeps, and others free the rest but for one here and there, those keep their pools whole until it goes on.
//! - The pools of a thread that were spared for a loop's sake, and the reserve has ended, wait for the same if they have
//!   blocks in use.
//! - What others have emptied of a thread's pools gives its pages back, but its addresses are that thread's until it needs a pool
//!   of the class: of each arena with such pools the page of headers stays, and what the kernel needs to map it, 8 KiB of 2 MiB.
//! - Blocks that shrink out of their class are copied, since the class follows from the size that `dealloc` will name.
//! - Among more than 8,192 large blocks what is freed gives its memory back, but keeps its addresses for the next ones, as a
//!   process may have 65,530 mappings (`runs::hollow`); and those that are found by their address take 2 MiB of addresses
//!   each (`headed`). A limit of address space (`ulimit -v`) is met earlier for that. Blocks that grow are copied there, once
//!   8,192 were moved, and none asks for huge pages.
//! - Large blocks of 2 MiB and more ask for huge pages: what touches little of them has all of it resident.
//! - Churn that is over ends when pools next come or go.
//! - Free slices that are no neighbours are no place for a pool of several: then there are more arenas than would do.
//! - One lock guards the arenas. Many threads that open and close pools of large blocks all the time will meet there.
//! - A request that the system refuses costs the reserve, also one that could never be met; and what the heaps of
//!   other threads keep, up to 512 KiB each that rests, the pools above, their caches, and a MiB of large blocks' runs that
//!   they have at hand, is out of its reach.
//! - The runs that a thread has at hand when its loop ends wait until it frees a large block or has one grow, needs a
//!   pool, or ends.
//! - What waits in the caches of a thread that neither frees nor allocates holds its pages, though others drop all the
//!   rest: up to 64 blocks of each class, of 64 KiB together, and 1 MiB of wide ones, each of which keeps its pool. So do those
//!   that others empty, while it does go on. A drop of less than 16 wide blocks may leave so much until the thread has
//!   done other things for a while.
//! - A sweep follows every free block of its pool: a large drop in shuffled order pays for up to four of them a pool.
//! - Nothing detects double frees, frees with the wrong layout, or links overwritten after a free, unless the feature
//!   `hardened` is on; and with it, a free of a block that was handed out again frees it, and an overrun within a
//!   pool goes unseen (`hardened`).
//! - `fork`: a child of a process with several threads can allocate and has the other threads' pools (`fork`), but
//!   looks at every pool for that, and of a pool that another thread was changing at that moment it may lose what is
//!   free in it; and it loses the runs that other threads had at hand (`runs`), and an arena that one was unmapping. Signal
//!   handlers must not allocate, nor fork where they may have interrupted the allocator.
//! - Of a class that grew, up to one pool a thread is resident of which nothing may ever be used, until the thread ends.
//! - Heaps are never given back: one is about 7.5 KiB, and there are as many as threads were alive together.

#[cfg(not(all(
    any(target_os = "linux", target_os = "android", target_os = "freebsd"),
    target_pointer_width = "64"
)))]
compile_error!(
    "pool-alloc is for 64-bit Linux, Android and FreeBSD: elsewhere the standard library's lock allocates"
);

mod arena;
mod begin;
pub mod by_address;
mod by_layout;
#[cfg(debug_assertions)]
mod census;
mod class;
mod commons;
mod counters;
mod environment;
mod fork;
mod guarded;
mod hardened;
mod headed;
mod heap;
mod large;
mod list;
mod os;
mod pool;
mod remote;
mod rest;
mod runs;
mod shelf;
mod slot;
mod sparse;
mod stats;
mod sweep;
mod sync;
mod thread;
mod tide;
mod unload;

#[cfg(feature = "stats")]
pub use counters::Counters;
pub use stats::Stats;

/// The allocator. All values of this type are the same allocator: its state is the process's.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolAlloc;

impl PoolAlloc {
    /// The allocator.
    pub const fn new() -> Self {
        Self
    }

    /// Gives back what holds no block in use: the calling thread's empty pools, free slices of arenas that may be resident,
    /// empty arenas, and runs that wait for large blocks. What other threads keep to themselves is theirs to give back: see
    /// the weaknesses above. Returns the bytes given back (what other threads caused to be given back meanwhile included).
    pub fn release(&self) -> usize {
        let before = commons::lock().released_bytes();
        let heap = thread::heap();
        if !heap.is_none() {
            heap.give_back();
        }
        let large = runs::release();
        let mut commons = commons::lock();
        commons.release();
        commons.released_bytes() - before + large
    }

    /// Limits what stays resident for the sake of loops: to so many bytes of pools, and as many of large blocks, from now
    /// on; what there is beyond that goes now, and what other threads have of it, when they next free a large block or need
    /// a pool. So it is best called before they begin. With less than 128 KiB nothing stays: for programs that would rather
    /// pay for their pages in each round than keep them. At first there is no limit, unless the environment names one as
    /// the process begins: `POOL_ALLOC_RESERVE_KIB=0`.
    pub fn limit_reserve(&self, bytes: usize) {
        commons::lock().limit_reserve(bytes);
        runs::lock().limit_reserve(bytes);
        let heap = thread::heap();
        heap.at_hand().give_back_if_over();
        heap.pass_wide_by();
    }

    /// The allocator's account of itself. Looks at every pool, so it costs about a microsecond per arena, during
    /// which threads that need a pool wait.
    pub fn stats(&self) -> Stats {
        let runs = runs::lock();
        let (large_bytes, waiting_bytes) = (runs.bytes_in_use(), runs.waiting_bytes());
        drop(runs);
        let mut stats = commons::lock().stats();
        // To the table, what threads have at hand is in use.
        let large_bytes = large_bytes.saturating_sub(stats.free_large_bytes);
        let waiting_bytes = waiting_bytes + stats.free_large_bytes;
        stats.allocated_bytes += large_bytes;
        stats.cached_bytes += waiting_bytes;
        stats.mapped_bytes += large_bytes + waiting_bytes;
        stats.large_bytes = large_bytes;
        stats.free_large_bytes = waiting_bytes;
        stats
    }

    /// How often each thing has happened since the process began. Takes the lock for a moment, and reads two words of
    /// each heap.
    #[cfg(feature = "stats")]
    pub fn counters(&self) -> Counters {
        counters::read(commons::lock().heaps.iter())
    }
}

/// What an attempt to get memory comes to. Where the system refuses, it is first given back all that is free here,
/// and addresses that have no memory, and then asked once more. Not for whoever holds a lock.
fn insistently<T>(attempt: impl Fn() -> Option<T>) -> Option<T> {
    attempt().or_else(|| {
        let released = PoolAlloc.release() > 0;
        let parted = runs::part_with_addresses();
        (released || parted).then(attempt).flatten()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_heap_is_about_seven_and_a_half_kib() {
        let size = size_of::<super::heap::Heap>();
        assert!((7_400..7_936).contains(&size), "{size}, as README says");
    }
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
