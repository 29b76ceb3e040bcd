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
//! then the rest is taken out of its largest free part.

use cpython_layers::{Heap, Interpreter, Ledger};
use model::{Account, Figure, Holds, Part};

use crate::mappings::{Extent, resident_bytes};

const LAYERS: usize = 6;

/// What its layers are, for the subject's introduction. A driver tells of those alone that a scenario
/// has.
pub(crate) const PARTS: [Part; LAYERS] = [
    Part::new(
        "Python's live objects",
        Holds::Blocks,
        "the interpreter: alive + large",
        "which the program holds",
    ),
    Part::new(
        "Python's typed free lists",
        Holds::Free,
        "the interpreter: dead ints, floats and lists",
        "each for objects of its type only: those of ints and floats are immortal in 2.4 and 2.5, wait \
         for a full collection in 2.7, and from 3.3 on are short or none",
    ),
    Part::new(
        "Python's free blocks",
        Holds::Free,
        "the interpreter: free blocks in used pools, as far as they were written",
        "beside live ones in their pools: a pool goes back to its arena as a whole",
    ),
    Part::new(
        "Python's free pools",
        Holds::Free,
        "the interpreter: free pools in used arenas, as far as they were written",
        "in arenas where something is alive: an arena goes back as a whole",
    ),
    Part::new(
        "Python's empty arenas",
        Holds::Free,
        "the interpreter: arenas without a used pool, as far as they were written",
        "which 2.4 never gives back, and of which later versions keep one at most",
    ),
    Part::new(
        "Python's headers and rounding",
        Holds::Records,
        "the interpreter: rounding + headers + tails",
        "which goes back with the pools and blocks that it is part of",
    ),
];

/// What of the process's mappings is arenas.
pub(crate) fn mapped(python: &Interpreter<Heap>) -> Extent {
    let mut mapped = Extent::default();
    for arena in python.mapped_arenas() {
        mapped.bytes += arena.len() as u64;
        mapped.resident_bytes += resident_bytes(arena);
    }
    mapped
}

/// Divides what the interpreter has, of which so much is `mapped`, into its layers. `parts` are the
/// allocator's.
pub(crate) fn divide(
    python: &Interpreter<Heap>,
    mapped: &Extent,
    parts: &[Part],
    account: &mut Account,
) {
    let ledger = python.resident_ledger();
    let mut from_allocator = (ledger.sum() as u64).saturating_sub(mapped.resident_bytes);
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
    let figures = PARTS.into_iter().zip(layers(&ledger));
    account.parts.extend(figures.map(|(part, bytes)| Figure {
        name: part.name,
        value: bytes as u64,
    }));
}

/// The bytes of each part, in the order of [`PARTS`].
fn layers(ledger: &Ledger) -> [usize; LAYERS] {
    [
        ledger.alive + ledger.large,
        ledger.typed_free,
        ledger.free_blocks,
        ledger.free_pools + ledger.uncut_pools,
        ledger.empty_arenas,
        ledger.rounding + ledger.headers + ledger.tails,
    ]
}
