//! The constants and policies of CPython's memory, a row a version, each with its source.
//!
//! A row takes over the one before it and says what changed. `name @ tag` is a file of CPython as
//! it stands at that tag; a commit of its history stands for a release whose tag was not at hand,
//! and *measured* for what `sys._debugmallocstats()` and `gc.collect()` show of an installed
//! interpreter (`tests/interpreters` does it again).

use crate::policy::{
    ArenasFrom, Buffers, Collected, EmptyArenas, FreeList, IntLayout, SmallInts, Version,
};
use crate::word::PerWord;

const KIB: usize = 1024;

const V2_4: Version = Version {
    name: "2.4",
    alignment: PerWord::both(8),
    threshold: 256,
    pool_bytes: PerWord::both(4 * KIB),
    arena_bytes: PerWord::both(256 * KIB),
    arenas_from: ArenasFrom::Malloc,
    empty_arenas: EmptyArenas::Stay,
    buffers: Buffers::Malloc,
    int: IntLayout::Long,
    small_ints: (-5..100, SmallInts::Allocated),
    dead_ints: FreeList::Blocks(Collected::Kept),
    dead_floats: FreeList::Blocks(Collected::Kept),
    dead_lists: FreeList::Bounded(80, Collected::Kept),
    gc_head_bytes: PerWord {
        bits32: 12,
        bits64: 32,
    },
    str_header_bytes: PerWord {
        bits32: 24,
        bits64: 40,
    },
    sources: &[
        "sizeof(PyStringObject) + size: Objects/stringobject.c @ v2.4",
        "pools, arenas, threshold: Objects/obmalloc.c @ v2.4",
        "blocks of ints, small ints: Objects/intobject.c @ v2.4",
        "blocks of floats: Objects/floatobject.c @ v2.4",
        "80 lists, items by PyMem_MALLOC: Objects/listobject.c, Include/pymem.h @ v2.4",
        "no free list is cleared: Modules/gcmodule.c @ v2.4",
        "the collector's head: Include/objimpl.h @ v2.4",
    ],
};

const V2_5: Version = Version {
    name: "2.5",
    empty_arenas: EmptyArenas::GivenBack,
    small_ints: (-5..257, SmallInts::Allocated),
    sources: &[
        "arenas are given back: Objects/obmalloc.c @ v2.5",
        "small ints: Objects/intobject.c @ v2.5",
        "no free list is cleared: Modules/gcmodule.c @ v2.5 (ints and floats are @ v2.6)",
    ],
    ..V2_4
};

const V2_7: Version = Version {
    name: "2.7",
    alignment: PerWord {
        bits32: 8,
        bits64: 16,
    },
    threshold: 512,
    arenas_from: ArenasFrom::Map,
    dead_ints: FreeList::Blocks(Collected::Cleared),
    dead_floats: FreeList::Blocks(Collected::Cleared),
    str_header_bytes: PerWord {
        bits32: 21,
        bits64: 37,
    },
    sources: &[
        "PyStringObject_SIZE + size: Objects/stringobject.c @ v2.7.18; measured, 2.7.18",
        "alignment 16 on 64 bits, threshold 512, mmap: Objects/obmalloc.c @ v2.7.18 \
         (@ v2.7: 8, 256, malloc; @ v2.7.16: 8, 512, mmap)",
        "alignment: measured, 2.7.18",
        "ints and floats are cleared, lists are not: clear_freelists, \
         Modules/gcmodule.c @ v2.7.18 (the same @ v2.6)",
    ],
    ..V2_5
};

const V3_6: Version = Version {
    name: "3.6",
    alignment: PerWord::both(8),
    buffers: Buffers::ObjectAllocator,
    int: IntLayout::Digits {
        bits: PerWord {
            bits32: 15,
            bits64: 30,
        },
    },
    small_ints: (-5..257, SmallInts::Static),
    dead_ints: FreeList::None,
    dead_floats: FreeList::Bounded(100, Collected::Cleared),
    dead_lists: FreeList::Bounded(80, Collected::Cleared),
    gc_head_bytes: PerWord {
        bits32: 12,
        bits64: 24,
    },
    str_header_bytes: PerWord {
        bits32: 25,
        bits64: 49,
    },
    sources: &[
        "PyASCIIObject, size + 1: Include/unicodeobject.h @ v3.6.0; measured, 3.6.15",
        "alignment 8 on both: Objects/obmalloc.c @ v3.6.0 to v3.6.11; pyenv builds 3.6.15 with \
         a patch to 16 and a collector's head of 32 (measured)",
        "buffers (PYMEM_FUNCS is PYOBJ_FUNCS): Objects/obmalloc.c @ v3.6.0 (@ v3.5.0: malloc)",
        "digits: Include/pyport.h, Include/longintrepr.h @ v3.6.0; small ints: \
         Objects/longobject.c @ v3.6.0",
        "100 floats: Objects/floatobject.c @ v3.6.0 (from v3.3.0 on); measured, 3.6.15",
        "80 lists, cleared: Objects/listobject.c, Modules/gcmodule.c @ v3.6.0; measured, 3.6.15",
        "arenas are given back at once: Objects/obmalloc.c @ v3.6.0; measured, 3.6.15",
    ],
    ..V2_7
};

