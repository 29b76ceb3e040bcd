//! The C library's malloc, as it accounts for itself: in every subject, since C code uses it
//! whatever allocator Rust has.
//!
//! ```text
//! resident in its heaps = blocks in use + thread cache + fastbins + free chunks + tops
//! ```
//!
//! `mallinfo2` counts, and does not know what is resident. Blocks, the thread cache and fastbins
//! have been written to and are taken to be; of the other free chunks, only the pages that the kernel
//! finds: those of the tops by their addresses, the rest by what then remains of the heaps.

use std::ops::Range;
use std::ptr::with_exposed_provenance;

use model::{Figure, Holds, Part};

use crate::c_string;
use crate::mappings::{Extent, resident_bytes};

/// How many kinds of resident bytes are told apart.
const KINDS: usize = 6;

/// What the parts are, for the subject's introduction.
pub(crate) const PARTS: [Part; KINDS] = [
    Part::new(
        "malloc's blocks",
        Holds::Blocks,
        "mallinfo2: uordblks + hblkhd less tcache, as far as mincore finds that much resident",
        "which the program holds",
    ),
    Part::new(
        "malloc's tcache",
        Holds::Free,
        "the counts in the main thread's tcache",
        "which the thread keeps until it exits, by default seven blocks of a size",
    ),
    Part::new(
        "malloc's fastbins",
        Holds::Free,
        "mallinfo2: fsmblks",
        "which are merged with their neighbours only by a request of 1 KiB or more that misses the \
         tcache or one that the top cannot serve, by a free that makes a chunk of 64 KiB or more, or \
         by malloc_trim",
    ),
    Part::new(
        "malloc's free chunks",
        Holds::Free,
        "mallinfo2: fordblks, and mincore: what is resident of the heaps beyond all of these",
        "below chunks that are in use, in a tcache or in fastbins: malloc shrinks a heap from its top \
         only, and malloc_trim gives back whole pages",
    ),
    Part::new(
        "malloc's top chunk",
        Holds::Free,
        "mallinfo2: keepcost, and mincore",
        "which malloc cuts off only when a free of 64 KiB or more, once merged, takes it past the trim \
         threshold: by default 128 KiB, or twice the largest mmapped block that was freed, up to 64 MiB",
    ),
    Part::new(
        "malloc's top chunks of other arenas",
        Holds::Free,
        "the arenas' records, and mincore",
        "which malloc_trim does not reach, and which a free cuts off only past the trim threshold",
    ),
];

/// Where its heaps are, and what of them is resident.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heaps {
    /// The main arena's, which `brk` grows.
    pub(crate) main: Range<usize>,
    /// Those of the other arenas.
    pub(crate) others: Extent,
    /// The free ends of the last heaps of the other arenas.
    pub(crate) other_tops: Extent,
}

/// What malloc says of itself, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct CMalloc {
    /// In blocks that somebody holds.
    pub allocated_bytes: u64,
    /// In free chunks of any kind, resident or not.
    pub free_bytes: u64,
    /// Address space in its heaps and mappings.
    pub mapped_bytes: u64,
    mapped_blocks_bytes: u64,
    /// The resident bytes, in the order of [`PARTS`].
    resident: [u64; KINDS],
}

impl CMalloc {
    /// Asks malloc, and holds its answer against what is resident. Blocks of their own mapping are
    /// among `mapped_resident`.
    pub(crate) fn look(heaps: &Heaps, mapped_resident: u64) -> CMalloc {
        // SAFETY: the call has no precondition.
        let info = unsafe { libc::mallinfo2() };
        let in_heaps = info.uordblks as u64;
        let mapped_blocks_bytes = info.hblkhd as u64;
        let free = info.fordblks as u64;
        let fastbins = info.fsmblks as u64;
        let top = info.keepcost as u64;

        // SAFETY: the heap begins there, and while a subject answers nobody else is at work: its
        // threads stand still until they are told to go on.
        let tcache = unsafe { thread_cache_bytes(heaps.main.start) }.min(in_heaps);
        let Range { start, end } = heaps.main;
        let top_start = end.saturating_sub(top as usize).max(start);
        let top_resident = resident_bytes(top_start..end).min(top);
        let heaps_resident = resident_bytes(heaps.main.clone()) + heaps.others.resident_bytes;
        let tops = top_resident + heaps.other_tops.resident_bytes;
        let blocks_and_chunks = heaps_resident.saturating_sub(tcache + fastbins + tops);
        let blocks = blocks_and_chunks.min(in_heaps - tcache);
        let tops = top + heaps.other_tops.bytes;
        let chunks = (blocks_and_chunks - blocks).min(free.saturating_sub(fastbins + tops));
        let mapped_blocks = mapped_blocks_bytes.min(mapped_resident);
        CMalloc {
            allocated_bytes: in_heaps - tcache + mapped_blocks_bytes,
            free_bytes: free,
            mapped_bytes: info.arena as u64 + mapped_blocks_bytes,
            mapped_blocks_bytes: mapped_blocks,
            resident: [
                blocks + mapped_blocks,
                tcache,
                fastbins,
                chunks,
                top_resident,
                heaps.other_tops.resident_bytes,
            ],
        }
    }

    /// What is resident of the blocks that have a mapping of their own, in bytes.
    pub(crate) fn mapped_blocks_bytes(&self) -> u64 {
        self.mapped_blocks_bytes
    }

    /// The resident bytes, by the names of [`PARTS`].
    pub(crate) fn figures(&self) -> impl Iterator<Item = Figure> {
        let figures = PARTS.into_iter().zip(self.resident);
        figures.map(|(part, value)| Figure {
            name: part.name,
            value,
        })
    }
}

