//! Known figures, version by version: the FAQ's, those that were measured, and those that follow
//! from the sizes. The program is always the same: a list of ints, and its end.

use cpython_layers::{Block, Chunk, Counting, Interpreter, Kind, Ledger, VERSIONS, Word, version};

/// `range(50*1024*100)`, as the FAQ has it.
const INTS: i64 = 50 * 1024 * 100;

fn interpreter(name: &str, word: Word) -> Interpreter<Counting> {
    let chunk = match word {
        Word::Bits32 => Chunk::GLIBC_32,
        Word::Bits64 => Chunk::GLIBC_64,
    };
    over(name, word, Counting::new(chunk))
}

fn over(name: &str, word: Word, raw: Counting) -> Interpreter<Counting> {
    let version = version(name).unwrap_or_else(|| panic!("a row for {name}"));
    Interpreter::new(version, word, raw).expect("there is memory")
}

fn alloc(python: &mut Interpreter<Counting>, kind: Kind) -> Block {
    python.alloc(kind).expect("there is memory")
}

/// A list: the object, its items, and what the items point to.
struct List {
    object: Block,
    items: Block,
    elements: Vec<Block>,
}

impl List {
    fn build(
        python: &mut Interpreter<Counting>,
        word: Word,
        kinds: impl Iterator<Item = Kind>,
    ) -> Self {
        let kinds: Vec<Kind> = kinds.collect();
        List {
            object: alloc(python, Kind::List),
            items: alloc(python, Kind::Buffer(kinds.len() * word.bytes())),
            elements: kinds.into_iter().map(|kind| alloc(python, kind)).collect(),
        }
    }

    /// As `list_dealloc` does: the elements from the last to the first, the items, the object.
    fn drop_in(self, python: &mut Interpreter<Counting>) {
        for element in self.elements.into_iter().rev() {
            python.free(element);
        }
        python.free(self.items);
        python.free(self.object);
    }
}

fn int_list(python: &mut Interpreter<Counting>, word: Word) -> List {
    List::build(python, word, (0..INTS).map(Kind::Int))
}

fn check_sum(python: &Interpreter<Counting>) -> Ledger {
    let ledger = python.ledger();
    assert_eq!(ledger.sum(), python.held());
    assert_eq!(python.held(), python.raw().outstanding);
    ledger
}

#[test]
fn python_2_4_keeps_more_than_60_mb_of_dead_ints_and_gives_the_items_back() {
    let mut python = interpreter("2.4", Word::Bits32);
    let list = int_list(&mut python, Word::Bits32);
    assert_eq!(check_sum(&python).large, 20_480_000);
    list.drop_in(&mut python);

    let blocks = python.int_blocks().expect("ints have blocks");
    assert_eq!(blocks.slots_per_block, 82);
    // 5,120,000 ints and 105 small ints, the first 100 of which are both.
    assert_eq!(blocks.blocks, 5_120_005_usize.div_ceil(82));
    assert_eq!(blocks.blocks, 62_440);
    assert_eq!(blocks.live, 105);
    // 5,120,000 x 12 = 61,440,000, and the rest of the last block.
    assert_eq!(blocks.blocks * 82 * 12, 61_440_000 + 80 * 12);
    assert_eq!(Chunk::GLIBC_32.bytes(blocks.block_bytes), 992);
    let chunks = blocks.blocks * 992;
    assert_eq!(chunks, 61_940_480, "the FAQ: more than 60 MB");

    let ledger = check_sum(&python);
    assert_eq!(ledger.large, 0);
    assert_eq!(
        ledger.typed_free - list_object(Word::Bits32),
        (5_120_080 - 105) * 12
    );
}

/// The list object itself waits on its own free list.
fn list_object(word: Word) -> usize {
    match word {
        Word::Bits32 => 12 + 20,
        Word::Bits64 => 32 + 40,
    }
}

#[test]
fn the_free_list_of_ints_is_immortal_in_2_4_and_2_5_and_not_in_2_7() {
    for (name, blocks_left) in [("2.4", 124_879), ("2.5", 124_879), ("2.7", 7)] {
        let mut python = interpreter(name, Word::Bits64);
        int_list(&mut python, Word::Bits64).drop_in(&mut python);
        python.gc_collect();
        let blocks = python.int_blocks().expect("ints have blocks").blocks;
        assert_eq!(blocks, blocks_left, "{name}");
        check_sum(&python);
    }
}

#[test]
fn one_live_int_keeps_its_block_of_1008_bytes_through_a_collection() {
    let mut python = interpreter("2.7", Word::Bits64);
    let mut list = int_list(&mut python, Word::Bits64);
    let survivor = list.elements.remove(3_000_000);
    list.drop_in(&mut python);
    python.gc_collect();
    assert_eq!(python.int_blocks().expect("ints have blocks").blocks, 8);
    python.free(survivor);
    python.gc_collect();
    assert_eq!(python.int_blocks().expect("ints have blocks").blocks, 7);
}

