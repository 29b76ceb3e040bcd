//! Pages, thresholds and small ints, a few blocks at a time.

use cpython_layers::{Block, Chunk, Counting, Interpreter, Kind, VERSIONS, Word};

use crate::{alloc, check_sum, interpreter, over};

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
