//! A verdict is that of the pattern: neither the size nor the seed decides.
//!
//! Every scenario but Python's under every allocator, with sizes drawn log-uniformly from 100,000 to 2,000,000
//! objects and any seed, has the verdict of its default size. An *object* is a block that one build
//! asks for, or, where the scenario is one buffer, 32 bytes of it, an integer and the pointer to it.
//!
//! Where an allocator itself treats sizes differently, the size from which it does stands in
//! [`FORKS`], and the verdicts on both sides are asserted.
//!
//! Without `PROPTEST_CASES` each cell gets one case, the same in every run; with it, so many at random.

use model::{Knob, Returns};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};
use scenarios::Scenario;

use crate::lab::{ALLOCATORS, executable, measure, plan};

/// A size from which an allocator goes another way.
#[derive(Debug)]
struct Fork {
    allocator: &'static str,
    scenario: &'static str,
    /// In the scenario's own unit. Between the two, what else is in the heap decides.
    last_before: u64,
    first_beyond: u64,
    before: Returns,
    beyond: Returns,
}

impl Fork {
    /// glibc maps a buffer of its own for any request of 128 KiB or more, but once such a one was
    /// freed, only for larger requests, and keeps the next in its heap. Of buffers that with their
    /// header take 32 MiB of pages or more (`DEFAULT_MMAP_THRESHOLD_MAX`) it learns nothing.
    const fn system(scenario: &'static str, first_beyond: u64) -> Fork {
        Fork {
            allocator: "system",
            scenario,
            last_before: first_beyond - 1,
            first_beyond,
            before: Returns::OnRequest,
            beyond: Returns::AtOnce,
        }
    }

    /// jemalloc purges at once what is freed if with the dirty pages beside it, which are up to
    /// 2 MiB here, it comes to 8 MiB (`oversize_threshold`).
    const fn jemalloc(scenario: &'static str, bytes_per_unit: u64) -> Fork {
        Fork {
            allocator: "jemalloc",
            scenario,
            last_before: (6 << 20) / bytes_per_unit,
            first_beyond: (8 << 20) / bytes_per_unit,
            before: Returns::OnActivity,
            beyond: Returns::AtOnce,
        }
    }

    /// Whatever the size, 12 to 21 MiB stay, in slabs with a block in a worker's thread cache: of a large object less than
    /// a tenth.
    const JEMALLOC_CACHES: Fork = Fork {
        allocator: "jemalloc",
        scenario: "threads-freed-by-both",
        last_before: 1_000_000,
        first_beyond: 1_500_000,
        before: Returns::Partly,
        beyond: Returns::OnActivity,
    };

    /// Whatever the size, about 4 MiB go: of a small object more than a tenth.
    const MIMALLOC_LAST: Fork = Fork {
        allocator: "mimalloc",
        scenario: "threads-freed-by-both",
        last_before: 150_000,
        first_beyond: 250_000,
        before: Returns::Partly,
        beyond: Returns::Never,
    };
}

const FORKS: &[Fork] = &[
    Fork::system("byte-buffer", ((32 << 20) - PAGE_BYTES) / BYTES_PER_OBJECT),
    Fork::system("buffer-again", ((32 << 20) - PAGE_BYTES) / 1024),
    Fork::system("pushed-bytes", (16 << 20) + 1), // its capacity is the next power of two
    Fork::jemalloc("byte-buffer", BYTES_PER_OBJECT),
    Fork::jemalloc("buffer-again", 1024),
    Fork::JEMALLOC_CACHES,
    Fork::MIMALLOC_LAST,
];

const BYTES_PER_OBJECT: u64 = 32;

const PAGE_BYTES: u64 = 4096;

/// The size of this scenario at which one build asks for about so many blocks.
fn size(scenario: &Scenario, objects: u64) -> u64 {
    match scenario.name {
        "buffer-again" => objects * BYTES_PER_OBJECT / 1024,
        "pushed-bytes" => objects * BYTES_PER_OBJECT,
        "producer-consumer" => objects / 2, // half of the messages are worked off on the way
        "cache" => objects * 10 / 36,       // evictions
        "churn" => objects / 7,             // generations
        "size-drift" => objects / 8,        // rounds
        "json-document" => objects / 17,    // strings, keys, maps and lists of a record
        _ => objects,
    }
}

fn objects() -> impl Strategy<Value = u64> {
    (100_000f64.ln()..=2_000_000f64.ln()).prop_map(|logarithm| logarithm.exp() as u64)
}

