//! An allocator below with real memory behind it: the program's own, by `std::alloc`.
//!
//! What CPython would map is taken from the same allocator, on a page's boundary, so that whichever
//! allocator the program is linked with holds all of it. Pages become resident when the model
//! touches them, not before.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::raw::{Origin, Raw};

const PAGE_BYTES: usize = 4096;

/// Takes everything from the program's global allocator. Where that has no memory the program
/// ends, as it does for a `Box`.
#[derive(Debug, Default)]
pub struct Heap;

/// A piece of the program's memory.
#[derive(Debug)]
pub enum Memory {
    /// Of any size, aligned as `malloc` does.
    Bytes(Box<[MaybeUninit<u8>]>),
    /// Whole pages.
    Pages(Box<[MaybeUninit<Page>]>),
}

/// One page of 4 KiB.
#[repr(align(4096))]
#[derive(Debug)]
pub struct Page(#[expect(dead_code, reason = "memory to be occupied, not read")] [u8; PAGE_BYTES]);

impl Raw for Heap {
    type Handle = Memory;

    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<Memory> {
        Some(match origin {
            Origin::Malloc => Memory::Bytes(Box::new_uninit_slice(bytes)),
            Origin::Map => Memory::Pages(Box::new_uninit_slice(bytes.div_ceil(PAGE_BYTES))),
        })
    }

    fn free(&mut self, handle: Memory, _: usize, _: Origin) {
        drop(handle);
    }

    fn address(&self, handle: &Memory) -> usize {
        match handle {
            Memory::Bytes(bytes) => bytes.as_ptr().addr(),
            Memory::Pages(pages) => pages.as_ptr().addr(),
        }
    }

    fn touch(&mut self, handle: &mut Memory, bytes: Range<usize>) {
        match handle {
            Memory::Bytes(own) => {
                let own = &mut own[bytes];
                own.iter_mut().step_by(PAGE_BYTES).for_each(|byte| {
                    byte.write(1);
                });
                // The last page may lie behind the last step.
                if let Some(last) = own.last_mut() {
                    last.write(1);
                }
            }
            Memory::Pages(own) => {
                let pages = bytes.start / PAGE_BYTES..bytes.end.div_ceil(PAGE_BYTES);
                for page in &mut own[pages] {
                    page.write(Page([1; PAGE_BYTES]));
                }
            }
        }
    }
}
