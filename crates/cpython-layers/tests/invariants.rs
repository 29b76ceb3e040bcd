//! For any sequence of requests, frees and collections, in every version on either word:
//!
//! ```text
//! no two live blocks overlap, and a block stays where it is
//! live blocks = alive + large                  in bytes as asked for, the small ints apart
//! sum of the ledger = held = outstanding at the allocator below
//! sum of the resident ledger = resident <= held
//! when all is freed and collected: nothing is alive; what is kept is what the version keeps
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use cpython_layers::{
    ArenasFrom, Block, Chunk, Collected, Counting, EmptyArenas, FreeList, Heap, IntLayout,
    Interpreter, Kind, Raw, SmallInts, VERSIONS, Version, Word,
};
use proptest::prelude::*;

/// What a program may do. Frees name a live block by its place in the order of their making.
#[derive(Clone, Debug)]
enum Step {
    /// So many of the same kind, which is what fills pools and arenas.
    Alloc(Kind, usize),
    Free(prop::sample::Index),
    /// Every block of which the number has this remainder, by this divisor.
    FreeEvery(usize, usize),
    Collect,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (-10..1000_i64).prop_map(Kind::Int),
        any::<i32>().prop_map(|value| Kind::Int(value.into())),
        Just(Kind::Float),
        Just(Kind::List),
        (0..600_usize).prop_map(Kind::Str),
        (0..600_usize).prop_map(Kind::Object),
        (0..2000_usize).prop_map(Kind::Buffer),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (kinds(), 1..40_usize).prop_map(|(kind, times)| Step::Alloc(kind, times)),
        1 => (kinds(), 500..3000_usize).prop_map(|(kind, times)| Step::Alloc(kind, times)),
        4 => any::<prop::sample::Index>().prop_map(Step::Free),
        2 => (1..6_usize, 0..6_usize).prop_map(|(by, rest)| Step::FreeEvery(by, rest % by)),
        1 => Just(Step::Collect),
    ];
    prop::collection::vec(step, 1..40)
}

fn versions() -> impl Strategy<Value = (&'static Version, Word)> {
    static ROWS: [Version; 12] = VERSIONS;
    (
        0..ROWS.len(),
        prop_oneof![Just(Word::Bits32), Just(Word::Bits64)],
    )
        .prop_map(|(row, word)| (&ROWS[row], word))
}

/// A live block.
struct Held {
    block: Block,
    /// The addresses that it had when it was made.
    range: Option<Range<usize>>,
    asked: usize,
}

struct Program<R: Raw> {
    python: Interpreter<R>,
    live: Vec<Held>,
    /// Ends of the live blocks' addresses, by their starts.
    taken: BTreeMap<usize, usize>,
    /// Bytes of the live blocks as they were asked for, those of the small ints included.
    asked: usize,
    sizes: (&'static Version, Word),
}

impl<R: Raw> Program<R> {
    fn new(version: &'static Version, word: Word, raw: R) -> Self {
        Program {
            python: Interpreter::new(version, word, raw).expect("there is memory"),
            live: Vec::new(),
            taken: BTreeMap::new(),
            asked: small_int_bytes(version, word),
            sizes: (version, word),
        }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Alloc(kind, times) => (0..*times).for_each(|_| self.alloc(*kind)),
            Step::Free(_) if self.live.is_empty() => {}
            Step::Free(index) => {
                let held = self.live.swap_remove(index.index(self.live.len()));
                self.free(held);
            }
            Step::FreeEvery(by, rest) => {
                let live = std::mem::take(&mut self.live);
                for (number, held) in live.into_iter().enumerate() {
                    if number % by == *rest {
                        self.free(held);
                    } else {
                        self.live.push(held);
                    }
                }
            }
            Step::Collect => self.python.gc_collect(),
        }
    }

    fn alloc(&mut self, kind: Kind) {
        let block = self.python.alloc(kind).expect("there is memory");
        let range = self.python.address(&block);
        if let Some(range) = &range {
            let before = self.taken.range(..range.end).next_back();
            let free = before.is_none_or(|(_, end)| *end <= range.start);
            assert!(free, "{kind:?} overlaps with a live block");
            self.taken.insert(range.start, range.end);
        }
        let (version, word) = self.sizes;
        let asked = range.as_ref().map_or(0, |_| asked(version, word, kind));
        self.asked += asked;
        let held = Held {
            block,
            range,
            asked,
        };
        self.live.push(held);
    }

