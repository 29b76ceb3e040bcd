//! The model in the state that an interpreter was in, and the steps done in it.

use std::collections::BTreeMap;
use std::ops::Range;

use cpython_layers::{
    ArenaCounts, Block, Chunk, Counting, Interpreter, Kind, Origin, Raw, Version, Word,
};

use crate::program::Step;
use crate::python::{INT_CLASS, Stats};

/// How far the model may be off, where it knows less than the interpreter.
pub struct Allowed {
    /// Pools of ints, unused ones instead.
    pub pools: usize,
    /// KiB of what is resident.
    pub resident_kib: usize,
}

pub struct Model {
    row: &'static Version,
    python: Interpreter<Placed>,
    /// What stands for the interpreter's own objects.
    own: Vec<Block>,
    lists: BTreeMap<&'static str, Vec<Option<Block>>>,
    /// What the lists' items are in, until they are dropped.
    items: BTreeMap<&'static str, Block>,
    /// The arenas there had been before the first step, and what was resident then.
    before: ArenaCounts,
    resident_before: usize,
}

impl Model {
    /// The state at the first of these marks; `None` where the arenas of later marks are of two
    /// kinds, some on a multiple of the pool's size and some not.
    pub fn in_state(row: &'static Version, marks: &[Stats]) -> Option<Model> {
        let (pool, base) = (row.pool_bytes.of(Word::Bits64), &marks[0]);
        let lost = |stats: &Stats| stats.lost_to_alignment / pool;
        let later = |stats: &Stats| (stats.arenas() - base.arenas(), lost(stats) - lost(base));
        let unaligned_later = marks.iter().any(|stats| later(stats).1 > 0);
        let of_one_kind = |(new, lost)| lost == if unaligned_later { new } else { 0 };
        if !marks.iter().map(later).all(of_one_kind) {
            return None;
        }
        let raw = Placed {
            raw: Counting::new(Chunk::GLIBC_64),
            arenas: 0,
            arenas_before: base.arenas(),
            unaligned_before: lost(base),
            unaligned_later,
        };
        let mut model = Model {
            row,
            python: Interpreter::new(row, Word::Bits64, raw).expect("there is memory"),
            own: Vec::new(),
            lists: BTreeMap::new(),
            items: BTreeMap::new(),
            before: ArenaCounts::default(),
            resident_before: 0,
        };
        model.prepare(base);
        Some(model)
    }

    /// Does what CPython does for this statement, in the same order.
    pub fn run(&mut self, step: &Step) {
        match step {
            Step::Build(name, ints) => {
                // A range computes its length as an int of its own, and has it while it lives.
                let length = self.alloc(Kind::Int(*ints));
                let items = self.alloc(Kind::Buffer(*ints as usize * 8));
                self.items.insert(name, items);
                let list = (0..*ints).map(|value| Some(self.alloc(Kind::Int(value))));
                let list = list.collect();
                self.python.free(length);
                self.lists.insert(name, list);
            }
            Step::Cut(name, range) => {
                let list = self.lists.get_mut(name).expect("a list");
                let gone: Vec<Option<Block>> = list.drain(range.clone()).collect();
                self.free_backwards(gone);
            }
            Step::Thin(name, by) => {
                let list = self.lists.get_mut(name).expect("a list");
                let gone: Vec<Block> = list
                    .iter_mut()
                    .step_by(*by)
                    .filter_map(Option::take)
                    .collect();
                gone.into_iter().for_each(|block| self.python.free(block));
            }
            Step::Drop(name) => {
                let list = self.lists.remove(name).expect("a list");
                self.free_backwards(list);
                self.python
                    .free(self.items.remove(name).expect("a list has items"));
            }
        }
    }

