//! The allocator for callers that tell size and alignment again when they hand a block back, as Rust's do.
//!
//! Both being known, so is the block's class (`class`), and with it how many slices its pool has: masking the address finds
//! the pool. Nothing is looked up. For callers that hand back an address alone there is `by_address`.
//!
//! Blocks of up to 1 KiB have a *step*, through which their class's current pool is found with one load. What has
//! none is *long*, and dealt with in functions of its own, so that the others pay nothing for it.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::cold_path;

use crate::arena::Arena;
use crate::class::{Class, Need, Span};
use crate::hardened::{self, Call};
use crate::runs::Contents;
use crate::{PoolAlloc, heap, large, os, thread};

// SAFETY: blocks are disjoint, hold at least the layout's size (`class`) at a multiple of its alignment, and stay
// until they are handed back, whichever thread asks (`remote`). Nothing here unwinds; failure is a null pointer.
unsafe impl GlobalAlloc for PoolAlloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Need::of(layout.size(), layout.align()).step() {
            Some(step) => thread::heap().allocate_short(step),
            None => allocate_long(layout),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let need = Need::of(layout.size(), layout.align());
        let heap = thread::heap();
        if !heap.frees_plainly(need) {
            cold_path();
            let Some(step) = need.step() else {
                // SAFETY: as promised by the caller.
                return unsafe { free_long(block, layout) };
            };
            // SAFETY: the caller hands back a block of this layout, which `alloc` took from a pool of this class.
            if unsafe { heap.put_in_cache(block, step.class()) } {
                return;
            }
        }
        hardened::vouch_as(block, Call::Free, layout);
        // SAFETY: as above, and the pools of short blocks are small.
        let pool = unsafe { Arena::pool_of(block, Span::ONE) };
        // SAFETY: as above.
        unsafe { heap::free(block, pool) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match Class::of(layout.size(), layout.align()) {
            Some(class) => thread::heap().allocate_zeroed(class, layout.size()),
            None => large::allocate(layout.size(), layout.align(), Contents::Zero),
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as promised by the caller.
        unsafe { resize(block, layout, new_size) }
    }
}

/// A block, or null.
#[inline(never)]
fn allocate_long(layout: Layout) -> *mut u8 {
    match Class::of(layout.size(), layout.align()) {
        Some(class) => thread::heap().allocate(class),
        None => large::allocate(layout.size(), layout.align(), Contents::Any),
    }
}

/// Takes back a block that has no step.
///
/// # Safety
/// As `GlobalAlloc::dealloc`.
#[inline(never)]
unsafe fn free_long(block: *mut u8, layout: Layout) {
    match Class::of(layout.size(), layout.align()) {
        Some(class) => {
            // SAFETY: the caller hands back a block of this layout, which `alloc` took from a pool of this class.
            if unsafe { thread::heap().free_to_cache(block, class) } {
                return;
            }
            hardened::vouch_as(block, Call::Free, layout);
            // SAFETY: as above.
            let pool = unsafe { Arena::pool_of(block, class.span()) };
            // SAFETY: as above.
            unsafe { heap::free(block, pool) }
        }
        // SAFETY: as above, from a mapping of its own.
        None => unsafe { large::free(block, layout.size()) },
    }
}

/// A block keeps its place where its class serves the new size, too, so that it is always of the class that its layout
/// tells; a large one has its pages moved; else the contents are copied.
///
/// # Safety
/// As `GlobalAlloc::realloc`.
unsafe fn resize(block: *mut u8, old: Layout, new_size: usize) -> *mut u8 {
    let align = old.align();
    let (old_class, new_class) = (Class::of(old.size(), align), Class::of(new_size, align));
    if old_class.is_some() {
        hardened::vouch_as(block, Call::Use, old);
    }
    match (old_class, new_class) {
        (Some(class), Some(new_class)) if class == new_class => return block,
        (None, None) if align <= os::page_size() => {
            // SAFETY: the block is large, and aligned to no more than a page.
            let moved = unsafe { large::resize(block, old.size(), new_size) };
            if !moved.is_null() {
                return moved;
            }
        }
        _ => {}
    }
    let copy = match new_class {
        Some(class) => thread::heap().allocate(class),
        None => large::allocate(new_size, align, Contents::of_copy(old.size(), new_size)),
    };
    if !copy.is_null() {
        // SAFETY: both blocks hold this many bytes, and they are two blocks.
        unsafe { block.copy_to_nonoverlapping(copy, old.size().min(new_size)) };
        // SAFETY: the caller is done with the old block.
        unsafe { PoolAlloc.dealloc(block, old) };
    }
    copy
}
