//! Memory for the model's own tables, out of the way of what is measured.
//!
//! The model needs tables that CPython has not: of pools, of free slots, of what the program holds.
//! From the program's allocator they would change what that keeps, and in anonymous pages they would
//! count among what a process occupies. So they lie in shared mappings, which neither allocator nor
//! the kernel's figure `Anonymous` knows of, divided up by a port of dlmalloc.
//!
//! Nothing of it is ever given back: a second round takes no page fault for what the first has used.

use std::alloc::Layout;
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use allocator_api2::alloc::{AllocError, Allocator};
use dlmalloc::Dlmalloc;

/// A table that lies aside.
pub type Table<T> = allocator_api2::vec::Vec<T, Aside>;

/// A table of so many equal entries.
pub(crate) fn table_of<T: Clone>(entry: T, length: usize) -> Table<T> {
    let mut table = Table::new_in(Aside);
    table.resize(length, entry);
    table
}

/// The allocator of the model's own tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside;

impl Aside {
    /// Makes so many bytes resident for tables to come, so that they take no page faults then.
    pub fn prepare(bytes: usize) {
        let mut room = Table::new_in(Aside);
        room.resize(bytes, 1_u8);
        std::hint::black_box(&mut room);
    }
}

static HEAP: Mutex<Dlmalloc<SharedPages>> = Mutex::new(Dlmalloc::new_with_allocator(SharedPages));

fn heap() -> MutexGuard<'static, Dlmalloc<SharedPages>> {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}

// SAFETY: blocks are dlmalloc's, which stay where they are until they are given back; one heap serves
// every copy of the allocator, and a lock stands before it.
unsafe impl Allocator for Aside {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: an alignment of a layout is a power of two; a size of 0 is a small block there.
        let block = unsafe { heap().malloc(layout.size(), layout.align()) };
        let block = NonNull::new(block).ok_or(AllocError)?;
        Ok(NonNull::slice_from_raw_parts(block, layout.size()))
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller has it from `allocate`, for this layout.
        unsafe { heap().free(block.as_ptr(), layout.size(), layout.align()) }
    }
}

/// Where dlmalloc has its memory from.
struct SharedPages;

/// Bytes of a mapping: address space, of which nothing is reserved.
const MAPPING_BYTES: usize = 1 << 30;

// SAFETY: each region is a mapping of its own, readable and writable, that is never taken back.
unsafe impl dlmalloc::Allocator for SharedPages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let bytes = size.max(MAPPING_BYTES);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        match start == libc::MAP_FAILED {
            true => (null_mut(), 0, 0),
            false => (start.cast(), bytes, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _can_move: bool) -> *mut u8 {
        null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        false // a region may be one that was in use before
    }

    fn page_size(&self) -> usize {
        4096
    }
}