#[test]
fn python_2_7_holds_124_879_blocks_of_41_ints_in_chunks_of_1008_bytes() {
    let mut python = interpreter("2.7", Word::Bits64);
    int_list(&mut python, Word::Bits64).drop_in(&mut python);
    let blocks = python.int_blocks().expect("ints have blocks");
    assert_eq!((blocks.blocks, blocks.slots_per_block), (124_879, 41));
    assert_eq!(blocks.block_bytes, 992);
    let arena_table = Chunk::GLIBC_64.bytes(16 * 48);
    let ints = python.raw().chunk_bytes - arena_table;
    assert_eq!(ints, 124_879 * 1008);
}

#[test]
fn iterating_instead_of_building_the_list_keeps_one_block_at_most() {
    for name in ["2.4", "2.5", "2.7"] {
        let mut python = interpreter(name, Word::Bits32);
        let before = python.int_blocks().expect("ints have blocks").blocks;
        let mut alive = alloc(&mut python, Kind::Int(0));
        for value in 1..INTS {
            let next = alloc(&mut python, Kind::Int(value));
            python.free(std::mem::replace(&mut alive, next));
        }
        python.free(alive);
        let after = python.int_blocks().expect("ints have blocks").blocks;
        assert!(after <= before + 1, "{name}: {before} blocks, then {after}");
    }
}

#[test]
fn floats_of_2_7_are_kept_until_a_collection_and_all_but_100_go_in_3_6() {
    let floats = || (0..100_000).map(|_| Kind::Float);
    let mut python = interpreter("2.7", Word::Bits64);
    List::build(&mut python, Word::Bits64, floats()).drop_in(&mut python);
    let blocks = |p: &Interpreter<Counting>| p.float_blocks().map(|b| b.blocks);
    assert_eq!(blocks(&python), Some(100_000_usize.div_ceil(41)));
    python.gc_collect();
    assert_eq!(blocks(&python), Some(0));

    let mut python = interpreter("3.6", Word::Bits64);
    List::build(&mut python, Word::Bits64, floats()).drop_in(&mut python);
    let kept = check_sum(&python).typed_free;
    assert_eq!(kept, 100 * 24 + 24 + 40, "floats, and the list object");
    python.gc_collect();
    assert_eq!(check_sum(&python).typed_free, 0);
    assert_eq!(python.arena_counts().current(), 0);
}

/// Ints of 28 bytes in blocks of 32: pools of 126 or of 510.
#[test]
fn ints_of_python_3_fill_so_many_pools_and_arenas_and_leave_them() {
    // The list object, in a pool of its own, keeps an arena in each. In 3.9 and 3.10 the small
    // ints are among the others.
    let rows = [
        ("3.6", 40_633, 635, 1),
        ("3.7", 40_633, 635, 1),
        ("3.8", 40_633, 635, 1),
        ("3.9", 40_635, 635, 2),
        ("3.10", 10_040, 157, 2),
        ("3.11", 10_039, 157, 2),
        ("3.12", 10_039, 157, 2),
        ("3.13", 10_039, 157, 2),
        // Its free list of 100 ints keeps those that die first, the last of the list.
        ("3.14", 10_039, 157, 2),
    ];
    for (name, pools, arenas, kept) in rows {
        let mut python = interpreter(name, Word::Bits64);
        let list = int_list(&mut python, Word::Bits64);
        assert_eq!(python.class_counts(32).pools, pools, "{name}");
        assert_eq!(python.arena_counts().current(), arenas, "{name}");
        check_sum(&python);
        list.drop_in(&mut python);
        assert_eq!(python.arena_counts().current(), kept, "{name}");
        assert_eq!(check_sum(&python).large, 0, "{name}");
    }
}

#[test]
fn arenas_that_are_not_aligned_to_pools_of_16_kib_lose_one() {
    let raw = Counting::new(Chunk::GLIBC_64).mapping_off_by(1);
    let mut python = over("3.11", Word::Bits64, raw);
    let _list = int_list(&mut python, Word::Bits64);
    assert_eq!(python.arena_counts().current(), 10_040_usize.div_ceil(63));
    // Measured: 16,384 bytes an arena "lost to arena alignment".
    assert!(check_sum(&python).tails >= 160 * 16_384);
}

#[test]
fn python_2_4_never_gives_back_an_arena_and_2_5_gives_back_all() {
    for (name, emptied) in [("2.4", 187), ("2.5", 0)] {
        let mut python = interpreter(name, Word::Bits32);
        let objects = (0..3_000_000).map(|_| Kind::Object(16));
        List::build(&mut python, Word::Bits32, objects).drop_in(&mut python);
        let ledger = check_sum(&python);
        // By malloc no arena begins on a page: of 64 pools one is lost, and of the 63 the first
        // arena has one for the list object. The others hold 254 objects each.
        assert_eq!(3_000_000_usize.div_ceil(254).div_ceil(63), 188, "arenas");
        assert_eq!(ledger.empty_arenas, emptied * 63 * 4096, "{name}");
        assert_eq!(python.arena_counts().current(), emptied + 1, "{name}");
    }
}