    /// Holds the interpreter's figures after a step against the model's.
    pub fn check(&self, base: &Stats, now: &Stats, step: &Step, allowed: &Allowed) {
        let counts = self.python.arena_counts();
        let ints = self.python.class_counts(INT_CLASS);
        let unused = self.python.unused_pools();
        let allocated = counts.allocated - self.before.allocated;
        let [pools, in_use, free] = now.ints;
        let figures = [
            (
                allocated,
                now.arenas_allocated - base.arenas_allocated,
                "arenas allocated",
            ),
            (
                counts.reclaimed,
                now.arenas_reclaimed - base.arenas_reclaimed,
                "arenas reclaimed",
            ),
            (ints.in_use, in_use, "blocks in use"),
            (
                ints.pools + unused,
                pools + now.unused_pools,
                "pools, of ints and unused",
            ),
            (
                ints.available + ints.in_use,
                ints.pools * ((free + in_use) / pools),
                "blocks",
            ),
        ];
        for (modelled, measured, what) in figures {
            assert_eq!(
                modelled, measured,
                "{what} in {} after {step:?}",
                self.row.name
            );
        }
        let resident = (self.python.resident() - self.resident_before) / 1024;
        let anonymous = now.anonymous_kib - base.anonymous_kib;
        for (modelled, measured, allowed, what) in [
            (ints.pools, pools, allowed.pools, "pools of ints"),
            (resident, anonymous, allowed.resident_kib, "KiB resident"),
        ] {
            let what = format!("{what} in {} after {step:?}", self.row.name);
            let off = modelled.abs_diff(measured);
            assert!(off <= allowed, "{modelled} {what}, {measured} measured");
        }
    }

    /// The most arenas there have been, if these are more than before the first step.
    pub fn check_highwater(&self, last: &Stats) {
        let highwater = self.python.arena_counts().highwater;
        assert_eq!(highwater, last.arenas_highwater, "{}", self.row.name);
    }

    fn alloc(&mut self, kind: Kind) -> Block {
        self.python.alloc(kind).expect("there is memory")
    }

    fn free_backwards(&mut self, list: Vec<Option<Block>>) {
        for block in list.into_iter().rev().flatten() {
            self.python.free(block);
        }
    }

    /// As many arenas, unused pools, pools of ints and free blocks in them as the interpreter has.
    fn prepare(&mut self, base: &Stats) {
        let [int_pools, in_use, available] = base.ints;
        self.fill_ints(int_pools, available);
        self.fill(base.arenas(), base.unused_pools);
        self.before = self.python.arena_counts();
        self.resident_before = self.python.resident();

        let ints = self.python.class_counts(INT_CLASS);
        assert_eq!(
            [ints.pools, ints.in_use, ints.available],
            [int_pools, in_use, available]
        );
        assert_eq!(self.python.unused_pools(), base.unused_pools);
        assert_eq!(
            (self.before.current(), self.before.reclaimed),
            (base.arenas(), 0)
        );
    }

    /// Blocks of 512 bytes until there are so many arenas, and unused pools in them.
    fn fill(&mut self, arenas: usize, unused_pools: usize) {
        while self.python.arena_counts().current() < arenas
            || self.python.unused_pools() > unused_pools
        {
            let block = self.alloc(Kind::Object(512));
            self.own.push(block);
        }
    }

    /// As many pools of blocks of 32 bytes, with as many free blocks in all.
    fn fill_ints(&mut self, pools: usize, available: usize) {
        let mut blocks = Vec::new();
        let full = |ints: cpython_layers::ClassCounts| ints.pools == pools && ints.available == 0;
        while !full(self.python.class_counts(INT_CLASS)) {
            blocks.push(self.alloc(Kind::Object(INT_CLASS)));
        }
        // Far apart, so that no pool becomes empty.
        let step = (blocks.len() / available.max(1)).max(1);
        for (number, block) in blocks.into_iter().enumerate() {
            if number % step == 0 && number / step < available {
                self.python.free(block);
            } else {
                self.own.push(block);
            }
        }
    }
}

/// Places arenas as the interpreter's were placed: so many of its first ones, and all or none of
/// the later ones, do not begin on a multiple of 16 KiB.
struct Placed {
    raw: Counting,
    arenas: usize,
    arenas_before: usize,
    unaligned_before: usize,
    unaligned_later: bool,
}

impl Raw for Placed {
    type Handle = usize;

    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<usize> {
        if origin == Origin::Map {
            let unaligned = match self.arenas {
                number if number < self.arenas_before => number < self.unaligned_before,
                _ => self.unaligned_later,
            };
            self.arenas += 1;
            self.raw = self.raw.clone().mapping_off_by(unaligned.into());
        }
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
