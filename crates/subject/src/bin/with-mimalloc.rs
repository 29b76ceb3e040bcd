//! mimalloc 3, as the mimalloc crate builds it by default

use std::ffi::{CStr, c_char, c_void};
use std::io::Write;
use std::process::ExitCode;
use std::ptr::null_mut;

use afterdrop_subject::{Account, Control, Figure, Holds, Part, Process, resident_bytes, serve};
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

    fn parts(&self) -> &'static [Part] {
        &PARTS
    }

    /// From a visit of the heap's pages, which the kernel is asked about one by one. What mimalloc
    /// itself counts as committed includes what it has purged.
    fn account(&self, process: &Process) -> Account {
        let pages = Pages::visit();
        let outside = process
            .mappings
            .resident_bytes
            .saturating_sub(pages.resident_bytes);
        let stats = Stats::read();
        let in_blocks = pages.resident_in_blocks_bytes;
        let figures = [
            ("blocks", in_blocks),
            (
                "free blocks",
                pages
                    .resident_bytes
                    .saturating_sub(in_blocks + pages.empty_bytes),
            ),
            ("empty pages", pages.empty_bytes),
            ("free slices", outside),
        ];
        Account {
            allocated_bytes: Some(pages.allocated_bytes),
            cached_bytes: Some(pages.resident_bytes.saturating_sub(in_blocks) + outside),
            lazily_freed_bytes: None, // with MIMALLOC_PURGE_DECOMMITS=0 it frees so, and does not count
            metadata_bytes: None,
            mapped_bytes: stats.as_ref().map(|s| s.reserved.bytes()),
            parts: figures
                .map(|(name, bytes)| Figure::new(name, bytes))
                .into_iter()
                .collect(),
            counters: stats
                .iter()
                .map(|s| Figure::new("purges", s.purge_calls.max(0) as u64))
                .collect(),
        }
    }
}

/// What the parts are.
static PARTS: [Part; 4] = [
    Part::new(
        "blocks",
        Holds::Blocks,
        "mi_heap_visit_blocks: used blocks, as far as mincore finds their page resident; one that \
         another thread freed counts until its owner collects it",
        "with it blocks that another thread than their page's has freed, which wait until that one needs \
         one of their size",
    ),
    Part::new(
        "free blocks",
        Holds::Free,
        "mi_heap_visit_blocks and mincore: what is resident of pages in use, less the used blocks",
        "each on a page (64 KiB for small blocks) with a block that is in use, and a page goes back \
         as a whole",
    ),
    Part::new(
        "empty pages",
        Holds::Free,
        "mi_heap_visit_blocks and mincore: what is resident of pages without a used block",
        "which a thread holds on to until it goes on allocating",
    ),
    Part::new(
        "free slices",
        Holds::Free,
        "mincore: what is resident of mimalloc's mappings outside of its pages, its own records \
         included",
        "which are purged purge_delay (1 s by default) later, but by no timer: only when a page of a \
         thread that goes on working falls empty",
    ),
];

/// The part of mimalloc's statistics that is kept whatever the build.
#[derive(Deserialize)]
struct Stats {
    reserved: Count,
    purge_calls: i64,
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

/// What a visit of all pages of the main heap finds, in bytes.
#[derive(Default)]
struct Pages {
    allocated_bytes: u64,
    resident_bytes: u64,
    resident_in_blocks_bytes: u64,
    /// What is resident of pages without a block in use.
    empty_bytes: u64,
}

impl Pages {
    fn visit() -> Pages {
        let mut pages = Pages::default();
        // SAFETY: null means the main heap, all other threads stand still while this one answers,
        // and `add_area` casts the
        // argument back to what it is.
        unsafe {
            libmimalloc_sys::mi_heap_visit_blocks(
                null_mut(),
                false,
                Some(add_area),
                (&raw mut pages).cast(),
            )
        };
        pages
    }
}

/// Adds one page.
///
/// # Safety
/// `area` points to an area, `pages` to a [`Pages`] that nobody else uses.
unsafe extern "C" fn add_area(
    _heap: *const mi_heap_t,
    area: *const mi_heap_area_t,
    _block: *mut c_void,
    _block_size: usize,
    pages: *mut c_void,
) -> bool {
    // SAFETY: mimalloc hands an area to every call.
    let area = unsafe { &*area };
    // SAFETY: `visit` handed in its own.
    let pages = unsafe { &mut *pages.cast::<Pages>() };
    let in_use = (area.used * area.full_block_size) as u64; // `used` counts blocks
    let start = area.blocks as usize;
    let resident = resident_bytes(start..start + area.reserved);
    pages.allocated_bytes += in_use;
    pages.resident_bytes += resident;
    pages.resident_in_blocks_bytes += in_use.min(resident);
    pages.empty_bytes += if in_use == 0 { resident } else { 0 };
    true
}