#[test]
fn one_survivor_in_16_384_keeps_its_arena() {
    for name in ["2.7", "3.13"] {
        let mut python = interpreter(name, Word::Bits64);
        let objects = (0..3_000_000).map(|_| Kind::Object(16));
        let list = List::build(&mut python, Word::Bits64, objects);
        let (arenas, resident) = (python.arena_counts(), python.resident());
        let mut survivors = Vec::new();
        for (index, element) in list.elements.into_iter().enumerate() {
            if index % 16_384 == 0 {
                survivors.push(element);
            } else {
                python.free(element);
            }
        }
        python.free(list.items);
        assert_eq!(survivors.len(), 184);
        // An arena of 256 KiB has 64 x 253 of these objects, one of 1 MiB 64 x 1021: no two survivors
        // share one of the former, and each of the latter has about four.
        let (kept, items) = (python.arena_counts().current(), 24_000_000);
        match name {
            "2.7" => assert_eq!((arenas.current(), kept), (186, 184)),
            _ => assert_eq!((arenas.current(), kept), (46, 46)),
        }
        let gone = arenas.current() - kept;
        assert!(
            python.resident() >= resident - items - gone * (256 << 10),
            "{name}"
        );
        assert!(check_sum(&python).free_pools > 40_000_000, "{name}");
    }
}

#[test]
fn pages_that_were_never_cut_are_held_and_not_resident() {
    let mut python = interpreter("3.13", Word::Bits64);
    let block = alloc(&mut python, Kind::Object(64));
    let table = 16 * 48;
    assert_eq!(python.held(), (1 << 20) + table);
    assert_eq!(python.resident(), 4096 + table);
    // A block of 512 bytes at the end of a page brings the next one.
    let others: Vec<Block> = (0..8)
        .map(|_| alloc(&mut python, Kind::Object(512)))
        .collect();
    assert_eq!(python.resident(), 4096 + 2 * 4096 + table);
    for block in others.into_iter().chain([block]) {
        python.free(block);
    }
    assert_eq!(python.resident(), 3 * 4096 + table, "until the arena goes");
    assert_eq!(check_sum(&python).empty_arenas, 1 << 20);
}

#[test]
fn a_page_is_touched_by_linking_the_block_that_begins_on_it() {
    let mut python = interpreter("3.13", Word::Bits64);
    // 48 + 23 x 176 = 4096: the 24th block is the first on the second page.
    let _blocks: Vec<Block> = (0..22)
        .map(|_| alloc(&mut python, Kind::Object(176)))
        .collect();
    let pages = |python: &Interpreter<Counting>| (python.resident() - 16 * 48) / 4096;
    assert_eq!(pages(&python), 1);
    let _block = alloc(&mut python, Kind::Object(176));
    assert_eq!(pages(&python), 2);
}

#[test]
fn small_ints_are_shared_up_to_99_in_2_4_and_to_256_since() {
    for row in &VERSIONS {
        let mut python = interpreter(row.name, Word::Bits64);
        let end = if row.name == "2.4" { 100 } else { 257 };
        for (value, shared) in [(-6, false), (-5, true), (end - 1, true), (end, false)] {
            let int = alloc(&mut python, Kind::Int(value));
            assert_eq!(
                python.address(&int).is_none(),
                shared,
                "{value} in {}",
                row.name
            );
        }
    }
}

#[test]
fn a_short_lists_items_come_by_malloc_in_python_2_and_from_a_pool_since_3_6() {
    for (name, large) in [("2.7", 64), ("3.6", 0)] {
        let mut python = interpreter(name, Word::Bits64);
        let _items = alloc(&mut python, Kind::Buffer(64));
        assert_eq!(check_sum(&python).large, large, "{name}");
    }
}

#[test]
fn requests_above_the_threshold_of_256_or_512_go_past_the_pools() {
    for (name, threshold) in [("2.4", 256), ("2.5", 256), ("2.7", 512), ("3.14", 512)] {
        let mut python = interpreter(name, Word::Bits64);
        let _small = alloc(&mut python, Kind::Object(threshold));
        assert_eq!(check_sum(&python).large, 0, "{name}");
        let _large = alloc(&mut python, Kind::Object(threshold + 1));
        assert_eq!(check_sum(&python).large, threshold + 1, "{name}");
    }
}

#[test]
fn without_memory_for_an_arena_requests_go_past_to_malloc_and_fail_where_it_does() {
    let raw = Counting::new(Chunk::GLIBC_64).with_budget(100 << 10);
    let mut python = over("3.13", Word::Bits64, raw);
    let block = alloc(&mut python, Kind::Float);
    assert_eq!(check_sum(&python).large, 24);
    assert!(python.alloc(Kind::Buffer(100 << 10)).is_err());
    python.free(block);
    let ledger = check_sum(&python);
    assert_eq!((ledger.large, ledger.typed_free), (0, 24));
    python.gc_collect();
    assert_eq!(check_sum(&python).typed_free, 0);
}
