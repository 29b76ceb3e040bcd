//! CPython's memory as a model, exact to the block, for its versions from 2.4 to 3.14 on 32 and 64
//! bits.
//!
//! "You free a large object and the process stays as large as it was" has more than one reason in
//! Python, because memory passes through four layers on its way back and each may keep it:
//!
//! ```text
//!   int   float  list      any other object      a list's items       what is asked for
//!    |      |     |               |                    |
//!  +-v------v-----v--+            |                    |              1. typed free lists
//!  | dead objects of |            |                    |                 kept: dead objects
//!  | one type        |            |                    |
//!  +-+---------------+            |                    |
//!    |  blocks of ints       +----v--------------------v---+          2. the object allocator
//!    |  and floats (2.x)     | pools of one size class     |             kept: free blocks in used
//!    |                       +-------------+---------------+             pools, free pools in used
//!    |                       | arenas of 256 KiB or 1 MiB  |             arenas, an empty arena
//!    |                       +-------------+---------------+
//!    |       above 256 or 512 bytes        |           |
//!  +-v-------------------------------------v-+         |              3. the C library's malloc
//!  |                malloc                   |         |                 (the trait `Raw`)
//!  +-------------------+---------------------+         |
//!                      |                               | mmap (2.7)
//!  +-------------------v-------------------------------v-------+      4. the kernel
//!  |                        pages                              |         (what is resident)
//!  +-----------------------------------------------------------+
//! ```
//!
//! [`Interpreter`] is layers 1 and 2. Below it is whatever implements [`Raw`]: [`Counting`], which
//! has addresses and no memory, or [`Heap`], the allocator that the program is linked with.
//! [`Interpreter::ledger`] says at any time in which state every byte is:
//!
//! | what | its states |
//! |---|---|
//! | a block | uncut, free, alive; or dead on a typed free list, which its pool takes for alive |
//! | a pool | uncut, used, full, empty; an empty one may be taken by any size class |
//! | an arena | unused (an entry in the table, no memory), usable (it has free pools), full |
//!
//! ```
//! use cpython_layers::{Chunk, Counting, Interpreter, Kind, Word, version};
//!
//! # fn main() -> Result<(), cpython_layers::OutOfMemory> {
//! let version = version("2.7").expect("a version of the table");
//! let mut python = Interpreter::new(version, Word::Bits64, Counting::new(Chunk::GLIBC_64))?;
//! let ints: Result<Vec<_>, _> = (0..100_000).map(|i| python.alloc(Kind::Int(i))).collect();
//! ints?.into_iter().for_each(|int| python.free(int));
//! // All of it is on the free list of ints, but for the 257 that are small ints.
//! assert!(python.ledger().typed_free >= (100_000 - 257) * 24);
//! python.gc_collect();
//! assert!(python.ledger().typed_free < 1000);
//! # Ok(())
//! # }
//! ```
//!
//! # What each version keeps
//!
//! | | 2.4 | 2.5 | 2.7 | 3.6 | 3.7, 3.8 | 3.9 | 3.10 to 3.13 | 3.14 |
//! |---|---|---|---|---|---|---|---|---|
//! | dead ints | all | all | until a full collection | none | none | none | none | 100 |
//! | dead floats | all | all | until a full collection | 100 | 100 | 100 | 100 | 100 |
//! | empty arenas | all | none | none | none | none | one | one | one |
//! | alignment, 64 bits | 8 | 8 | 16 | 8 | 16 | 16 | 16 | 16 |
//! | threshold | 256 | 256 | 512 | 512 | 512 | 512 | 512 | 512 |
//! | pool, arena, 64 bits | 4 K, 256 K | 4 K, 256 K | 4 K, 256 K | 4 K, 256 K | 4 K, 256 K | 4 K, 256 K | 16 K, 1 M | 16 K, 1 M |
//! | arenas by | `malloc` | `malloc` | `mmap` | `mmap` | `mmap` | `mmap` | `mmap` | `mmap` |
//! | a list's items by | `malloc` | `malloc` | `malloc` | pools | pools | pools | pools | pools |
//!
//! [`VERSIONS`] has all of it with its sources. A free pool in an arena that is not empty is kept in
//! every version: pools are taken from the fullest arena first (from 2.5 on) so that the others may
//! drain, and one live block keeps an arena.
//!
//! # What is not modelled
//!
//! What an interpreter allocates for itself as it starts, except the small ints; the free lists of
//! other types (tuples, dicts, frames); `realloc`; the radix tree that finds arenas from 3.10 on;
//! the free-threaded build and `PYTHONMALLOC`, which have other allocators; collections that the
//! collector starts by itself. A program is taken to write all of every block that it gets.

#![deny(unsafe_code)] // but for real memory: `aside`, `heap`

mod arena;
mod arenas;
#[expect(unsafe_code, reason = "mappings of its own")]
mod aside;
mod block;
mod build;
mod counting;
mod geometry;
#[expect(unsafe_code, reason = "the program's allocator and mappings")]
mod heap;
mod interpreter;
mod kind;
mod large;
mod ledger;
mod object_blocks;
mod objects;
mod policy;
mod pool;
mod raw;
mod typed;
mod versions;
mod word;

pub use arenas::ArenaCounts;
pub use aside::{Aside, Table};
pub use block::Block;
pub use build::{Build, UnknownBuild};
pub use counting::{Chunk, Counting};
pub use heap::{Heap, Memory};
pub use interpreter::{BlockCounts, Interpreter};
pub use kind::Kind;
pub use ledger::{ClassCounts, Ledger};
pub use policy::{
    ArenasFrom, Buffers, Collected, EmptyArenas, FreeList, IntLayout, SmallInts, Version,
};
pub use raw::{Origin, OutOfMemory, Raw};
pub use versions::{VERSIONS, version};
pub use word::{PerWord, Word};
