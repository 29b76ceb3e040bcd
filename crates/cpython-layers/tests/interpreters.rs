//! The model against the real thing: every CPython 3 that pyenv has here runs the same program, and
//! says by `sys._debugmallocstats()` how many arenas, pools and blocks there are.
//!
//! An interpreter has objects of its own. The model is put into the state that the interpreter was
//! in before the program: as many arenas, as many unused pools, as many free blocks of 32 bytes.
//! From there on every figure has to be the same. The interpreter's address space is its own, too:
//! where its arenas do not begin on a multiple of 16 KiB, neither do the model's.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;

use cpython_layers::{
    Block, Chunk, Counting, FreeList, Interpreter, Kind, Origin, Raw, VERSIONS, Version, Word,
    version,
};

const INTS: i64 = 50 * 1024 * 100;

/// A class of 32 bytes, which ints of one digit are in.
const INT_CLASS: usize = 32;

/// Builds the list and drops it, and writes the statistics before, between and after.
const INT_LIST: &str = "
import sys
def mark(name):
    sys.stderr.write('@@ ' + name + '\\n')
    sys.stderr.flush()
    sys._debugmallocstats()
L = None
mark('warm')
mark('base')
L = list(range(5120000))
mark('built')
L = None
mark('dropped')
";

/// Drops more floats and lists than any version keeps, and collects.
const FREE_LISTS: &str = "
import sys, gc
gc.disable()
def mark(name):
    sys.stderr.write('@@ ' + name + '\\n')
    sys.stderr.flush()
    sys._debugmallocstats()
F = [i + 0.5 for i in range(1000)]; L = [[] for i in range(1000)]
F = None; L = None
mark('dropped')
gc.collect()
mark('collected')
";

/// Builds the list and drops it, and prints the KiB of anonymous memory before, between and after.
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
fn arenas_pools_and_blocks_of_the_int_list_are_those_of_the_interpreter() {
    for (row, stats) in measure("int list", INT_LIST) {
        let stats = |mark: &str| &stats[mark];
        let (base, built, dropped) = (stats("base"), stats("built"), stats("dropped"));
        let mut model = Model::in_state(row, base, built);
        let before = model.python.arena_counts();
        // A range computes its length as an int of its own, and has it while it lives.
        let length = model.alloc(Kind::Int(INTS));
        let list: Vec<Block> = (0..INTS)
            .map(|value| model.alloc(Kind::Int(value)))
            .collect();
        model.python.free(length);
        model.check(base, built, before.allocated, "built");
        for block in list.into_iter().rev() {
            model.python.free(block);
        }
        model.check(base, dropped, before.allocated, "dropped");
        let highwater = model.python.arena_counts().highwater;
        assert_eq!(highwater, dropped.arenas_highwater, "{}", row.name);
    }
}

#[test]
fn the_bounded_free_lists_hold_what_the_table_says_and_a_collection_clears_them() {
    for (row, stats) in measure("free lists", FREE_LISTS) {
        let (dropped, collected) = (&stats["dropped"], &stats["collected"]);
        for (policy, free) in [
            (
                row.dead_floats,
                [dropped.free_floats, collected.free_floats],
            ),
            (row.dead_lists, [dropped.free_lists, collected.free_lists]),
        ] {
            let FreeList::Bounded(limit, _) = policy else {
                panic!("{}: a bounded list", row.name);
            };
            assert_eq!(free[0], limit, "{}", row.name);
            // The collection itself may free one that it has made.
            assert!(free[1] <= 1, "{}: {} are left", row.name, free[1]);
        }
    }
}

#[test]
fn python_2_7_keeps_the_kib_that_its_blocks_of_ints_take() {
    let row = version("2.7").expect("a row for 2.7");
    let Some(python) = find(row) else {
        return;
    };
    let output = Command::new(python)
        .env_clear()
        .args(["-E", "-S", "-c", PYTHON_2])
        .output();
    let output = output.expect("the interpreter starts").stdout;
    let text = String::from_utf8(output).expect("figures");
    let kib: Vec<i64> = text
        .lines()
        .map(|line| line.parse().expect("KiB"))
        .collect();
    let raw = Counting::new(Chunk::GLIBC_64);
    let mut python = Interpreter::new(row, Word::Bits64, raw).expect("there is memory");
    let before = python.raw().chunk_bytes;
    let list: Vec<_> = (0..INTS)
        .map(|value| python.alloc(Kind::Int(value)))
        .collect();
    let ints = ((python.raw().chunk_bytes - before) / 1024) as i64;
    let items = INTS * 8 / 1024;
    drop(list);
    // What the interpreter has free as it starts, and what it allocates for the marks.
    let noise_kib = 64;
    for (measured, modelled) in [(kib[1] - kib[0], ints + items), (kib[2] - kib[0], ints)] {
        let off = measured - modelled;
        assert!(
            off.abs() <= noise_kib,
            "{measured} KiB measured, {modelled} modelled"
        );
    }
}

