//! jemalloc 5, through the maintained line of the jemallocator crate

use std::ffi::{CStr, c_char, c_void};
use std::process::ExitCode;
use std::ptr::null_mut;

use afterdrop_subject::{Account, Control, Figure, Holds, Part, Process, c_string, serve};
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

    fn parts(&self) -> &'static [Part] {
        match read::<bool>(c"opt.background_thread") {
            Some(true) => &PARTS_WITH_BACKGROUND_THREAD,
            _ => &PARTS,
        }
    }

    fn account(&self, process: &Process) -> Account {
        advance_epoch();
        let bytes = |name| read::<usize>(name).unwrap_or(0) as u64;
        let pages = |name| bytes(name) * page_bytes();
        let allocated = bytes(c"stats.allocated");
        let thread_caches = bytes(c"stats.arenas.4096.tcache_bytes");
        let blocks = allocated.saturating_sub(thread_caches);
        let slabs = bytes(c"stats.active").saturating_sub(allocated);
        let dirty = pages(c"stats.arenas.4096.pdirty");
        let muzzy = pages(c"stats.arenas.4096.pmuzzy");
        let metadata = bytes(c"stats.metadata");

        // jemalloc counts; what is resident of that, and in which order it is looked for, says the
        // source of each part.
        let mut resident = process.mappings;
        let figures = [
            ("thread caches", resident.claim(thread_caches)),
            ("slabs", resident.claim(slabs)),
            ("dirty pages", resident.claim(dirty)),
            ("muzzy pages", resident.claim(muzzy)),
            ("blocks", resident.claim(blocks)),
            ("metadata", resident.claim(metadata)),
        ];
        Account {
            allocated_bytes: Some(blocks),
            cached_bytes: Some(thread_caches + slabs + dirty),
            lazily_freed_bytes: Some(muzzy),
            metadata_bytes: Some(metadata),
            mapped_bytes: Some(bytes(c"stats.mapped")),
            parts: figures
                .map(|(name, bytes)| Figure::new(name, bytes))
                .into_iter()
                .collect(),
            counters: [
                Figure::new("calls that reached an arena", arena_operations()),
                Figure::new(
                    "purges of dirty pages",
                    count(c"stats.arenas.4096.dirty_npurge"),
                ),
            ]
            .into_iter()
            .collect(),
        }
    }
}

/// What the parts are.
static PARTS: [Part; 6] = parts(
    "which decay over dirty_decay_ms (10 s by default), but by no timer: jemalloc looks at the decay \
     once in about 1,000 operations on an arena",
);

/// What they are where somebody else looks after the decay.
static PARTS_WITH_BACKGROUND_THREAD: [Part; 6] = parts(
    "which decay over dirty_decay_ms (10 s by default), and which the background thread purges when \
     it wakes, in real time",
);

const fn parts(dirty_because: &'static str) -> [Part; 6] {
    [
        Part::new(
            "blocks",
            Holds::Blocks,
            "stats.allocated less tcache_bytes, as far as mincore finds more resident than the free \
             memory below",
            "which the program holds",
        ),
        Part::new(
            "thread caches",
            Holds::Free,
            "stats.arenas.4096.tcache_bytes",
            "which each thread keeps until it goes on allocating, exits or calls thread.tcache.flush",
        ),
        Part::new(
            "slabs",
            Holds::Free,
            "stats.active - stats.allocated: free blocks, and the padding of large ones",
            "beside blocks that are in use or cached, and a slab goes back as a whole",
        ),
        Part::new(
            "dirty pages",
            Holds::Free,
            "stats.arenas.4096.pdirty",
            dirty_because,
        ),
        Part::new(
            "muzzy pages",
            Holds::Free,
            "stats.arenas.4096.pmuzzy",
            "which have been freed lazily and decay over muzzy_decay_ms",
        ),
        Part::new(
            "metadata",
            Holds::Records,
            "stats.metadata, as far as mincore finds more resident than all of the above",
            "which jemalloc never gives back",
        ),
    ]
}

/// Fills and flushes of thread caches, each a batch, and large blocks: what gets past the thread
/// caches. Without any of them no decay is looked at; the ticks themselves jemalloc does not tell.
fn arena_operations() -> u64 {
    [
        c"stats.arenas.4096.small.nfills",
        c"stats.arenas.4096.small.nflushes",
        c"stats.arenas.4096.large.nmalloc",
        c"stats.arenas.4096.large.ndalloc",
    ]
    .into_iter()
    .map(count)
    .sum()
}

fn count(name: &CStr) -> u64 {
    read(name).unwrap_or(0)
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
