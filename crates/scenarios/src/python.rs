//! `python-...`: what the Python FAQ asks about, in Python: the statements of a program, in an
//! interpreter that lives on from one round to the next.
//!
//! The interpreter is the model of `cpython-layers`; below it is the allocator that the process has.
//! Each scenario stands for these statements, with `x = 'x'`, and asks for and frees, block by block,
//! what CPython does for them. In Python 3 `xrange` is `range`, and `range(n)` is `list(range(n))`:
//!
//! | scenario | build | drop |
//! |---|---|---|
//! | `python-int-list` | `L = range(n)` | `L = None` |
//! | `python-int-stream` | `for L in xrange(n): pass` | `L = None` |
//! | `python-float-list` | `L = [None] * n`, `for i in xrange(n): L[i] = float(i)` | `L = None` |
//! | `python-objects` | the same with `L[i] = object()` | `S = L[::16384]`, `L = None` |
//! | `python-strings-100` | the same with `L[i] = x * 100` | `L = None` |
//!
//! What survives, `S`, is let go of before the next object is built.

mod process;
mod settled;
mod statements;

pub use cpython_layers::{Build, Heap, Interpreter, UnknownBuild};
pub use process::{collect, look, start, stop, traffic};

use cpython_layers::Kind;
use process::{large, thinned};

use crate::{Scenario, int_list};

/// One object in so many survives.
const SURVIVES: usize = 16_384;

pub(crate) const INT_LIST: Scenario = Scenario {
    name: "python-int-list",
    summary: "Python: the integers of range(n) in a list",
    question: "why does Python not give back a list of ints, and since when does it?",
    unit: "integers",
    default_size: 50 * 1024 * 100,
    footprint_bytes: |size| int_list::footprint_bytes(size).saturating_mul(2),
    build: |size, _seed| large(size, |program, n| program.list_of_range(n)),
};

pub(crate) const FLOAT_LIST: Scenario = Scenario {
    name: "python-float-list",
    summary: "Python: as many floats in a list",
    question: "do floats come back, which had the same kind of free list?",
    unit: "floats",
    build: |size, _seed| large(size, |program, n| program.list_of(n, Kind::Float)),
    ..INT_LIST
};

pub(crate) const INT_STREAM: Scenario = Scenario {
    name: "python-int-stream",
    summary: "Python: the same integers one at a time, as xrange makes them",
    question: "what stays if one follows the advice of the FAQ?",
    footprint_bytes: |_size| 64,
    build: |size, _seed| large(size, |program, n| program.last_of_range(n)),
    ..INT_LIST
};

pub(crate) const OBJECTS: Scenario = Scenario {
    name: "python-objects",
    summary: "Python: objects in a list, dropped but for one in 16,384",
    question: "what does one survivor in an arena keep?",
    unit: "objects",
    default_size: 3_000_000,
    build: |size, _seed| {
        thinned(size, |program, n| {
            program.list_of(n, program.plain_object())
        })
    },
    ..INT_LIST
};

pub(crate) const STRINGS_100: Scenario = Scenario {
    name: "python-strings-100",
    summary: "Python: strings of 100 characters in a list, from pools",
    question: "do pools come back that nothing pins?",
    unit: "strings",
    default_size: 300_000,
    footprint_bytes: |size| size.saturating_mul(256),
    build: |size, _seed| large(size, |program, n| program.list_of(n, Kind::Str(100))),
};

pub(crate) const STRINGS_400: Scenario = Scenario {
    name: "python-strings-400",
    summary: "Python: strings of 400 characters, from 2.7 on from pools",
    question: "what does the threshold of the pools decide?",
    footprint_bytes: |size| size.saturating_mul(1024),
    build: |size, _seed| large(size, |program, n| program.list_of(n, Kind::Str(400))),
    ..STRINGS_100
};

pub(crate) const STRINGS_1000: Scenario = Scenario {
    name: "python-strings-1000",
    summary: "Python: strings of 1,000 characters, each by malloc",
    question: "what comes back of objects that no pool has room for?",
    footprint_bytes: |size| size.saturating_mul(2048),
    build: |size, _seed| large(size, |program, n| program.list_of(n, Kind::Str(1000))),
    ..STRINGS_100
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Object, PYTHON};

    fn live(object: &Option<Box<dyn Object>>) -> u64 {
        object.as_ref().map_or(0, |object| object.live_bytes())
    }

    /// Builds and drops; what survives.
    fn walk(scenario: &Scenario, size: u64) -> u64 {
        let object = Some((scenario.build)(size, 1));
        let (live_bytes, footprint) = (live(&object), (scenario.footprint_bytes)(size));
        let of_estimate = footprint / 8..=footprint;
        let name = scenario.name;
        assert!(
            of_estimate.contains(&live_bytes),
            "{name}: {live_bytes} of {footprint}"
        );
        let survivors = object.and_then(Object::drop_large);
        let left = live(&survivors);
        drop(survivors);
        let nothing = look(|python| python.ledger().large).expect("it runs");
        assert_eq!(nothing, 0, "{name}: no buffer outlives its list");
        left
    }

    /// One test, since there is one program at a time.
    #[test]
    fn what_is_built_is_held_and_dropped_and_one_object_in_16_384_survives() {
        for name in ["2.4-32", "2.5", "2.7", "3.6", "3.14"] {
            let build: Build = name.parse().expect("a version of the table");
            for scenario in PYTHON {
                start(build, scenario, 20_000);
                let survivors = match scenario.name {
                    // Two objects, the list of them and its items.
                    "python-objects" => 2 * 2 * build.word.bytes() as u64 + 40,
                    _ => 0,
                };
                let left = walk(scenario, 20_000);
                assert!(
                    (survivors..=2 * survivors).contains(&left),
                    "{name}: {left}"
                );
                assert_eq!(walk(scenario, 20_000), left, "the same in the next round");
                (1..20).for_each(|size| drop((scenario.build)(size, 1)));
            }
            traffic();
            collect();
            let large = look(|python| python.ledger().large);
            assert_eq!(large, Some(0), "{name}: traffic leaves no buffer");
        }
    }
}
