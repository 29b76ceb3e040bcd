//! The model against the real thing: every CPython that pyenv has here runs the same program, and
//! says by `sys._debugmallocstats()` how many arenas, pools and blocks there are after each step; the
//! kernel says what is resident.
//!
//! An interpreter has objects of its own. Before the program it fills what pools are unused, so that
//! the only ones are those of its last arena, and the model is put into the same state: as many
//! arenas, as many unused pools, as many pools of blocks of 32 bytes, as many of these free. From
//! there on every figure has to be the same. A series of which there is no interpreter is named and
//! skipped.

mod model;
mod program;
mod python;

use cpython_layers::{Chunk, Counting, FreeList, Interpreter, Kind, VERSIONS, Word, version};

use model::{Allowed, Model};
use program::Step;
use python::{Python, Stats, say};

/// `range(50*1024*100)`, as the FAQ has it.
const INTS: i64 = 50 * 1024 * 100;

#[test]
fn arenas_pools_blocks_and_pages_of_the_int_list_are_those_of_the_interpreter() {
    let (build, drop) = (Step::Build("L", INTS), Step::Drop("L"));
    let allowed = Allowed {
        pools: 0,
        // Of 200,000: the marks themselves, and the radix tree that finds arenas.
        resident_kib: 64,
    };
    check(&[build.clone(), drop.clone(), build, drop], &allowed);
}

#[test]
fn after_cuts_new_ints_go_where_the_interpreter_puts_them() {
    // Whole pools are freed, in different numbers from different arenas. What K takes of them
    // decides which arenas go with L, and the thinning where M goes.
    let steps = [
        Step::Build("L", 400_000),
        Step::Cut("L", 60_000..62_000),
        Step::Cut("L", 100_000..107_000),
        Step::Cut("L", 150_000..151_500),
        Step::Cut("L", 200_000..205_000),
        Step::Cut("L", 300_000..303_500),
        Step::Build("K", 12_000),
        Step::Thin("L", 3),
        Step::Build("M", 50_000),
        Step::Cut("M", 0..44_980),
        Step::Drop("L"),
        Step::Build("L", 100_000),
        Step::Drop("K"),
        Step::Drop("M"),
        Step::Drop("L"),
    ];
    let allowed = Allowed {
        // An object of the interpreter's own that is made anew meanwhile may come to lie in a pool
        // that would be empty without it (so in 3.7.16).
        pools: 1,
        // What the C library keeps of the lists' items.
        resident_kib: 1024,
    };
    check(&steps, &allowed);
}

/// Runs the program in every CPython 3 there is, and in the model.
fn check(steps: &[Step], allowed: &Allowed) {
    for row in VERSIONS.iter().filter_map(|row| version(row.name)) {
        let python = row.name.starts_with("3.").then(|| Python::find(row));
        let Some(python) = python.flatten() else {
            continue;
        };
        let measured = python.statistics(&program::script(steps));
        let Some(mut model) = Model::in_state(row, &measured) else {
            say(&format!(
                "CPython {}: only some arenas on 16 KiB, skipped",
                row.name
            ));
            continue;
        };
        for (step, now) in steps.iter().zip(&measured[1..]) {
            model.run(step);
            model.check(&measured[0], now, step, allowed);
        }
        model.check_highwater(&measured[steps.len()]);
    }
}

/// Drops more floats and lists than any version keeps, and collects.
const FREE_LISTS: &str = "
import gc
gc.disable()
mark()
F = [i + 0.5 for i in range(1000)]; L = [[] for i in range(1000)]
F = None; L = None
mark()
gc.collect()
mark()
";

#[test]
fn the_bounded_free_lists_hold_what_the_table_says_and_a_collection_clears_them() {
    for row in VERSIONS.iter().filter_map(|row| version(row.name)) {
        let python = row.name.starts_with("3.").then(|| Python::find(row));
        let Some(python) = python.flatten() else {
            continue;
        };
        let stats = python.statistics(FREE_LISTS);
        let held = |field: fn(&Stats) -> usize| [field(&stats[1]), field(&stats[2])];
        let floats = (row.dead_floats, held(|stats| stats.free_floats));
        let lists = (row.dead_lists, held(|stats| stats.free_lists));
        for (policy, [dropped, collected]) in [floats, lists] {
            let FreeList::Bounded(limit, _) = policy else {
                panic!("{}: a bounded list", row.name);
            };
            assert_eq!(dropped, limit, "{}", row.name);
            // The collection itself may free one that it has made.
            assert!(collected <= 1, "{}: {collected} are left", row.name);
        }
    }
}

/// Prints the KiB of anonymous memory before, between and after.
const PYTHON_2: &str = "
def mark():
    for line in open('/proc/self/smaps_rollup'):
        if line.startswith('Anonymous:'): print(line.split()[1])
mark()
L = range(5120000)
mark()
del L
mark()
";

#[test]
fn python_2_7_keeps_the_kib_that_its_blocks_of_ints_take() {
    let row = version("2.7").expect("a row for 2.7");
    let Some(python) = Python::find(row) else {
        return;
    };
    let text = python.output(&["-E", "-S"], PYTHON_2).0;
    let figures = text.lines().map(|line| line.parse().expect("KiB"));
    let kib: Vec<i64> = figures.collect();
    let raw = Counting::new(Chunk::GLIBC_64);
    let mut model = Interpreter::new(row, Word::Bits64, raw).expect("there is memory");
    let before = model.raw().chunk_bytes;
    let list: Vec<_> = (0..INTS).map(|v| model.alloc(Kind::Int(v))).collect();
    let ints = ((model.raw().chunk_bytes - before) / 1024) as i64;
    let items = INTS * 8 / 1024;
    drop(list);
    // What the interpreter has free as it starts, and what it allocates for the marks.
    let noise_kib = 64;
    let steps = [(kib[1] - kib[0], ints + items), (kib[2] - kib[0], ints)];
    for (measured, modelled) in steps {
        let off = measured - modelled;
        assert!(
            off.abs() <= noise_kib,
            "{measured} KiB measured, {modelled} modelled"
        );
    }
}