const V3_7: Version = Version {
    name: "3.7",
    alignment: PerWord {
        bits32: 8,
        bits64: 16,
    },
    gc_head_bytes: PerWord {
        bits32: 12,
        bits64: 32,
    },
    sources: &[
        "alignment 16 on 64 bits: Objects/obmalloc.c @ v3.7.4 (@ v3.7.3: 8); measured, 3.7.16",
        "the collector's head: Include/objimpl.h @ v3.7.4; measured, 3.7.16",
    ],
    ..V3_6
};

const V3_8: Version = Version {
    name: "3.8",
    gc_head_bytes: PerWord {
        bits32: 8,
        bits64: 16,
    },
    sources: &[
        "the collector's head: Include/cpython/objimpl.h @ v3.8.5; measured, 3.8.18",
        "the order of arenas kept without a search, and the same: Objects/obmalloc.c @ v3.8.5",
        "arenas are given back at once: Objects/obmalloc.c @ v3.8.5; measured, 3.8.18",
    ],
    ..V3_7
};

const V3_9: Version = Version {
    name: "3.9",
    empty_arenas: EmptyArenas::GivenBackButTheLast,
    small_ints: (-5..257, SmallInts::Allocated),
    sources: &[
        "the last empty arena stays: Objects/obmalloc.c @ d1c85a27ea (bpo-37257, 2019-06-12) and \
         3.9.1, not @ v3.8.5; measured, 3.9.18",
        "small ints: _PyLong_Init, Objects/longobject.c of 3.9.1",
    ],
    ..V3_8
};

const V3_10: Version = Version {
    name: "3.10",
    pool_bytes: PerWord {
        bits32: 4 * KIB,
        bits64: 16 * KIB,
    },
    arena_bytes: PerWord {
        bits32: 256 * KIB,
        bits64: 1024 * KIB,
    },
    sources: &[
        "pools and arenas: Objects/obmalloc.c @ 85b6b70589 (bpo-37448, 2021-03-29); measured, \
         3.10.13",
        "small ints: Include/internal/pycore_interp.h of 3.10.13",
    ],
    ..V3_9
};

const V3_11: Version = Version {
    name: "3.11",
    int: IntLayout::Digits {
        bits: PerWord::both(30),
    },
    small_ints: (-5..257, SmallInts::Static),
    sources: &[
        "digits: Include/pyport.h of 3.11.7; small ints: \
         Include/internal/pycore_global_objects.h of 3.11.7",
        "pools, arenas: Objects/obmalloc.c @ 0e5fe7f9e9 (3.11.0b1); measured, 3.11.7",
    ],
    ..V3_10
};

const V3_12: Version = Version {
    name: "3.12",
    str_header_bytes: PerWord {
        bits32: 21,
        bits64: 41,
    },
    sources: &[
        "PyASCIIObject without wstr: Include/cpython/unicodeobject.h of 3.12.1; measured, 3.12.1",
        "Include/internal/pycore_obmalloc.h of 3.12.1; measured, 3.12.1",
    ],
    ..V3_11
};

const V3_13: Version = Version {
    name: "3.13",
    sources: &["Include/internal/pycore_obmalloc.h, pycore_freelist.h of 3.13.0; measured, 3.13.0"],
    ..V3_12
};

const V3_14: Version = Version {
    name: "3.14",
    dead_ints: FreeList::Bounded(100, Collected::Cleared),
    sources: &[
        "100 ints of one digit, 100 floats, 80 lists: Include/internal/pycore_freelist_state.h, \
         Objects/longobject.c, read in a fork of 3.14.0b4 that renames identifiers",
        "pools, arenas: Include/internal/pycore_obmalloc.h, in the same fork",
        "that a full collection clears them: gc_collect_full, Python/gc.c, Objects/object.c, in the \
         same fork; nothing measured",
    ],
    ..V3_13
};

/// All versions, oldest first: the builds with a global lock and without debugging, as they come.
pub const VERSIONS: [Version; 12] = [
    V2_4, V2_5, V2_7, V3_6, V3_7, V3_8, V3_9, V3_10, V3_11, V3_12, V3_13, V3_14,
];

/// The row of this name, such as `"2.7"`, if there is one.
pub fn version(name: &str) -> Option<&'static Version> {
    const ROWS: &[Version] = &VERSIONS;
    ROWS.iter().find(|version| version.name == name)
}
