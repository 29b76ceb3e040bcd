//! What of the process's memory is resident, as far as it is not Rust's allocator's to tell: the C
//! library's malloc and the threads' stacks, which any process has, and the mappings that remain.

use model::{Figure, Holds, Part};

use crate::c_malloc::{self, CMalloc};
use crate::mappings::{self, Extent, Kind};

/// The process's anonymous memory, divided among those who may have asked the kernel for it.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// The C library's malloc, with what it has from `brk` and `mmap`.
    pub malloc: CMalloc,
    /// The stacks of threads, without the main thread's, which is part of any process.
    pub stacks: Extent,
    /// Everything else that `mmap` gave: the mappings of Rust's allocator, where that is another.
    pub mappings: Extent,
}

const STACKS: Part = Part::new(
    "thread stacks",
    Holds::Other,
    "mincore of what lies above a guard",
    "which belong to threads that are still there, or that the C library keeps for the next",
);

/// What the parts of every process's account are.
pub(crate) fn parts() -> impl Iterator<Item = Part> {
    c_malloc::PARTS.into_iter().chain([STACKS])
}

impl Process {
    /// Looks at every mapping but for these of others, and asks malloc.
    pub(crate) fn look(others: &Extent) -> Process {
        let mut heaps = c_malloc::Heaps::default();
        let mut stacks = Extent::default();
        let mut mappings = Extent::default();
        mappings::for_each(|mapping| match mapping.kind {
            Kind::Heap => heaps.main = mapping.addresses,
            Kind::Stack => stacks.add(mapping.addresses),
            // SAFETY: such a mapping can be read, and while a subject answers nobody writes.
            Kind::Anonymous => unsafe {
                heaps.take_out(mapping.addresses, |rest| mappings.add(rest));
            },
        });
        mappings.take_out(others);
        let malloc = CMalloc::look(&heaps, mappings.resident_bytes);
        mappings.resident_bytes -= malloc.mapped_blocks_bytes(); // at most as many
        Process {
            malloc,
            stacks,
            mappings,
        }
    }

    /// The resident bytes, by the names of [`parts`].
    pub(crate) fn figures(&self) -> impl Iterator<Item = Figure> {
        let stacks = Figure {
            name: STACKS.name,
            value: self.stacks.resident_bytes,
        };
        self.malloc.figures().chain([stacks])
    }
}
