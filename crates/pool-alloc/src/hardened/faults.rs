//! The end of a process that misused the allocator: one line on standard error, and `abort`.
//!
//! ```text
//! pool-alloc: double free: 0x7f53c0009018 is a free block of 24 bytes
//! pool-alloc: invalid free: 0x7f53c0009020 is 8 bytes into a block of 24 bytes
//! pool-alloc: wrong layout: 0x7f53c0009018 is a block of 24 bytes, and was said to have 100
//! ```
//!
//! The line is put together on the stack and written in one call. What it says of a block is read from headers that
//! other threads may be changing: it is as true as it can be where the program is not.

use std::fmt::{self, Display, Write};

use super::Call;
use super::live::Live;
use super::units::Unit;
use crate::arena::{Arena, HEADER};
use crate::os;

/// Ends the process: what `call` asks of `block`, as one of `told` bytes if that was said, cannot be.
#[cold]
#[inline(never)]
pub(super) fn refuse(block: *mut u8, call: Call, told: Option<usize>) -> ! {
    let known = Known::of(block);
    let fault = match (call, &known) {
        (_, Known::InUse(_) | Known::Large) => "wrong layout",
        (Call::Free, Known::Free(_) | Known::LargeGone) => "double free",
        (Call::Use, Known::Free(_) | Known::LargeGone) => "use after free",
        (Call::Free, _) => "invalid free",
        (Call::Use, _) => "invalid use",
    };
    match told {
        Some(told) if fault == "wrong layout" => end(format_args!(
            "{fault}: {block:p} is {known}, and was said to have {told}"
        )),
        _ => end(format_args!("{fault}: {block:p} is {known}")),
    }
}

/// Ends the process: a large block of `has` bytes was said to have others.
#[cold]
pub(crate) fn wrong_size(block: *mut u8, has: usize, told: usize) -> ! {
    end(format_args!(
        "wrong layout: {block:p} is a large block of {has} bytes, and was said to have {told}"
    ))
}

/// Ends the process: the link of a free block does not lead anywhere.
#[cold]
#[inline(never)]
pub(super) fn overwritten(block: *mut u8) -> ! {
    let known = Known::of(block);
    end(format_args!(
        "overwritten link: {block:p} is {known}, and was written to after it was freed"
    ))
}

/// Ends the process: a block in use was about to be handed out.
#[cold]
#[inline(never)]
pub(super) fn broken_list(block: *mut u8) -> ! {
    let known = Known::of(block);
    end(format_args!(
        "broken free list: {block:p} is {known}, and was about to be handed out again"
    ))
}

fn end(what: fmt::Arguments) -> ! {
    let mut line = Line {
        bytes: [0; 256],
        len: 0,
    };
    // What does not fit is cut off.
    let _cut = writeln!(line, "pool-alloc: {what}");
    os::fatal(&line.bytes[..line.len])
}

/// A line that is written without allocating.
struct Line {
    bytes: [u8; 256],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}

/// What an address is. Figures are bytes of the block.
enum Known {
    InUse(usize),
    Free(usize),
    Untouched(usize),
    Inside { by: usize, of: usize },
    BehindTheLast,
    FreeSlice,
    Header,
    ArenaGone,
    Large,
    LargeGone,
    Foreign,
}

impl Known {
    fn of(address: *mut u8) -> Self {
        match (Unit::of(address), Unit::begins_at(address)) {
            (Unit::Arena, _) => Self::in_arena(address),
            (Unit::Large, true) => Self::Large,
            (Unit::Gone, true) => Self::LargeGone,
            (Unit::Gone, false) => Self::ArenaGone,
            _ => Self::Foreign,
        }
    }

    fn in_arena(address: *mut u8) -> Self {
        // SAFETY: the arena is mapped. Where the address is in no pool, that is the last one before it, or the first header.
        let pool = unsafe { Arena::pool_around(address) };
        if address.addr() < Arena::of(&pool).as_ptr().addr() + HEADER {
            return Self::Header;
        }
        let is_open = Arena::of(&pool).open_pools().any(|open| open == pool);
        if !is_open || !pool.extent().contains(&address.addr()) {
            return Self::FreeSlice;
        }
        let (start, size) = (pool.start(), pool.block_size());
        let Some(offset) = address.addr().checked_sub(start) else {
            return Self::BehindTheLast;
        };
        // SAFETY: the arena is mapped.
        let is_in_use = unsafe { Live::around(address) }.has(address);
        match (offset / size, offset % size) {
            (number, _) if number >= pool.capacity() => Self::BehindTheLast,
            (_, 0) if is_in_use => Self::InUse(size),
            (_, 0) if address.addr() >= pool.bump() => Self::Untouched(size),
            (_, 0) => Self::Free(size),
            (_, by) => Self::Inside { by, of: size },
        }
    }
}

impl Display for Known {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::InUse(size) => write!(to, "a block of {size} bytes"),
            Self::Free(size) => write!(to, "a free block of {size} bytes"),
            Self::Untouched(size) => write!(to, "a block of {size} bytes that was never in use"),
            Self::Inside { by, of } => write!(to, "{by} bytes into a block of {of} bytes"),
            Self::BehindTheLast => to.write_str("between two pools, where no block is"),
            Self::FreeSlice => to.write_str("where no pool is, or is any more"),
            Self::Header => to.write_str("in the header of an arena"),
            Self::ArenaGone => to.write_str("in an arena that was given back"),
            Self::Large => to.write_str("a large block"),
            Self::LargeGone => to.write_str("where a large block was, which is free"),
            Self::Foreign => to.write_str("in no memory of the allocator's"),
        }
    }
}
