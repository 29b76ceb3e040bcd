//! The table of the suite: a row for each scenario, a column for each allocator, and in each cell the
//! control that must break what is asserted of it.

use model::Knob;

use crate::Cell;
use crate::Control::{self, Fault, Knob as Turn};

/// The allocators, in the order of the columns.
pub const ALLOCATORS: [&str; 4] = ["system", "jemalloc", "mimalloc", "pool"];

type Controls<const N: usize> = [Control<'static>; N];

// The faults that serve as controls.
const KEEPS: Control = Fault("keeps");
const KEEPS_MAPPINGS: Control = Fault("keeps-mappings");
const TAKES: Control = Fault("takes-at-build");
const APART: Control = Fault("apart");

// The knobs that do.
const DEFAULT: Control = Turn(Knob::DEFAULT);
const CACHES: Control = Turn("caches-off");
const TRIM: Control = Turn("trim-after-drop");
const TOP_PAD: Control = Turn("top-pad-0");
const DECAY: Control = Turn("decay-0");
const PURGE: Control = Turn("purge-after-drop");
const DELAY: Control = Turn("purge-delay-0");
const GC: Control = Turn("gc-after-drop");

/// Each scenario, with the control of each allocator.
#[rustfmt::skip]
pub const SCENARIOS: [(&str, Controls<4>); 27] = [
    ("int-list",              [CACHES,  DECAY, DELAY, KEEPS]),
    ("int-stream",            [KEEPS,   KEEPS, KEEPS, KEEPS]),
    ("byte-buffer",           [KEEPS,   KEEPS, DELAY, KEEPS]),
    ("string-map",            [CACHES,  PURGE, DELAY, KEEPS]),
    ("tree",                  [CACHES,  DECAY, DELAY, KEEPS]),
    ("blocks-forwards",       [KEEPS,   DECAY, DELAY, KEEPS]),
    ("blocks-backwards",      [CACHES,  DECAY, DELAY, KEEPS]),
    ("blocks-shuffled",       [CACHES,  DECAY, DELAY, KEEPS]),
    ("survivors-33",          [KEEPS,   APART, APART, APART]),
    ("survivors-1000",        [TRIM,    KEEPS, KEEPS, KEEPS]),
    ("survivors-16384",       [TRIM,    DECAY, DELAY, KEEPS]),
    ("survivors-at-end",      [TRIM,    DECAY, DELAY, KEEPS]),
    ("survivor-at-top",       [TRIM,    DECAY, DELAY, KEEPS]),
    ("buffer-again",          [TRIM,    KEEPS, DELAY, KEEPS]),
    ("pushed-bytes",          [KEEPS,   DECAY, DELAY, KEEPS]),
    ("threads-freed-in-main", [TOP_PAD, DECAY, DELAY, KEEPS]),
    ("threads-freed-by-both", [TOP_PAD, DECAY, DELAY, KEEPS]),
    ("threads-exited",        [TOP_PAD, DECAY, DELAY, KEEPS]),
    ("threads-own-arenas",    [TOP_PAD, DECAY, DELAY, KEEPS]),
    ("tasks-awaited",         [KEEPS,   DECAY, DELAY, KEEPS]),
    ("tasks-detached",        [CACHES,  DECAY, DELAY, KEEPS]),
    ("producer-consumer",     [TRIM,    DECAY, DELAY, KEEPS]),
    ("size-drift",            [CACHES,  PURGE, DELAY, KEEPS]),
    ("churn",                 [KEEPS,   DECAY, DELAY, KEEPS]),
    ("cache",                 [CACHES,  DECAY, DELAY, KEEPS]),
    ("json-document",         [CACHES,  DECAY, DELAY, KEEPS]),
    ("c-library",             [CACHES,  KEEPS, KEEPS, KEEPS]),
];

/// Each scenario of Python's in some versions, with the control of each allocator that it is asserted
/// under: the FAQ's question under all of them, the others where the allocator decides least. What a
/// version maps past the allocator is kept by another fault than what it takes from it.
#[rustfmt::skip]
pub const PYTHON: [(&str, &str, &[Control<'static>]); 14] = [
    ("python-int-list",     "2.4-32", &[KEEPS, KEEPS, KEEPS, KEEPS]),
    ("python-int-list",     "2.7",    &[GC,    GC,    GC,    GC]),
    ("python-int-list",     "3.13",   &[KEEPS_MAPPINGS, KEEPS_MAPPINGS, DELAY, KEEPS_MAPPINGS]),
    ("python-float-list",   "2.5",    &[KEEPS]),
    ("python-float-list",   "2.7",    &[GC]),
    ("python-float-list",   "3.13",   &[KEEPS_MAPPINGS]),
    ("python-int-stream",   "2.4-32", &[TAKES]),
    ("python-objects",      "2.4",    &[KEEPS]),
    ("python-objects",      "3.13",   &[KEEPS]),
    ("python-strings-100",  "2.5",    &[KEEPS]),
    ("python-strings-100",  "3.13",   &[KEEPS_MAPPINGS]),
    ("python-strings-400",  "2.5",    &[CACHES]),
    ("python-strings-400",  "2.7",    &[KEEPS_MAPPINGS]),
    ("python-strings-1000", "3.13",   &[KEEPS]),
];

/// Where the knobs below are turned: the plain case, one that wears the allocator down, one that pins.
pub const TURNED: [&str; 3] = ["int-list", "string-map", "survivors-33"];

/// The knobs of which something is asserted too, each with its allocator and the controls in
/// [`TURNED`]. Those that matter, and are exact: jemalloc's background thread sleeps in real time.
#[rustfmt::skip]
pub const KNOBS: [(&str, &str, Controls<3>); 7] = [
    ("system",   "caches-off",         [DEFAULT, DEFAULT, KEEPS]),
    ("system",   "trim-after-drop",    [DEFAULT, DEFAULT, KEEPS]),
    ("jemalloc", "decay-0",            [DEFAULT, PURGE,   APART]),
    ("jemalloc", "purge-after-drop",   [DEFAULT, DEFAULT, APART]),
    ("mimalloc", "purge-delay-0",      [DEFAULT, DEFAULT, APART]),
    ("mimalloc", "collect-after-drop", [DEFAULT, DEFAULT, APART]),
    ("pool",     "release-after-drop", [KEEPS,   KEEPS,   APART]),
];

/// Every cell of the suite: each scenario under each allocator, those of Python's, then the knobs.
pub fn cells() -> Vec<Cell> {
    let plain = SCENARIOS.into_iter().flat_map(|(scenario, controls)| {
        let under = ALLOCATORS.into_iter().zip(controls);
        under.map(move |(allocator, control)| Cell {
            scenario,
            python: None,
            allocator,
            knob: Knob::DEFAULT,
            control,
        })
    });
    let python = PYTHON.into_iter().flat_map(|(scenario, python, controls)| {
        let under = ALLOCATORS.into_iter().zip(controls);
        under.map(move |(allocator, control)| Cell {
            scenario,
            python: Some(python),
            allocator,
            knob: Knob::DEFAULT,
            control: *control,
        })
    });
    let turned = KNOBS.into_iter().flat_map(|(allocator, knob, controls)| {
        let on = TURNED.into_iter().zip(controls);
        on.map(move |(scenario, control)| Cell {
            scenario,
            python: None,
            allocator,
            knob,
            control,
        })
    });
    plain.chain(python).chain(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FAULTS;

    #[test]
    fn no_cell_stands_twice_and_every_fault_is_known() {
        let cells = cells();
        let mut keys: Vec<String> = cells.iter().map(Cell::key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), cells.len());
        for cell in cells {
            if let Fault(name) = cell.control {
                assert!(FAULTS.contains(&name), "{name}");
            }
        }
    }
}
