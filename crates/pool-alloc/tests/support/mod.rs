//! What the tests share: a lock, since the allocator's state is the process's, and blocks that check themselves.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod bytes;
pub mod faults;
pub mod found;
pub mod plan;
pub mod rounds;

use std::alloc::{GlobalAlloc, Layout};
use std::sync::{Mutex, PoisonError};
use std::thread;

use faults::Subject;
use pool_alloc::{PoolAlloc, Stats};

pub const POOL: PoolAlloc = PoolAlloc::new();

/// Runs a test that looks at the statistics, with nobody else at work and from an allocator that holds nothing it
/// could give back. On a thread of its own, whose end, hooks included, is waited for: the next test finds no trace.
pub fn alone(test: impl FnOnce() + Send) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let run = || {
        huge_pages(false);
        POOL.release();
        test();
    };
    let outcome = thread::scope(|scope| scope.spawn(run).join());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// On a machine whose huge pages are always on, a written byte makes two MiB around it resident.
///
/// A test that wants them says so, from its beginning on.
pub fn huge_pages(are_wanted: bool) {
    if cfg!(miri) {
        return;
    }
    let disabled = libc::c_ulong::from(!are_wanted);
    // SAFETY: the call sets a flag of this process; its unused arguments must be zero, and are.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, disabled, 0, 0, 0) };
}

/// The statistics, once the equation that always holds was checked.
pub fn stats() -> Stats {
    let stats = POOL.stats();
    assert!(
        stats.allocated_bytes + stats.cached_bytes + stats.metadata_bytes <= stats.mapped_bytes,
        "{stats:?}"
    );
    assert!(stats.large_bytes <= stats.allocated_bytes, "{stats:?}");
    stats
}

/// Pages that the calling thread has been given, each on its first touch.
pub fn fetched_pages(work: impl FnOnce()) -> usize {
    let fetched = || {
        // SAFETY: all zeroes are a valid value of this type.
        let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
        // SAFETY: `usage` is ours to write.
        let status = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
        assert_eq!(status, 0);
        usage.ru_minflt as usize
    };
    let before = fetched();
    work();
    fetched() - before
}

/// What the allocator may have resident beyond the blocks that the program holds.
pub fn kept_bytes() -> usize {
    stats().cached_bytes + stats().metadata_bytes
}

/// `count` blocks of `size` bytes.
pub fn list(count: usize, size: usize) -> Vec<Held> {
    (0..count)
        .map(|number| Held::new(size, 8, number as u8))
        .collect()
}

/// What churns: so many blocks, each of one of these sizes, which are a class's.
pub struct Churn {
    pub sizes: &'static [usize],
    pub blocks: usize,
}

/// 20 MiB of blocks that have a step, and in small pools.
pub const SHORT: Churn = Churn {
    sizes: &[24, 48, 64, 96, 128, 160, 224, 320, 448, 640, 896, 1024],
    blocks: 60_000,
};

/// 30 MiB of others, in pools of all spans.
pub const LONG: Churn = Churn {
    sizes: &[2 << 10, 5 << 10, 12 << 10, 16 << 10, 40 << 10, 96 << 10],
    blocks: 1_000,
};

/// Blocks of which one in turn was replaced by one of another size, often enough that pools have been filled again and
/// again.
pub fn churned(churn: &Churn) -> Vec<Held> {
    let mut random = fastrand::Rng::with_seed(7);
    let block = |random: &mut fastrand::Rng| {
        let size = random.choice(churn.sizes).expect("there are some");
        Held::new(*size, 8, random.u8(..))
    };
    let mut blocks: Vec<Held> = (0..churn.blocks).map(|_| block(&mut random)).collect();
    for _ in 0..2 * churn.blocks {
        let at = random.usize(..blocks.len());
        blocks.swap_remove(at);
        blocks.push(block(&mut random));
    }
    blocks
}

/// Fills pools of 24 bytes, frees the first thousand blocks of one that is full in this order, and returns how many of
/// them were touched for that.
pub fn touched_by_freeing(order: impl Fn(&mut [*mut u8])) -> usize {
    const PATTERN: [u64; 3] = [u64::MAX; 3];
    let layout = Layout::new::<[u64; 3]>();
    // SAFETY: the layout's size is not zero.
    let blocks: Vec<*mut u8> = (0..20_000).map(|_| unsafe { POOL.alloc(layout) }).collect();
    for block in &blocks {
        // SAFETY: the block is held, and has room for three words.
        unsafe { block.cast::<[u64; 3]>().write(PATTERN) };
    }
    let pool = |block: &*mut u8| block.addr() >> 16;
    let full = blocks.chunk_by(|one, next| pool(one) == pool(next)).nth(1);
    let mut freed = full.expect("there are several")[..1_000].to_vec();
    order(&mut freed);
    let free = |blocks: &[*mut u8]| {
        for block in blocks {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(*block, layout) };
        }
    };
    free(&freed);
    // SAFETY: the blocks' pool has others in use, more than those of a sparse one: it stays as it is.
    let is_touched = |block: &&*mut u8| unsafe { block.cast::<[u64; 3]>().read() } != PATTERN;
    let touched = freed.iter().filter(is_touched).count();
    let held: Vec<*mut u8> = blocks
        .into_iter()
        .filter(|block| !freed.contains(block))
        .collect();
    free(&held);
    touched
}

