//! An allocator below with real memory behind it: the program's own, and the kernel.
//!
//! What CPython asks `malloc` for comes from the program's global allocator, for the alignment that
//! `malloc` has; what CPython maps is mapped. Pages become resident when the model touches them,
//! not before.

use std::alloc::{Layout, alloc, dealloc};
use std::ops::Range;
use std::ptr::{NonNull, null_mut};

use crate::geometry::PAGE_BYTES;
use crate::raw::{Origin, Raw};

/// Real memory. Where the allocator has none the interpreter has none.
#[derive(Debug, Default)]
pub struct Heap;

/// A piece of the program's memory.
#[derive(Debug)]
pub struct Memory {
    start: NonNull<u8>,
}

// SAFETY: whoever has the handle has the memory, in whichever thread.
unsafe impl Send for Memory {}

/// What `malloc` promises on the machine that the program runs on.
const MALLOC_ALIGNMENT: usize = 2 * size_of::<usize>();

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes, MALLOC_ALIGNMENT).ok()
}

impl Raw for Heap {
    type Handle = Memory;

    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<Memory> {
        assert!(bytes > 0, "nobody asks for nothing");
        let start = match origin {
            // SAFETY: the layout is of one byte at least.
            Origin::Malloc => unsafe { alloc(layout(bytes)?) },
            Origin::Map => map(bytes),
        };
        NonNull::new(start).map(|start| Memory { start })
    }

    fn free(&mut self, handle: Memory, bytes: usize, origin: Origin) {
        let start = handle.start.as_ptr();
        match (origin, layout(bytes)) {
            // SAFETY: `allocate` gave it for this layout, and its handle ends here.
            (Origin::Malloc, Some(layout)) => unsafe { dealloc(start, layout) },
            (Origin::Malloc, None) => unreachable!("allocate has made a layout of it"),
            (Origin::Map, _) => unmap(start, bytes.next_multiple_of(PAGE_BYTES)),
        }
    }

    fn address(&self, handle: &Memory) -> usize {
        handle.start.addr().get()
    }

    /// One byte of each page will do.
    fn touch(&mut self, handle: &mut Memory, bytes: Range<usize>) {
        let Some(last) = bytes.end.checked_sub(1) else {
            return;
        };
        for offset in bytes.step_by(PAGE_BYTES).chain([last]) {
            // SAFETY: the caller touches no byte beyond those that were allocated.
            let byte = unsafe { handle.start.add(offset) };
            // SAFETY: the memory is the handle's alone; it is volatile since nobody reads it.
            unsafe { byte.write_volatile(1) };
        }
    }
}

/// The largest pool of any version. An arena that does not begin on a multiple of it loses one of its
/// pools, which the kernel would have it do three times in four, as other mappings happen to lie.
const MAP_ALIGNMENT: usize = 16 << 10;

fn map(bytes: usize) -> *mut u8 {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let bytes = bytes.next_multiple_of(PAGE_BYTES);
    let spare = MAP_ALIGNMENT - PAGE_BYTES;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let start = unsafe { libc::mmap(null_mut(), bytes + spare, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return null_mut();
    }
    let start: *mut u8 = start.cast();
    let before = start.align_offset(MAP_ALIGNMENT);
    let aligned = start.wrapping_add(before);
    unmap(start, before);
    unmap(aligned.wrapping_add(bytes), spare - before);
    aligned
}

/// Gives up so many bytes of a mapping, whole pages, that nobody uses. Where the kernel has no room for one
/// mapping more, which the rest of it would be, they stay mapped, as in CPython, which does not look.
fn unmap(start: *mut u8, bytes: usize) {
    if bytes > 0 {
        // SAFETY: they are the model's own and nobody uses them.
        let _ = unsafe { libc::munmap(start.cast(), bytes) };
    }
}
