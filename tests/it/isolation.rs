//! Nothing of one allocator is linked into another's binary.

use object::{Object, ObjectSymbol};

use crate::lab::ALLOCATORS;

/// What the symbols of each allocator have in their names, and nobody else's do.
const MARKS: [(&str, &str); 3] = [
    ("jemalloc", "_rjem_"),
    ("mimalloc", "mi_malloc"),
    ("pool", "pool_alloc"),
];

fn symbols(executable: &str) -> Vec<String> {
    let bytes = std::fs::read(executable).expect("cargo has built it");
    let file = object::File::parse(&*bytes).expect("an executable");
    // Defined ones: what a binary only imports stands in the same table.
    let names = file
        .symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    names.collect()
}

#[test]
fn each_binary_holds_its_own_allocator_and_no_other() {
    for (allocator, executable) in ALLOCATORS {
        let symbols = symbols(executable);
        for (owner, mark) in MARKS {
            let found = symbols.iter().find(|symbol| symbol.contains(mark));
            assert_eq!(
                found.is_some(),
                owner == allocator,
                "{found:?} in with-{allocator}"
            );
        }
    }
}

#[test]
fn each_binary_brings_its_own_clock_randomness_and_placement() {
    for (allocator, executable) in ALLOCATORS {
        let symbols = symbols(executable);
        for function in ["clock_gettime", "getrandom", "mmap", "syscall"] {
            let defined = symbols.iter().any(|symbol| symbol == function);
            assert!(
                defined,
                "with-{allocator} leaves {function} to the C library"
            );
        }
    }
}