/// A block of the allocator, filled with a pattern of its own and checked at every turn.
pub struct Held {
    at: *mut u8,
    layout: Layout,
    seed: u8,
}

// SAFETY: a block is memory like any other; only its holder touches it.
unsafe impl Send for Held {}

impl Held {
    pub fn new(size: usize, align: usize, seed: u8) -> Self {
        Self::try_new(size, align, seed).expect("the machine has memory for the tests")
    }

    pub fn try_new(size: usize, align: usize, seed: u8) -> Option<Self> {
        let layout = Layout::from_size_align(size, align).expect("tests ask for valid layouts");
        // SAFETY: the size is not zero.
        let at = unsafe { Subject.alloc(layout) };
        Self::fill_new(at, layout, seed)
    }

    pub fn new_zeroed(size: usize, align: usize, seed: u8) -> Self {
        Self::try_new_zeroed(size, align, seed).expect("the machine has memory for the tests")
    }

    pub fn try_new_zeroed(size: usize, align: usize, seed: u8) -> Option<Self> {
        let layout = Layout::from_size_align(size, align).expect("tests ask for valid layouts");
        // SAFETY: the size is not zero.
        let at = unsafe { Subject.alloc_zeroed(layout) };
        if at.is_null() {
            return None;
        }
        let held = Self { at, layout, seed };
        let tail = size.saturating_sub(64)..size;
        for at in held.places().chain(tail) {
            assert_eq!(held.byte(at), 0, "byte {at} of {layout:?} is not zeroed");
        }
        Self::fill_new(held.leak(), layout, seed)
    }

    fn fill_new(at: *mut u8, layout: Layout, seed: u8) -> Option<Self> {
        if at.is_null() {
            return None;
        }
        assert_eq!(at.addr() % layout.align(), 0, "{layout:?} is not aligned");
        let held = Self { at, layout, seed };
        held.fill(0);
        Some(held)
    }

    pub fn resize(&mut self, size: usize) {
        assert!(
            self.try_resize(size),
            "the machine has memory for the tests"
        );
    }

    /// False where there is no memory for it; the block is as it was.
    pub fn try_resize(&mut self, size: usize) -> bool {
        self.check();
        // SAFETY: the block is held with this layout, and the size is not zero.
        let at = unsafe { Subject.realloc(self.at, self.layout, size) };
        if at.is_null() {
            self.check();
            return false;
        }
        assert_eq!(
            at.addr() % self.layout.align(),
            0,
            "{:?} moved",
            self.layout
        );
        let old = self.layout.size();
        self.at = at;
        self.layout = Layout::from_size_align(old.min(size), self.layout.align())
            .expect("smaller than before");
        self.check();
        self.layout = Layout::from_size_align(size, self.layout.align())
            .expect("tests ask for valid layouts");
        self.fill(old.min(size));
        true
    }

    pub fn check(&self) {
        for at in self.places() {
            let expected = self.pattern(at);
            assert_eq!(
                self.byte(at),
                expected,
                "byte {at} of {:?} changed",
                self.layout
            );
        }
    }

    pub fn range(&self) -> std::ops::Range<usize> {
        self.at.addr()..self.at.addr() + self.layout.size()
    }

    fn leak(self) -> *mut u8 {
        std::mem::ManuallyDrop::new(self).at
    }

    /// The bytes that are written and read: the first KiB, then some in each line of the cache. Whether a byte is one
    /// of them does not depend on the block's size.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let size = self.layout.size();
        (0..size.min(1 << 10)).chain((1 << 10..size).step_by(61))
    }

    fn byte(&self, at: usize) -> u8 {
        // SAFETY: the block is held, and this byte of it was written, or zeroed by the allocator.
        unsafe { self.at.wrapping_add(at).read() }
    }

    fn fill(&self, from: usize) {
        for at in self.places().filter(|at| *at >= from) {
            // SAFETY: the block is held and has this byte.
            unsafe { self.at.wrapping_add(at).write(self.pattern(at)) };
        }
    }

    /// Differs between blocks and between places in a block.
    fn pattern(&self, at: usize) -> u8 {
        (at as u8).wrapping_mul(31).wrapping_add((at >> 8) as u8) ^ self.seed
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.check();
        }
        // SAFETY: the block is held with this layout, and this is its end.
        unsafe { Subject.dealloc(self.at, self.layout) };
    }
}
