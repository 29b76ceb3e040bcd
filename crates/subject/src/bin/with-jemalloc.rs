//! jemalloc 5, through the maintained line of the jemallocator crate

use std::ffi::{CStr, c_char, c_void};
use std::process::ExitCode;
use std::ptr::null_mut;

use afterdrop_subject::{Account, Control, c_string, serve};
use jemallocator::Jemalloc;

#[global_allocator]
static GLOBAL: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    serve(&Jemalloc5)
}

struct Jemalloc5;

impl Control for Jemalloc5 {
    fn name(&self) -> &str {
        "jemalloc"
    }

    fn title(&self) -> &str {
        "jemalloc"
    }

    fn version(&self) -> &str {
        let text = read::<*const c_char>(c"version").unwrap_or(std::ptr::null());
        // SAFETY: jemalloc's `version` is a string constant.
        unsafe { c_string(text) }
    }

    fn release_call(&self) -> Option<&str> {
        Some("arena.4096.purge")
    }

    /// The calling thread's cache first: what it holds cannot be purged. 4096 stands for all arenas.
    fn release(&self) {
        act(c"thread.tcache.flush");
        act(c"arena.4096.purge");
    }

    fn account(&self) -> Account {
        advance_epoch();
        let bytes = |name| read::<usize>(name).map(|bytes| bytes as u64);
        let pages = |name| read::<usize>(name).map(|pages| pages as u64 * page_bytes());
        let active = bytes(c"stats.active");
        let allocated = bytes(c"stats.allocated");
        let free_in_slabs = active.zip(allocated).map(|(active, live)| active - live);
        let dirty = pages(c"stats.arenas.4096.pdirty");
        Account {
            allocated_bytes: allocated,
            cached_bytes: free_in_slabs.zip(dirty).map(|(slabs, dirty)| slabs + dirty),
            lazily_freed_bytes: pages(c"stats.arenas.4096.pmuzzy"),
            metadata_bytes: bytes(c"stats.metadata"),
            mapped_bytes: bytes(c"stats.mapped"),
        }
    }
}

/// jemalloc's figures are those of the last epoch.
fn advance_epoch() {
    let mut epoch = 1u64;
    // SAFETY: `epoch` takes and gives a u64, and both pointers are to one.
    unsafe {
        jemalloc_sys::mallctl(
            c"epoch".as_ptr(),
            null_mut(),
            null_mut(),
            (&raw mut epoch).cast(),
            size_of::<u64>(),
        )
    };
}

fn page_bytes() -> u64 {
    read::<usize>(c"arenas.page").unwrap_or(4096) as u64
}

/// The value under this name, where jemalloc has one of this size.
fn read<T: Copy>(name: &CStr) -> Option<T> {
    let mut value = std::mem::MaybeUninit::<T>::uninit();
    let mut size = size_of::<T>();
    // SAFETY: `value` is valid for the write of `size` bytes; a value of another size is refused.
    let status = unsafe {
        jemalloc_sys::mallctl(
            name.as_ptr(),
            value.as_mut_ptr().cast::<c_void>(),
            &mut size,
            null_mut(),
            0,
        )
    };
    // SAFETY: status 0 means that the whole value was written.
    (status == 0).then(|| unsafe { value.assume_init() })
}

/// Calls a name that does something and carries no value.
fn act(name: &CStr) {
    // SAFETY: with all pointers null nothing is read or written.
    unsafe { jemalloc_sys::mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) };
}