/// Runs a script in every interpreter of CPython 3 there is, and gives its statistics by mark.
fn measure(what: &str, script: &str) -> Vec<(&'static Version, BTreeMap<String, Stats>)> {
    let rows = VERSIONS.iter().filter_map(|row| version(row.name));
    let rows = rows.filter(|row| row.name.starts_with("3."));
    let found = rows.filter_map(|row| Some((row, find(row)?)));
    let measured = found.map(|(row, python)| {
        let run = Command::new(python)
            .env_clear()
            .args(["-I", "-S", "-c", script])
            .output();
        let run = run.expect("the interpreter starts");
        assert!(run.status.success(), "{what} under {}", row.name);
        let text = String::from_utf8(run.stderr).expect("statistics are text");
        let marks = text.split("@@ ").skip(1).map(|part| {
            let (name, rest) = part.split_once('\n').expect("a mark has a line");
            (name.to_owned(), Stats::parse(rest))
        });
        (row, marks.collect())
    });
    measured.collect()
}

/// The newest interpreter of this series under pyenv; says so if there is none.
fn find(row: &Version) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || Some(std::env::home_dir()?.join(".pyenv"));
    let versions = root.or_else(home)?.join("versions");
    let patch = |name: &str| {
        name.strip_prefix(row.name)?
            .strip_prefix('.')?
            .parse::<u32>()
            .ok()
    };
    let entries = std::fs::read_dir(&versions).into_iter().flatten().flatten();
    let series =
        entries.filter_map(|entry| Some((patch(entry.file_name().to_str()?)?, entry.path())));
    let newest = series.max().map(|(_, path)| path.join("bin/python"));
    let newest = newest.filter(|python| python.exists());
    if newest.is_none() {
        eprintln!("no CPython {} in {}: skipped", row.name, versions.display());
    }
    newest
}

/// What the statistics say, as far as the model says it too.
#[derive(Debug, Default)]
struct Stats {
    arenas_allocated: usize,
    arenas_reclaimed: usize,
    arenas_highwater: usize,
    unused_pools: usize,
    lost_to_alignment: usize,
    /// Pools, blocks in use and free blocks of the class of 32 bytes.
    ints: [usize; 3],
    free_floats: usize,
    free_lists: usize,
}

impl Stats {
    fn parse(text: &str) -> Stats {
        let mut stats = Stats::default();
        for line in text.lines() {
            let numbers: Vec<usize> = line
                .split_whitespace()
                .filter_map(|word| word.replace(',', "").parse().ok())
                .collect();
            let (first, last) = (numbers.first().copied(), numbers.last().copied());
            let field = match line.trim_start_matches(['#', ' ']) {
                l if l.starts_with("arenas allocated total") => &mut stats.arenas_allocated,
                l if l.starts_with("arenas reclaimed") => &mut stats.arenas_reclaimed,
                l if l.starts_with("arenas highwater") => &mut stats.arenas_highwater,
                l if l.starts_with("bytes lost to arena alignment") => &mut stats.lost_to_alignment,
                l if l.contains("unused pools") => {
                    stats.unused_pools = first.expect("a number of pools");
                    continue;
                }
                l if l.contains("free PyFloatObjects") => {
                    stats.free_floats = first.expect("a number of floats");
                    continue;
                }
                l if l.contains("free PyListObjects") => {
                    stats.free_lists = first.expect("a number of lists");
                    continue;
                }
                // The table of classes: number, size, pools, blocks in use, free blocks.
                _ => {
                    if numbers.len() == 5 && numbers[1] == INT_CLASS {
                        stats.ints.copy_from_slice(&numbers[2..]);
                    }
                    continue;
                }
            };
            *field = last.expect("a figure at the end of the line");
        }
        stats
    }

    fn arenas(&self) -> usize {
        self.arenas_allocated - self.arenas_reclaimed
    }
}

/// The model in the state that an interpreter was in.
struct Model {
    row: &'static Version,
    python: Interpreter<Placed>,
    /// What stands for the interpreter's own objects.
    own: Vec<Block>,
}

impl Model {
    fn in_state(row: &'static Version, base: &Stats, built: &Stats) -> Model {
        let pool = row.pool_bytes.of(Word::Bits64);
        let later = built.lost_to_alignment - base.lost_to_alignment;
        let raw = Placed {
            raw: Counting::new(Chunk::GLIBC_64),
            arenas_before: base.arenas(),
            unaligned_before: base.lost_to_alignment / pool,
            unaligned_later: later / pool,
            arenas: 0,
        };
        let python = Interpreter::new(row, Word::Bits64, raw).expect("there is memory");
        let own = Vec::new();
        let mut model = Model { row, python, own };
        let [int_pools, in_use, available] = base.ints;
        model.fill(base.arenas());
        let small_pools = model.python.class_counts(INT_CLASS).pools;
        model.spare(base.unused_pools + int_pools - small_pools, base.arenas());
        model.fill_ints(int_pools, available);
        let ints = model.python.class_counts(INT_CLASS);
        assert_eq!(
            [ints.pools, ints.in_use, ints.available],
            [int_pools, in_use, available]
        );
        assert_eq!(model.python.unused_pools(), base.unused_pools);
        assert_eq!(model.python.arena_counts().current(), base.arenas());
        model
    }