impl Heaps {
    /// Counts in the heaps that lie in this mapping, and hands on what of it is none.
    ///
    /// # Safety
    /// The mapping can be read, and nobody writes to it.
    pub(crate) unsafe fn take_out(
        &mut self,
        addresses: Range<usize>,
        mut rest: impl FnMut(Range<usize>),
    ) {
        let mut start = addresses.start;
        let mut candidate = start.next_multiple_of(LARGEST_HEAP);
        while candidate < addresses.end {
            // SAFETY: the address lies in the caller's mapping.
            let heap = unsafe { heap_at(candidate) };
            if let Some(heap) = heap.filter(|heap| heap.addresses.end <= addresses.end) {
                rest(start..candidate);
                start = heap.addresses.end;
                self.others.add(heap.addresses);
                self.other_tops.add(heap.top);
            }
            candidate += LARGEST_HEAP;
        }
        rest(start..addresses.end);
    }
}

/// A heap of an arena other than the main one begins at a multiple of the size that it can grow to
/// (`HEAP_MAX_SIZE` on 64-bit machines), with this header.
const LARGEST_HEAP: usize = 64 << 20;

/// `heap_info` of malloc/arena.c.
#[repr(C)]
struct HeapHeader {
    arena: usize,
    previous: usize,
    length: usize,
    accessible: usize,
}

/// What can be read and written of a heap, and the chunk at its end if it is its arena's top.
struct Heap {
    addresses: Range<usize>,
    top: Range<usize>,
}

/// The heap at this multiple of [`LARGEST_HEAP`], if there is one.
///
/// # Safety
/// The address lies in a mapping that can be read and that nobody writes to.
unsafe fn heap_at(address: usize) -> Option<Heap> {
    const PAGE: usize = 4096;
    /// An arena's own record stands behind the header of its first heap.
    const LONGEST_HEADER: usize = 256;
    if resident_bytes(address..address + PAGE) == 0 {
        return None; // a header has been written to; and a read would make the page resident
    }
    let header = with_exposed_provenance::<HeapHeader>(address);
    // SAFETY: the caller's mapping can be read, and any bytes are four words.
    let header = unsafe { header.read() };
    let lengths = [header.length, header.accessible];
    let plausible = (1..LONGEST_HEADER).contains(&(header.arena % LARGEST_HEAP))
        && header.previous.is_multiple_of(LARGEST_HEAP)
        && header.length <= header.accessible
        && lengths
            .iter()
            .all(|l| l.is_multiple_of(PAGE) && (1..=LARGEST_HEAP).contains(l));
    if !plausible {
        return None;
    }
    // SAFETY: a header like this is that of a heap, and names its arena.
    let top = unsafe { top_of(header.arena) };
    let end = address + header.length;
    let is_ours = |top: &Range<usize>| address < top.start && top.end == end;
    Some(Heap {
        addresses: address..address + header.accessible,
        top: top.filter(is_ours).unwrap_or(end..end),
    })
}

/// The chunk at the top of an arena. From glibc 2.27 on its address stands behind the arena's lock,
/// flags and fastbins; before 2.33 nobody asks, since there is no `mallinfo2`.
///
/// # Safety
/// There is an arena at this address, and nobody is at work in it.
unsafe fn top_of(arena: usize) -> Option<Range<usize>> {
    const OFFSET_OF_TOP: usize = 0x60;
    const FLAGS: usize = 0b111;
    let top = with_exposed_provenance::<usize>(arena + OFFSET_OF_TOP);
    // SAFETY: the arena's record is longer than that.
    let top = unsafe { top.read() };
    // Every heap of the arena lies in a slot of its own; a page of the same slot is readable.
    if !top.is_multiple_of(16) || resident_bytes(top..top + 1) == 0 {
        return None;
    }
    let size = with_exposed_provenance::<usize>(top + size_of::<usize>());
    // SAFETY: the page is resident; what is read there is held against the heap's end.
    let size = unsafe { size.read() } & !FLAGS;
    top.checked_add(size).map(|end| top..end)
}

/// What lies in the main thread's cache, in bytes of chunks; 0 where it cannot be read.
///
/// malloc counts these chunks as in use and says nowhere how many they are. The cache itself is the
/// heap's first chunk; up to glibc 2.41 it is 0x290 bytes long and begins with a 16-bit count for each
/// of 64 sizes.
///
/// # Safety
/// `heap` is where the main heap begins, or 0, and nobody is at work in it.
unsafe fn thread_cache_bytes(heap: usize) -> u64 {
    const SIZES: usize = 64;
    const CHUNK_BYTES: usize = 0x290;
    const IN_USE: usize = 1;
    const HEADER_BYTES: usize = 16;
    if heap == 0 || !(33..=41).contains(&glibc_minor()) {
        return 0;
    }
    let header = with_exposed_provenance::<[usize; 2]>(heap);
    // SAFETY: the heap's first chunk begins with two words of header.
    let [_, size] = unsafe { header.read() };
    if size != CHUNK_BYTES | IN_USE {
        return 0;
    }
    let counts = with_exposed_provenance::<[u16; SIZES]>(heap + HEADER_BYTES);
    // SAFETY: the chunk is as long as the cache, which begins with the counts.
    let counts = unsafe { counts.read() };
    let chunks = counts.iter().zip((32..).step_by(16));
    chunks.map(|(count, bytes)| u64::from(*count) * bytes).sum()
}

pub(crate) fn glibc_minor() -> u32 {
    // SAFETY: the call has no precondition.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: a string constant of the C library.
    let version = unsafe { c_string(version) };
    let minor = version.split('.').nth(1);
    minor.and_then(|minor| minor.parse().ok()).unwrap_or(0)
}
