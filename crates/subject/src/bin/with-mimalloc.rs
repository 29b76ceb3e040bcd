//! mimalloc 3, as the mimalloc crate builds it by default

use std::ffi::{CStr, c_char, c_void};
use std::io::Write;
use std::process::ExitCode;
use std::ptr::null_mut;

use afterdrop_subject::{Account, Control, serve};
use libmimalloc_sys::{mi_heap_area_t, mi_heap_t};
use mimalloc::MiMalloc;
use serde::Deserialize;

#[global_allocator]
static GLOBAL: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    serve(&Mimalloc3::new())
}

struct Mimalloc3 {
    version: [u8; 16],
    version_length: usize,
}

impl Mimalloc3 {
    /// Spells the version out here, on the stack, since nothing may be allocated for it later.
    fn new() -> Mimalloc3 {
        // SAFETY: the call has no precondition.
        let number = unsafe { libmimalloc_sys::mi_version() };
        // The major version, two digits of the minor one, two of the patch: 3.3.2 is 30302.
        let (major, minor, patch) = (number / 10_000, number / 100 % 100, number % 100);
        let mut version = [0; 16];
        let mut rest = &mut version[..];
        let fits = write!(rest, "{major}.{minor}.{patch}").is_ok();
        let version_length = if fits { 16 - rest.len() } else { 0 };
        Mimalloc3 {
            version,
            version_length,
        }
    }
}

impl Control for Mimalloc3 {
    fn name(&self) -> &str {
        "mimalloc"
    }

    fn title(&self) -> &str {
        "mimalloc"
    }

    fn version(&self) -> &str {
        str::from_utf8(&self.version[..self.version_length]).unwrap_or("?")
    }

    fn release_call(&self) -> Option<&str> {
        Some("mi_collect(true)")
    }

    fn release(&self) {
        // SAFETY: the call has no precondition.
        unsafe { libmimalloc_sys::mi_collect(true) };
    }

    /// From a visit of the heap's pages and from the statistics that every build keeps. "Committed"
    /// is what mimalloc has not purged; what of that is in no block is cached or its own record.
    fn account(&self) -> Account {
        let allocated = bytes_in_use();
        let stats = Stats::read();
        Account {
            allocated_bytes: Some(allocated),
            cached_bytes: stats
                .as_ref()
                .map(|s| s.committed.bytes().saturating_sub(allocated)),
            lazily_freed_bytes: Some(0), // it purges with MADV_DONTNEED by default
            metadata_bytes: None,
            mapped_bytes: stats.map(|s| s.reserved.bytes()),
        }
    }
}

/// The part of mimalloc's statistics that is kept whatever the build.
#[derive(Deserialize)]
struct Stats {
    reserved: Count,
    committed: Count,
}

#[derive(Deserialize)]
struct Count {
    current: i64,
}

impl Count {
    fn bytes(&self) -> u64 {
        self.current.max(0) as u64
    }
}

impl Stats {
    /// mimalloc prints its statistics into a buffer; it is about 14 KB of JSON.
    fn read() -> Option<Stats> {
        let mut buffer = [0u8; 32 * 1024];
        let text = buffer.as_mut_ptr().cast::<c_char>();
        // SAFETY: `buffer` is valid for the write of its length.
        let written = unsafe { libmimalloc_sys::mi_stats_get_json(buffer.len(), text) };
        if written.is_null() {
            return None;
        }
        let json = CStr::from_bytes_until_nul(&buffer).ok()?;
        serde_json::from_slice(json.to_bytes()).ok()
    }
}

/// Bytes in blocks that the program holds, summed over all pages of the main heap.
fn bytes_in_use() -> u64 {
    let mut sum = 0u64;
    // SAFETY: null means the main heap, one thread is running, and `add_area` casts the argument
    // back to what it is, a u64.
    unsafe {
        libmimalloc_sys::mi_heap_visit_blocks(
            null_mut(),
            false,
            Some(add_area),
            (&raw mut sum).cast(),
        )
    };
    sum
}

/// Adds one page's blocks in use to the sum behind `sum`.
///
/// # Safety
/// `area` points to an area, `sum` to a u64 that nobody else uses.
unsafe extern "C" fn add_area(
    _heap: *const mi_heap_t,
    area: *const mi_heap_area_t,
    _block: *mut c_void,
    _block_size: usize,
    sum: *mut c_void,
) -> bool {
    // SAFETY: mimalloc hands an area to every call.
    let area = unsafe { &*area };
    // SAFETY: `bytes_in_use` handed in a u64.
    let sum = unsafe { &mut *sum.cast::<u64>() };
    *sum += (area.used * area.full_block_size) as u64; // `used` counts blocks
    true
}
