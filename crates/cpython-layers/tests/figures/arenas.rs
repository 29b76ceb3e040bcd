//! Pools and arenas: how many a list takes, and which of them stay.

use cpython_layers::{Chunk, Counting, Kind, Word};

use crate::{List, alloc, check_sum, int_list, interpreter, over};

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
fn python_3_14_keeps_the_100_ints_that_die_first_until_a_collection() {
    let mut python = interpreter("3.14", Word::Bits64);
    int_list(&mut python, Word::Bits64).drop_in(&mut python);
    let list_object = 16 + 40;
    assert_eq!(check_sum(&python).typed_free, 100 * 28 + list_object);
    assert_eq!(python.class_counts(32).in_use, 100);
    python.gc_collect();
    assert_eq!(check_sum(&python).typed_free, 0);
    assert_eq!(
        python.arena_counts().current(),
        1,
        "the empty one that stays"
    );

    // Ints of two digits are not kept.
    let large = alloc(&mut python, Kind::Int(1 << 40));
    python.free(large);
    assert_eq!(check_sum(&python).typed_free, 0);
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
