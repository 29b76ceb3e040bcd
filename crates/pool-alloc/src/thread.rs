//! Which heap is the calling thread's, and what becomes of heaps when threads end.
//!
//! A thread's heap hangs on a thread-local without a destructor, which is one load to read and can be read at any
//! time in a thread's life. The heap is made when the thread first allocates. At the thread's end a hook, which runs
//! after the destructors of Rust's thread-locals, makes the heap part with its pools and puts it among the spare
//! ones. Should the thread allocate once more after that, it gets a heap as before, and the hook runs again.
//!
//! Heaps themselves are never given back; there are as many as threads were ever alive together.

use std::ffi::c_void;
use std::ptr::NonNull;

use crate::commons;
use crate::heap::{Heap, NO_HEAP_REF};
use crate::list::{List, Ref};
use crate::os::{self, ExitHook};
use crate::sync::{Cell, thread_local};

thread_local! {
    static HEAP: Cell<Ref<Heap>> = const { Cell::new(NO_HEAP_REF) };
}

/// The calling thread's heap, or the heap that stands for none.
#[inline(always)]
pub(crate) fn heap() -> Ref<Heap> {
    HEAP.with(Cell::get)
}

/// The calling thread's heap, made now if it has none; `None` where memory is out.
#[cold]
pub(crate) fn heap_or_new() -> Option<Ref<Heap>> {
    let heap = heap();
    if !heap.is_none() {
        return Some(heap);
    }
    let (heap, hook) = commons::lock().heaps.obtain()?;
    HEAP.set(heap);
    // Without a hook (the process has used up its thread-specific slots), a thread's pools stay its own after its
    // end: blocks of them can be freed, yet what is freed is lost.
    if hook.is_none_or(|hook| hook.arm(heap.as_ptr().cast())) {
        return Some(heap);
    }
    retire(heap);
    None
}

unsafe extern "C" fn on_exit(heap: *mut c_void) {
    let Some(heap) = NonNull::new(heap.cast::<Heap>()) else {
        return;
    };
    // SAFETY: the hook was armed with a heap, and heaps live in memory that is never given back.
    retire(unsafe { Ref::new(heap) });
}

/// Ends the calling thread's use of its heap.
pub(crate) fn retire(heap: Ref<Heap>) {
    HEAP.set(NO_HEAP_REF);
    heap.abandon();
    commons::lock().heaps.spare.push_front(heap);
}

/// All heaps that were ever made. Part of the commons.
pub(crate) struct Heaps {
    spare: List<Heap>,
    /// Where the next heap is made, and how many more fit there.
    next: Option<NonNull<Heap>>,
    room: usize,
    made: usize,
    chunks: usize,
    hook: Option<ExitHook>,
}

/// Heaps are made from chunks of this size, of which only the used part is ever touched.
const CHUNK: usize = 64 << 10;
const PER_CHUNK: usize = CHUNK / size_of::<Heap>();

impl Heaps {
    pub(crate) const fn new() -> Self {
        Self {
            spare: List::new(),
            next: None,
            room: 0,
            made: 0,
            chunks: 0,
            hook: None,
        }
    }

    /// A heap for a thread, and the hook to arm with it.
    fn obtain(&mut self) -> Option<(Ref<Heap>, Option<ExitHook>)> {
        if self.hook.is_none() {
            self.hook = ExitHook::new(on_exit);
        }
        let heap = match self.spare.pop_front() {
            Some(heap) => heap,
            None => self.make()?,
        };
        Some((heap, self.hook))
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
        // SAFETY: the chunk is mapped, aligned to a page, and this part of it is nobody's yet.
        unsafe { at.write(Heap::new()) };
        // SAFETY: a chunk is never given back.
        Some(unsafe { Ref::new(at) })
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
