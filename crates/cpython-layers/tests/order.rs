//! Which block comes next, by its address: every list is last in, first out, on every layer.

use std::ops::Range;

use cpython_layers::{Block, Chunk, Counting, Interpreter, Kind, Word, version};

/// Blocks of 512 bytes in a pool of 16 KiB, 31 of them, are quickly filled.
const LARGEST: Kind = Kind::Object(512);
const CAPACITY: usize = (16_384 - 48) / 512;

struct Python(Interpreter<Counting>);

impl Python {
    fn new(name: &str) -> Self {
        let version = version(name).unwrap_or_else(|| panic!("a row for {name}"));
        let raw = Counting::new(Chunk::GLIBC_64);
        Python(Interpreter::new(version, Word::Bits64, raw).expect("there is memory"))
    }

    fn alloc(&mut self, kind: Kind) -> Block {
        self.0.alloc(kind).expect("there is memory")
    }

    fn pool(&mut self) -> Vec<Block> {
        (0..CAPACITY).map(|_| self.alloc(LARGEST)).collect()
    }

    fn at(&self, block: &Block) -> Range<usize> {
        self.0.address(block).expect("a block has addresses")
    }

    /// Gives it back, and says where it was.
    fn free(&mut self, block: Block) -> usize {
        let start = self.at(&block).start;
        self.0.free(block);
        start
    }

    /// Where the next block of this kind is.
    fn next(&mut self, kind: Kind) -> usize {
        let block = self.alloc(kind);
        self.at(&block).start
    }
}

#[test]
fn blocks_are_cut_from_the_header_up_and_the_one_freed_last_comes_first() {
    let mut python = Python::new("3.13");
    let mut pool = python.pool();
    let starts: Vec<usize> = pool.iter().map(|block| python.at(block).start).collect();
    assert!(starts.is_sorted_by(|a, b| a + 512 == *b));
    assert_eq!(starts[0] % 16_384, 48, "behind the header");
    let freed = [3, 17, 5].map(|index| python.free(pool.remove(index)));
    let next = [(); 3].map(|()| python.next(LARGEST));
    assert_eq!(next, [freed[2], freed[1], freed[0]]);
}

#[test]
fn a_pool_that_was_full_is_served_before_those_that_were_in_use() {
    let mut python = Python::new("3.13");
    let mut first = python.pool();
    let second = [(); 2].map(|()| python.alloc(LARGEST));
    let freed = python.free(first.remove(7));
    assert_eq!(python.next(LARGEST), freed);
    assert_eq!(python.next(LARGEST), python.at(&second[1]).end);
}

#[test]
fn an_empty_pool_keeps_its_list_for_its_class_and_is_cut_anew_for_another() {
    for (kind, anew) in [(LARGEST, false), (Kind::Object(256), true)] {
        let mut python = Python::new("3.13");
        let _keeps_the_arena = python.alloc(Kind::Object(16));
        let pool = python.pool();
        let first = python.at(&pool[0]).start;
        let freed: Vec<usize> = pool.into_iter().map(|block| python.free(block)).collect();
        let last = freed[CAPACITY - 1];
        assert_eq!(python.next(kind), if anew { first } else { last });
    }
}

#[test]
fn of_an_arenas_free_pools_the_one_emptied_last_is_taken_first() {
    let mut python = Python::new("3.13");
    let pools = [(); 4].map(|()| python.pool());
    let uncut = python.at(&pools[3][0]).start + 16_384;
    let mut starts = Vec::new();
    for pool in pools.into_iter().take(3) {
        starts.push(python.at(&pool[0]).start);
        pool.into_iter().for_each(|block| python.0.free(block));
    }
    // Of another class, so that each begins at its header, and as many as fill it.
    let kind = Kind::Object(256);
    let capacity = (16_384 - 48) / 256;
    let blocks: Vec<Block> = (0..3 * capacity).map(|_| python.alloc(kind)).collect();
    let taken = blocks.iter().step_by(capacity);
    let taken: Vec<usize> = taken.map(|block| python.at(block).start).collect();
    starts.reverse();
    assert_eq!(taken, starts);
    assert_eq!(python.next(kind), uncut, "then one that was never used");
}

/// 253 objects of 16 bytes in a pool of 4 KiB, 63 pools in an arena that comes by malloc.
#[test]
fn python_2_4_takes_the_pool_emptied_last_whichever_arena_it_is_in() {
    let mut python = Python::new("2.4");
    let mut arenas: Vec<Block> = (0..2 * 63 * 253)
        .map(|_| python.alloc(Kind::Object(16)))
        .collect();
    assert_eq!(python.0.arena_counts().current(), 2);
    let second = arenas.split_off(63 * 253);
    let start = python.at(&arenas[0]).start;
    // All of the second arena, and then one pool of the first, which is the fuller one.
    second.into_iter().for_each(|block| python.0.free(block));
    arenas.drain(..253).for_each(|block| python.0.free(block));
    assert_eq!(python.next(Kind::Object(32)), start);
    assert_eq!(python.0.arena_counts().current(), 2);
}

#[test]
fn ints_of_python_2_come_from_the_end_of_a_block_and_the_one_freed_last_first() {
    let mut python = Python::new("2.4");
    let ints: Vec<Block> = (1000..1100)
        .map(|value| python.alloc(Kind::Int(value)))
        .collect();
    let at: Vec<usize> = ints.iter().map(|block| python.at(block).start).collect();
    // 105 small ints leave 18 slots of three blocks; then come those of the fourth.
    let second = 3 * 41 - 105;
    assert!(at[second..second + 41].is_sorted_by(|a, b| *a == b + 24));
    let mut ints = ints.into_iter();
    let freed = [(); 2].map(|()| python.free(ints.next().expect("an int")));
    assert_eq!(
        [(); 2].map(|()| python.next(Kind::Int(-99))),
        [freed[1], freed[0]]
    );
}

#[test]
fn the_table_of_arenas_doubles_and_before_2_5_the_old_ones_stay() {
    for (name, entries, entry_bytes) in [("2.4", 16 + 32 + 64, 8), ("2.5", 64, 48)] {
        let mut python = Python::new(name);
        let blocks: Vec<Block> = (0..33 * 63 * 15)
            .map(|_| python.alloc(Kind::Object(256)))
            .collect();
        assert_eq!(python.0.arena_counts().current(), 33);
        let pool_headers = 33 * 63 * 48;
        // The pointers to the next blocks of ints.
        let small_ints = if name == "2.4" { 105_usize } else { 262 };
        let block_heads = small_ints.div_ceil(41) * 8;
        let headers = python.0.ledger().headers;
        assert_eq!(
            headers,
            entries * entry_bytes + pool_headers + block_heads,
            "{name}"
        );
        drop(blocks);
    }
}
