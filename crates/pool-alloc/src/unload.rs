//! What happens when this code goes: as the process exits, or as a library that has it inside is unloaded.
//!
//! Threads that end later must not look for it. So the slot that each of them has (`thread`) is given up: no function is
//! called for it any more. What such threads had stays theirs, and what the library had mapped stays mapped.

use crate::commons;

/// The dynamic linker calls what stands in this section.
#[used]
#[unsafe(link_section = ".fini_array")]
static UNLOADS: extern "C" fn() = unload;

extern "C" fn unload() {
    // Where the lock is held, it may be by a thread that a signal's handler interrupted, to exit.
    let Ok(mut commons) = commons::COMMONS.try_lock() else {
        return;
    };
    if let Some(hook) = commons.heaps.part_with_hook() {
        hook.end();
    }
}