    fn alloc(&mut self, kind: Kind) -> Block {
        self.python.alloc(kind).expect("there is memory")
    }

    /// As many arenas, all of whose pools are full of blocks of 512 bytes.
    fn fill(&mut self, arenas: usize) {
        let full = |python: &Interpreter<Placed>| {
            let available = python.class_counts(512).available + python.unused_pools();
            python.arena_counts().current() == arenas && available == 0
        };
        while !full(&self.python) {
            let block = self.alloc(Kind::Object(512));
            self.own.push(block);
        }
    }

    /// Empties so many pools, in turn from every arena, so that none becomes empty itself.
    fn spare(&mut self, pools: usize, arenas: usize) {
        let pool = self.row.pool_bytes.of(Word::Bits64);
        let mut by_pool = BTreeMap::<usize, Vec<Block>>::new();
        for block in self.own.drain(..) {
            let range = self.python.address(&block).expect("a block has addresses");
            by_pool.entry(range.start / pool).or_default().push(block);
        }
        let all: Vec<Vec<Block>> = by_pool.into_values().collect();
        let per_arena = all.len().div_ceil(arenas);
        let mut turns: Vec<(usize, Vec<Block>)> = all.into_iter().enumerate().collect();
        turns.sort_by_key(|(number, _)| (number % per_arena, *number));
        let rest = turns.split_off(pools);
        for block in turns.into_iter().flat_map(|(_, blocks)| blocks) {
            self.python.free(block);
        }
        self.own = rest.into_iter().flat_map(|(_, blocks)| blocks).collect();
    }

    /// As many pools of blocks of 32 bytes, with as many free blocks in all.
    fn fill_ints(&mut self, pools: usize, available: usize) {
        let mut blocks = Vec::new();
        loop {
            let ints = self.python.class_counts(INT_CLASS);
            if ints.pools == pools && ints.available == 0 {
                break;
            }
            blocks.push(self.alloc(Kind::Object(INT_CLASS)));
        }
        // Far apart, so that no pool becomes empty.
        let step = (blocks.len() / available.max(1)).max(1);
        let mut freed = 0;
        for (number, block) in blocks.into_iter().enumerate() {
            if number % step == 0 && freed < available {
                self.python.free(block);
                freed += 1;
            } else {
                self.own.push(block);
            }
        }
    }

    /// Holds the interpreter's figures against the model's; `before` arenas were there at first.
    fn check(&self, base: &Stats, now: &Stats, before: usize, when: &str) {
        let counts = self.python.arena_counts();
        let ints = self.python.class_counts(INT_CLASS);
        let modelled = [
            ("arenas allocated", counts.allocated - before),
            ("arenas", counts.current()),
            ("pools of ints", ints.pools),
            ("blocks in use", ints.in_use),
            ("free blocks", ints.available),
            ("unused pools", self.python.unused_pools()),
        ];
        let measured = [
            now.arenas_allocated - base.arenas_allocated,
            now.arenas(),
            now.ints[0],
            now.ints[1],
            now.ints[2],
            now.unused_pools,
        ];
        for ((what, modelled), measured) in modelled.into_iter().zip(measured) {
            assert_eq!(modelled, measured, "{what} in {}, {when}", self.row.name);
        }
    }
}

/// Places arenas as the interpreter's were placed: so many of the first ones, and so many of the
/// later ones, do not begin on a multiple of 16 KiB.
struct Placed {
    raw: Counting,
    arenas_before: usize,
    unaligned_before: usize,
    unaligned_later: usize,
    arenas: usize,
}

impl Raw for Placed {
    type Handle = usize;

    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<usize> {
        if origin == Origin::Malloc {
            return self.raw.allocate(bytes, origin);
        }
        let number = self.arenas;
        self.arenas += 1;
        let unaligned = if number < self.arenas_before {
            number < self.unaligned_before
        } else {
            number - self.arenas_before < self.unaligned_later
        };
        let raw = self.raw.clone().mapping_off_by(usize::from(unaligned));
        self.raw = raw;
        self.raw.allocate(bytes, origin)
    }

    fn free(&mut self, handle: usize, bytes: usize, origin: Origin) {
        self.raw.free(handle, bytes, origin);
    }

    fn address(&self, handle: &usize) -> usize {
        self.raw.address(handle)
    }

    fn touch(&mut self, handle: &mut usize, bytes: Range<usize>) {
        self.raw.touch(handle, bytes);
    }
}
