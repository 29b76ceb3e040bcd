//! Python's layers in the account of a subject that runs a scenario of Python's.
//!
//! The allocator sees the interpreter hold blocks and does not see what for. So what the interpreter
//! has from it is taken out of the allocator's part of blocks and told layer by layer, and arenas that
//! were mapped past the allocator are taken out of the process's mappings:
//!
//! ```text
//! the allocator's blocks = what the interpreter has from it + what the allocator rounds that up by
//! what the interpreter has = the sum of its layers, of its mapped arenas as well
//! ```
//!
//! The interpreter knows which of its pages were written, to the page; an allocator counts its free
//! memory and does not know how much of it ever was. Where the part of blocks is smaller than what the
//! interpreter has written, the allocator has taken that much free memory for resident that is not:
//! then the rest is taken out of its largest free part. Of mapped arenas the kernel knows as well: if it
//! counts other pages than the interpreter, the difference is no layer's and stays unexplained.

use cpython_layers::{Collected, FreeList, Heap, Interpreter};
use model::{Account, Figure, Holds, Part};

use crate::mappings::{Extent, resident_bytes};

const LAYERS: usize = 8;

/// What its layers are, for the subject's introduction. No Python has all of them: a driver tells of
/// those that an account has named.
pub(crate) const PARTS: [Part; LAYERS] = [
    LIVE,
    IMMORTAL,
    COLLECTED,
    SHORT,
    FREE_BLOCKS,
    FREE_POOLS,
    EMPTY_ARENAS,
    OVERHEAD,
];

const LIVE: Part = Part::new(
    "Python's live objects",
    Holds::Blocks,
    "the interpreter: alive + large",
    "which the program holds",
);

const IMMORTAL: Part = Part::new(
    "Python's immortal free lists",
    Holds::Free,
    "the interpreter: dead ints, floats and lists",
    "each for objects of its own type only, without a bound and for good",
);

const COLLECTED: Part = Part::new(
    "Python's unbounded free lists",
    Holds::Free,
    "the interpreter: dead ints, floats and lists",
    "each for objects of its own type only, until a full collection (gc.collect()) finds a block in \
     which all are dead",
);

const SHORT: Part = Part::new(
    "Python's short free lists",
    Holds::Free,
    "the interpreter: dead ints, floats and lists",
    "each for objects of its own type only, a hundred of them at most, until a full collection",
);

const FREE_BLOCKS: Part = Part::new(
    "Python's free blocks",
    Holds::Free,
    "the interpreter: free blocks in used pools, as far as they were written",
    "beside live ones in their pools: a pool goes back to its arena as a whole",
);

const FREE_POOLS: Part = Part::new(
    "Python's free pools",
    Holds::Free,
    "the interpreter: free pools in used arenas, as far as they were written",
    "in arenas where something is alive: an arena goes back as a whole, and before 2.5 not at all",
);

const EMPTY_ARENAS: Part = Part::new(
    "Python's empty arenas",
    Holds::Free,
    "the interpreter: arenas without a used pool, as far as they were written",
    "which 2.4 never gives back, and of which later versions keep one at most",
);

const OVERHEAD: Part = Part::new(
    "Python's headers and rounding",
    Holds::Records,
    "the interpreter: rounding + headers + tails",
    "which goes back with the pools and blocks that it is part of",
);

/// What of the process's mappings is arenas.
pub(crate) fn mapped(python: &Interpreter<Heap>) -> Extent {
    let mut mapped = Extent::default();
    for arena in python.mapped_arenas() {
        mapped.bytes += arena.len() as u64;
        mapped.resident_bytes += resident_bytes(arena);
    }
    mapped
}

/// Divides what the interpreter has into its layers. `parts` are the allocator's.
pub(crate) fn divide(python: &Interpreter<Heap>, parts: &[Part], account: &mut Account) {
    let mut from_allocator = python.resident_by_malloc() as u64;
    for holds in [Holds::Blocks, Holds::Free] {
        let of_kind = |figure: &&mut Figure| {
            let part = parts.iter().find(|part| part.name == figure.name);
            part.is_some_and(|part| part.holds == holds)
        };
        while from_allocator > 0 {
            let figures = account.parts.iter_mut().filter(of_kind);
            let largest = figures.filter(|f| f.value > 0).max_by_key(|f| f.value);
            let Some(largest) = largest else { break };
            let taken = largest.value.min(from_allocator);
            largest.value -= taken;
            from_allocator -= taken;
        }
    }
    let figures = layers(python).into_iter();
    account.parts.extend(figures.map(|(part, bytes)| Figure {
        name: part.name,
        value: bytes as u64,
    }));
}

/// The layers that this Python has, and the resident bytes of each.
fn layers(python: &Interpreter<Heap>) -> [(Part, usize); 6] {
    let ledger = python.resident_ledger();
    let free_lists = match python.version().dead_ints {
        FreeList::Blocks(Collected::Kept) => IMMORTAL,
        FreeList::Blocks(Collected::Cleared) => COLLECTED,
        FreeList::Bounded(..) | FreeList::None => SHORT,
    };
    [
        (LIVE, ledger.alive + ledger.large),
        (free_lists, ledger.typed_free),
        (FREE_BLOCKS, ledger.free_blocks),
        (FREE_POOLS, ledger.free_pools + ledger.uncut_pools),
        (EMPTY_ARENAS, ledger.empty_arenas),
        (OVERHEAD, ledger.rounding + ledger.headers + ledger.tails),
    ]
}

#[cfg(test)]
mod tests {
    use cpython_layers::{Build, Kind};

    use super::*;

    #[test]
    fn of_mapped_arenas_nothing_is_taken_out_of_the_allocators_blocks() {
        let blocks = Part::new("blocks", Holds::Blocks, "a test", "it says so");
        for (name, is_mapped) in [("2.5", false), ("3.13", true)] {
            let build: Build = name.parse().expect("a version");
            let mut python = Interpreter::new(build.version, build.word, Heap).expect("memory");
            let strings = (0..10_000).map(|_| python.alloc(Kind::Str(100)).expect("memory"));
            let strings: Vec<_> = strings.collect();
            const ALL: u64 = 1 << 30;
            let mut account = Account::default();
            account.parts.push(Figure {
                name: blocks.name.clone(),
                value: ALL,
            });
            divide(&python, std::slice::from_ref(&blocks), &mut account);
            let taken = ALL - account.parts[0].value;
            let of_layers: u64 = account.parts[1..].iter().map(|figure| figure.value).sum();
            assert!(of_layers > 1 << 20, "{name}: {of_layers}");
            assert_eq!(of_layers, python.resident() as u64, "{name}");
            match is_mapped {
                true => assert!(taken < 64 << 10, "{name}: {taken}"), // the table of arenas
                false => assert_eq!(taken, of_layers, "{name}"),
            }
            strings.into_iter().for_each(|block| python.free(block));
        }
    }
}