    fn free(&mut self, held: Held) {
        let now = self.python.address(&held.block);
        assert_eq!(now, held.range, "a block has moved");
        if let Some(range) = held.range {
            self.taken.remove(&range.start);
        }
        self.asked -= held.asked;
        self.python.free(held.block);
    }

    fn free_all(&mut self) {
        for held in std::mem::take(&mut self.live) {
            self.free(held);
        }
    }

    fn check_sums(&self) {
        let (ledger, held) = (self.python.ledger(), self.python.held());
        assert_eq!(ledger.sum(), held, "{ledger:?}");
        assert_eq!(ledger.alive + ledger.large, self.asked, "{ledger:?}");
        assert!(self.python.resident() <= held);
        let resident = self.python.resident_ledger();
        assert_eq!(resident.sum(), self.python.resident(), "{resident:?}");
    }
}

/// Bytes that this kind takes, by the layouts of CPython's objects.
fn asked(version: &Version, word: Word, kind: Kind) -> usize {
    match kind {
        Kind::Int(value) => 3 * word.bytes() + digits_bytes(version.int, word, value),
        Kind::Float => 2 * word.bytes() + 8,
        Kind::List => version.gc_head_bytes.of(word) + 5 * word.bytes(),
        Kind::Str(characters) => version.str_header_bytes.of(word) + characters,
        // One byte is asked for where none is.
        Kind::Object(bytes) | Kind::Buffer(bytes) => bytes.max(1),
    }
}

/// Bytes of an int's digits; a `long` of 2.x is among its three words.
fn digits_bytes(layout: IntLayout, word: Word, value: i64) -> usize {
    let IntLayout::Digits { bits } = layout else {
        return 0;
    };
    let (mut rest, mut digits) = (value.unsigned_abs() >> bits.of(word), 1);
    while rest > 0 {
        (rest, digits) = (rest >> bits.of(word), digits + 1);
    }
    digits * if bits.of(word) == 30 { 4 } else { 2 }
}

/// Bytes of the small ints where they are allocated.
fn small_int_bytes(version: &Version, word: Word) -> usize {
    let (range, home) = version.small_ints.clone();
    match home {
        SmallInts::Static => 0,
        SmallInts::Allocated => range
            .map(|value| asked(version, word, Kind::Int(value)))
            .sum(),
    }
}

fn check_end(program: &mut Program<Counting>, version: &Version, word: Word) {
    program.free_all();
    program.check_sums();
    let small = small_int_bytes(version, word);
    let ledger = program.python.ledger();
    assert_eq!((ledger.alive, ledger.large), (small, 0), "all is freed");
    program.python.gc_collect();
    program.check_sums();
    let ledger = program.python.ledger();
    if let FreeList::Bounded(_, Collected::Cleared) = version.dead_lists {
        assert_eq!(ledger.typed_free, 0, "no free list is left");
        // What is left beside the small ints' pools is what is kept of empty arenas.
        let arena = version.arena_bytes.of(word);
        let kept = match version.empty_arenas {
            EmptyArenas::GivenBackButTheLast => arena,
            _ => 0,
        };
        assert!(ledger.empty_arenas <= kept);
        let arenas = program.python.arena_counts().current();
        assert!(arenas <= 1 + usize::from(small > 0));
    }
    if version.empty_arenas == EmptyArenas::Stay {
        assert_eq!(program.python.arena_counts().reclaimed, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_never_overlap_and_every_byte_is_in_one_layer(
        (version, word) in versions(),
        pages in 0..4_usize,
        steps in steps(),
    ) {
        let chunk = Chunk::GLIBC_64;
        let raw = Counting::new(chunk).mapping_off_by(pages);
        let mut program = Program::new(version, word, raw);
        for step in &steps {
            program.run(step);
            program.check_sums();
            prop_assert_eq!(program.python.held(), program.python.raw().outstanding);
        }
        if version.arenas_from == ArenasFrom::Malloc {
            prop_assert!(program.python.raw().chunk_bytes >= program.python.held());
        }
        check_end(&mut program, version, word);
    }

    #[test]
    fn the_same_holds_over_real_memory(
        (version, word) in versions(),
        steps in prop::collection::vec((kinds(), 1..60_usize), 1..12),
    ) {
        let mut program = Program::new(version, word, Heap);
        for (kind, times) in steps {
            program.run(&Step::Alloc(kind, times));
            program.run(&Step::FreeEvery(2, 0));
            program.check_sums();
        }
        program.free_all();
        program.check_sums();
    }
}
