//! Where a thread keeps the way to its heap: one word per thread, without a destructor.
//!
//! That is `thread_local!`, except behind malloc. There (feature `initial-exec`) the word must be reached without a
//! call: a shared library's `thread_local!` goes through `__tls_get_addr`, which takes a slow path in threads that are
//! older than a library loaded since, and on some paths of some versions calls malloc itself. The cure is the
//! initial-exec model, in which the word lies at an offset from the thread's pointer that is fixed when the program
//! starts. The compiler has a switch for it (`-Z tls-model`), not on stable; hence the assembly, for x86-64 Linux. An
//! executable that contains it loses nothing, as its linker makes the offset a constant.

use crate::heap::Heap;
use crate::list::Ref;

pub(crate) use way::{get, set};

#[cfg(not(all(
    feature = "initial-exec",
    target_arch = "x86_64",
    target_os = "linux",
    not(miri)
)))]
mod way {
    use super::{Heap, Ref};
    use crate::heap::NO_HEAP_REF;
    use crate::sync::{Cell, thread_local};

    thread_local! {
        static HEAP: Cell<Ref<Heap>> = const { Cell::new(NO_HEAP_REF) };
    }

    #[inline(always)]
    pub(crate) fn get() -> Ref<Heap> {
        HEAP.with(Cell::get)
    }

    pub(crate) fn set(heap: Ref<Heap>) {
        HEAP.set(heap);
    }
}

#[cfg(all(
    feature = "initial-exec",
    target_arch = "x86_64",
    target_os = "linux",
    not(miri)
))]
mod way {
    use std::arch::{asm, global_asm};
    use std::ptr::NonNull;

    use super::{Heap, Ref};
    use crate::heap::NO_HEAP;

    // The word, which begins in each thread as the heap that stands for none.
    global_asm!(
        ".pushsection .tdata.pool_alloc_slot, \"awT\", @progbits",
        ".p2align 3",
        ".globl pool_alloc_slot",
        ".hidden pool_alloc_slot",
        ".type pool_alloc_slot, @object",
        ".size pool_alloc_slot, 8",
        "pool_alloc_slot:",
        ".quad {no_heap}",
        ".popsection",
        no_heap = sym NO_HEAP,
    );

    #[inline(always)]
    pub(crate) fn get() -> Ref<Heap> {
        let heap: *mut Heap;
        // SAFETY: this reads the calling thread's word, first its offset, and writes nothing.
        unsafe {
            asm!(
                "mov {heap}, qword ptr [rip + pool_alloc_slot@GOTTPOFF]",
                "mov {heap}, qword ptr fs:[{heap}]",
                heap = out(reg) heap,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        // SAFETY: the word is never null.
        let heap = unsafe { NonNull::new_unchecked(heap) };
        // SAFETY: it is a heap that `set` was given, or the static one.
        unsafe { Ref::new(heap) }
    }

    pub(crate) fn set(heap: Ref<Heap>) {
        // SAFETY: this writes the calling thread's word, which only this module knows.
        unsafe {
            asm!(
                "mov {offset}, qword ptr [rip + pool_alloc_slot@GOTTPOFF]",
                "mov qword ptr fs:[{offset}], {heap}",
                offset = out(reg) _,
                heap = in(reg) heap.as_ptr(),
                options(nostack, preserves_flags),
            );
        }
    }
}
