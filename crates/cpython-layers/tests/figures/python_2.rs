//! Ints and floats of Python 2, whose free lists the FAQ is about.

use cpython_layers::{Chunk, Counting, Interpreter, Kind, Word};

use crate::{INTS, List, alloc, check_sum, int_list, interpreter};

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
