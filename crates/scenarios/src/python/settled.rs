//! The state that an interpreter is in before the first statement: no arena has a free pool, and each
//! size class has free blocks.
//!
//! An interpreter has objects of its own by then, and how much room they leave is chance. It decides
//! little of what an object takes and much of the last arena that is kept of it, so it is not left to
//! chance: what is built begins in an arena of its own, and what is small beside it, a list's own object
//! or a loop's, needs none. A live interpreter is brought into the same state
//! (`crates/subject/python/settled.py`).

use cpython_layers::{
    ArenasFrom, Aside, Block, Interpreter, Kind, OutOfMemory, Raw, Table, Version,
};

/// Blocks asked for of each size, of which one in four stays.
const BLOCKS: usize = 256;

/// Ints and floats take so much on 64 bits, from 3.0 on.
const NUMBER_BYTES: usize = 32;

/// Free blocks of that size that are left, in pools of 126 and of 510. Dead floats on the free list keep
/// one pool or two, as it happens that these lie in one or two, and with two the empty arena before
/// theirs may be kept as well. By these numbers the last 100 floats of the scenario lie in the middle of
/// the one case or the other, in the model as in a live interpreter, whose script has the same numbers.
const FREE_NUMBERS: [(usize, usize); 2] = [(126, 160), (510, 300)];

/// What stays alive: a block that is dropped and not given back is there for good.
type Own = Table<Block>;

/// Brings an interpreter that has nothing of its own yet into that state.
///
/// # Errors
/// Where there is no memory.
pub(super) fn settle<R: Raw>(python: &mut Interpreter<R>) -> Result<(), OutOfMemory> {
    let mut own = Table::new_in(Aside);
    let threshold = python.version().threshold;
    for size in (16..=threshold).step_by(8) {
        let start = own.len();
        for _ in 0..BLOCKS {
            own.push(python.alloc(Kind::Object(size))?);
        }
        for index in (start..start + BLOCKS).rev() {
            if !(index - start).is_multiple_of(4) {
                python.free(own.swap_remove(index));
            }
        }
    }
    leave_blocks_of_numbers(python, &mut own)?;
    fill_arenas(python, &mut own)
}

/// Fills the last arena. That it is full shows where the next block opens another one, which is where
/// `mmap` is asked for it. `malloc` is not: glibc takes the end of a mapped chunk of 256 KiB as advice
/// to map none of that size any more, and the baseline would begin with advice that no statement gave.
fn fill_arenas<R: Raw>(python: &mut Interpreter<R>, own: &mut Own) -> Result<(), OutOfMemory> {
    let Version {
        threshold,
        arenas_from,
        ..
    } = *python.version();
    loop {
        let is_full =
            python.unused_pools() == 0 && python.class_counts(threshold).available == 0;
        if is_full && arenas_from == ArenasFrom::Malloc {
            return Ok(());
        }
        let arenas = python.arena_counts().current();
        let block = python.alloc(Kind::Object(threshold))?;
        if python.arena_counts().current() > arenas {
            // It is the only one of its arena, which goes with it where the version gives arenas back.
            python.free(block);
            return Ok(());
        }
        own.push(block);
    }
}

fn leave_blocks_of_numbers<R: Raw>(
    python: &mut Interpreter<R>,
    own: &mut Own,
) -> Result<(), OutOfMemory> {
    for index in 0..BLOCKS {
        let float = python.alloc(Kind::Float)?;
        match index % 4 {
            0 => own.push(float),
            _ => python.free(float),
        }
    }
    let start = own.len();
    for _ in 0..300 {
        own.push(python.alloc(Kind::Object(NUMBER_BYTES))?);
    }
    let counts = python.class_counts(NUMBER_BYTES);
    let per_pool = (counts.in_use + counts.available) / counts.pools;
    let left = FREE_NUMBERS.iter().find(|(pool, _)| *pool == per_pool);
    let Some((_, left)) = left else {
        return Ok(()); // no floats of that size, or none in pools
    };
    while python.class_counts(NUMBER_BYTES).available != per_pool - 1 {
        own.push(python.alloc(Kind::Object(NUMBER_BYTES))?);
    }
    for _ in *left..per_pool - 1 {
        own.push(python.alloc(Kind::Object(NUMBER_BYTES))?);
    }
    for index in (per_pool - 1..*left).rev() {
        python.free(own.swap_remove(start + (index + 1 - per_pool) * 8));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cpython_layers::{Build, Chunk, Counting, Word};

    use super::*;

    #[test]
    fn a_settled_interpreter_has_no_free_pool_and_so_many_free_blocks_of_numbers() {
        let of_32_bits = ["2.4-32", "2.5-32"].map(|name| name.parse().expect("a version"));
        for build in Build::all().chain(of_32_bits) {
            let raw = Counting::new(Chunk::GLIBC_64);
            let mut python = Interpreter::new(build.version, build.word, raw).expect("memory");
            settle(&mut python).expect("memory");
            let is_mapped = build.version.arenas_from == ArenasFrom::Map;
            if !is_mapped {
                assert_eq!(python.arena_counts().reclaimed, 0, "{build}");
            }
            // Where the last arena stays that was opened, all of it is free.
            let has_some = is_mapped && python.arena_counts().reclaimed == 0;
            assert_eq!(python.unused_pools() > 0, has_some, "{build}");
            let numbers = python.class_counts(NUMBER_BYTES);
            let per_pool = (numbers.in_use + numbers.available) / numbers.pools;
            if let Some((_, left)) = FREE_NUMBERS.iter().find(|(pool, _)| *pool == per_pool) {
                assert_eq!(numbers.available, *left, "{build}");
            } else {
                assert!(build.word == Word::Bits32 || build.version.name < "2.7", "{build}");
            }
        }
    }

    #[test]
    fn a_live_interpreter_is_left_the_same_free_blocks() {
        let script = include_str!("../../../subject/python/settled.py");
        let [small, large] = FREE_NUMBERS;
        let line = format!("\nNUMBERS, FREE_NUMBERS = {large:?} if HAS_LARGE_POOLS else {small:?}\n");
        assert!(script.contains(&line), "no {line:?} in settled.py");
    }
}