#[track_caller]
fn returns(allocator: &str, scenario: &str, size: u64, seed: u64) -> Returns {
    let mut plan = plan(executable(allocator), scenario, Knob::default_settings());
    (plan.size, plan.seed) = (size, seed);
    let (_, checkpoints) = measure(&plan);
    oracle::judge(&checkpoints).expect("a whole run").returns
}

/// The verdict at every size, where there is one. Otherwise the fork tells.
#[derive(Debug)]
enum Expected {
    Everywhere(Returns),
    Forked(&'static Fork),
}

impl Expected {
    fn of(allocator: &str, scenario: &Scenario) -> Expected {
        let fork = FORKS
            .iter()
            .find(|fork| (fork.allocator, fork.scenario) == (allocator, scenario.name));
        match fork {
            Some(fork) => Expected::Forked(fork),
            None => Expected::at_default_size(allocator, scenario),
        }
    }

    fn at_default_size(allocator: &str, scenario: &Scenario) -> Expected {
        let default = returns(allocator, scenario.name, scenario.default_size, 1);
        Expected::Everywhere(default)
    }

    fn allows(&self, size: u64, found: Returns) -> bool {
        match self {
            Expected::Everywhere(returns) => found == *returns,
            Expected::Forked(fork) => {
                (found == fork.before && size < fork.first_beyond)
                    || (found == fork.beyond && size > fork.last_before)
            }
        }
    }
}

/// Runs the cases of one cell.
fn try_sizes(
    mut runner: TestRunner,
    allocator: &str,
    scenario: &Scenario,
    expected: &Expected,
) -> Result<(), String> {
    let cases = (objects(), any::<u64>());
    let outcome = runner.run(&cases, |(objects, seed)| {
        let size = size(scenario, objects);
        let found = returns(allocator, scenario.name, size, seed);
        prop_assert!(
            expected.allows(size, found),
            "{found:?} at size {size}, seed {seed}, and not {expected:?}"
        );
        Ok(())
    });
    outcome.map_err(|error| format!("{} under {allocator}: {error}", scenario.name))
}

/// `cell` numbers the cell, so that each gets a case of its own.
fn runner(cell: usize) -> TestRunner {
    let mut config = ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        max_shrink_iters: 16, // each runs a subject
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 1;
        config.rng_seed = RngSeed::Fixed(cell as u64);
    }
    TestRunner::new(config)
}

/// Where the cases that failed are kept, to be tried first from then on.
const REGRESSIONS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/it/proptest-regressions/any_size.txt"
);

#[track_caller]
fn check(allocator: &str) {
    let place = ALLOCATORS.iter().position(|(name, _)| *name == allocator);
    let first_cell = place.expect("one of the contestants") * scenarios::RUST.len();
    let differs = |(scenario, cell)| {
        let expected = Expected::of(allocator, scenario);
        try_sizes(runner(cell), allocator, scenario, &expected).err()
    };
    let cells = scenarios::RUST.iter().zip(first_cell..);
    let differing: Vec<String> = cells.filter_map(differs).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn verdicts_under_system_are_those_of_every_size() {
    check("system");
}

#[test]
fn verdicts_under_jemalloc_are_those_of_every_size() {
    check("jemalloc");
}

#[test]
fn verdicts_under_mimalloc_are_those_of_every_size() {
    check("mimalloc");
}

#[test]
fn verdicts_under_pool_are_those_of_every_size() {
    check("pool");
}

#[test]
fn forks_are_where_they_are_said_to_be() {
    for fork in FORKS {
        let returns = |size| returns(fork.allocator, fork.scenario, size, 1);
        let sides = (returns(fork.last_before), returns(fork.first_beyond));
        let cell = format!("{} under {}", fork.scenario, fork.allocator);
        assert_eq!(sides, (fork.before, fork.beyond), "{cell}");
    }
}

/// As if there were no fork in it: the default size is beyond, most of the others are not.
#[test]
fn a_verdict_that_follows_the_size_is_found() {
    let scenario = scenarios::find("byte-buffer").expect("a scenario");
    let expected = Expected::at_default_size("system", scenario);
    let runner = TestRunner::new(ProptestConfig {
        cases: 16,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    });
    let difference = try_sizes(runner, "system", scenario, &expected);
    assert!(difference.is_err(), "no size made a difference");
}
