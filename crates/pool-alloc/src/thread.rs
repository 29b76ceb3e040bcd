//! Which heap is the calling thread's, and what becomes of heaps when threads end.
//!
//! A thread's heap hangs on one word of the thread's (`slot`), which is one load to read and can be read at any time
//! in a thread's life. The heap is made when the thread first allocates. At the thread's end a hook, which runs after
//! the destructors of Rust's thread-locals, makes the heap part with its pools and puts it among the spare ones.
//!
//! The hook is one of the destructors of POSIX's thread-specific data, whose order is not ours to choose, which may
//! allocate, and after which the C library still frees what it has for the thread. So the hook lets the others go
//! first for two of the at least four rounds that the system grants. What the thread does after that it does without
//! a heap: for each block it takes a pool, and leaves it abandoned. That is slow, rare, and loses nothing, as a
//! second heap would be that no hook comes for.
//!
//! Heaps themselves are never given back; there are as many as threads were ever alive together.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use crate::class::Class;
use crate::counters::{self, Event};
use crate::heap::{ENDED_REF, Heap, NO_HEAP_REF};
use crate::list::{List, Ref};
use crate::os::{self, ExitHook};
use crate::sync::AtomicHint;
use crate::{commons, slot};

/// The calling thread's heap, or the heap that stands for none.
#[inline(always)]
pub(crate) fn heap() -> Ref<Heap> {
    slot::get()
}

/// The calling thread's heap, made now if it has had none; `None` where memory is out.
#[cold]
pub(crate) fn heap_or_new() -> Option<Ref<Heap>> {
    let heap = heap();
    if !heap.is_none() {
        return Some(heap);
    }
    if heap == ENDED_REF {
        return None;
    }
    let (heap, hook) = commons::lock().heap()?;
    slot::set(heap);
    // Without a hook (the process has used up its thread-specific slots), a thread's pools stay its own after its
    // end: blocks of them can be freed, yet what is freed is lost.
    if hook.is_none_or(|hook| hook.arm(heap.as_ptr().cast::<c_void>())) {
        return Some(heap);
    }
    retire(heap);
    slot::set(NO_HEAP_REF);
    None
}

/// Rounds of destructors that the hook lets pass.
const DEFERRED: usize = 2;

const _: () = assert!(DEFERRED < align_of::<Heap>());

/// `armed` is the thread's heap, and in the bits below its alignment, how many rounds have passed.
unsafe extern "C" fn on_exit(armed: *mut c_void) {
    let rounds = armed.addr() % align_of::<Heap>();
    let hook = commons::lock().heaps.hook;
    if rounds < DEFERRED && hook.is_some_and(|hook| hook.arm(armed.wrapping_byte_add(1))) {
        return;
    }
    let Some(heap) = NonNull::new(armed.wrapping_byte_sub(rounds).cast::<Heap>()) else {
        return;
    };
    // SAFETY: the hook was armed with a heap, and heaps live in memory that is never given back.
    retire(unsafe { Ref::new(heap) });
}

/// Ends the calling thread's use of its heap.
pub(crate) fn retire(heap: Ref<Heap>) {
    slot::set(ENDED_REF);
    heap.abandon();
    commons::lock().heaps.take_back(heap);
}

/// A block for a thread whose heap is gone, or null.
pub(crate) fn allocate_after_end(class: Class) -> *mut u8 {
    let Some(pool) = commons::lock().obtain(class, false) else {
        return ptr::null_mut();
    };
    counters::count(Event::LateAllocation);
    let block = pool.take();
    commons::abandon(pool);
    block
}

/// As above, and all zeroes.
pub(crate) fn allocate_zeroed_after_end(class: Class) -> *mut u8 {
    let block = allocate_after_end(class);
    if !block.is_null() {
        // SAFETY: a block of the class holds this much, and nobody else has it.
        unsafe { block.write_bytes(0, class.block_size()) };
    }
    block
}

/// How many threads have a heap.
static HEAPS: AtomicHint = AtomicHint::new(0);

/// How many threads have a heap; those that a forked child does not have are counted in it. A hint to those who do not hold
/// the lock of the commons.
pub(crate) fn heaps() -> usize {
    HEAPS.load(Relaxed) as usize
}

/// All heaps that were ever made. Part of the commons.
pub(crate) struct Heaps {
    used: List<Heap>,
    spare: List<Heap>,
    /// Where the next heap is made, and how many more fit there.
    next: Option<NonNull<Heap>>,
    room: usize,
    made: usize,
    chunks: usize,
    hook: Option<ExitHook>,
    /// Whether it is no more to be had.
    is_unloaded: bool,
}

/// Heaps are made from chunks of this size, of which only the used part is ever touched.
const CHUNK: usize = 64 << 10;
const PER_CHUNK: usize = CHUNK / size_of::<Heap>();

impl Heaps {
    pub(crate) const fn new() -> Self {
        Self {
            used: List::new(),
            spare: List::new(),
            next: None,
            room: 0,
            made: 0,
            chunks: 0,
            hook: None,
            is_unloaded: false,
        }
    }

    /// A heap for a thread, and the hook to arm with it.
    pub(crate) fn obtain(&mut self) -> Option<(Ref<Heap>, Option<ExitHook>)> {
        if self.hook.is_none() && !self.is_unloaded {
            self.hook = ExitHook::new(on_exit);
        }
        let heap = match self.spare.pop_front() {
            Some(heap) => heap,
            None => self.make()?,
        };
        self.used.push_front(heap);
        self.tell_how_many();
        Some((heap, self.hook))
    }

    /// The hook, which no thread is to arm from now on.
    #[allow(dead_code, reason = "the models are not unloaded")]
    pub(crate) fn part_with_hook(&mut self) -> Option<ExitHook> {
        self.is_unloaded = true;
        self.hook.take()
    }

    /// The thread that has it has parted with its pools.
    fn take_back(&mut self, heap: Ref<Heap>) {
        self.used.remove(heap);
        self.spare.push_front(heap);
        self.tell_how_many();
    }

    fn tell_how_many(&self) {
        HEAPS.store(self.used.len() as u32, Relaxed);
    }

    fn make(&mut self) -> Option<Ref<Heap>> {
        if self.room == 0 {
            self.next = Some(os::map(CHUNK, os::page_size())?.cast());
            self.room = PER_CHUNK;
            self.chunks += 1;
        }
        let at = self.next?;
        self.room -= 1;
        self.made += 1;
        // SAFETY: there was room for this heap, so the address behind it is in the chunk or at its end.
        self.next = Some(unsafe { at.add(1) });
        // SAFETY: the chunk is mapped, aligned to a page, and this part of it is nobody's.
        unsafe { Heap::make(at, self.made) };
        // SAFETY: a chunk is never given back.
        Some(unsafe { Ref::new(at) })
    }

    /// Heaps that threads have.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = Ref<Heap>> {
        self.used.iter()
    }

    /// All heaps, those that no thread has included.
    #[cfg(feature = "stats")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ref<Heap>> {
        self.used.iter().chain(self.spare.iter())
    }

    /// Bytes that heaps take.
    pub(crate) fn metadata_bytes(&self) -> usize {
        os::whole_pages(self.made * size_of::<Heap>())
    }

    /// Bytes mapped for heaps.
    pub(crate) fn mapped_bytes(&self) -> usize {
        self.chunks * CHUNK
    }
}
