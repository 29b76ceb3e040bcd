//! What whoever starts a process may say to it, who cannot change the program.
//!
//! ```text
//! POOL_ALLOC_RESERVE_KIB=0 program        PoolAlloc.limit_reserve(0), before anything else
//! ```
//!
//! It is read when the process first has need of the allocator: before a Rust program's `main`, and before its other
//! threads.

use std::str;

use crate::{PoolAlloc, os};

/// Heeds what is said.
pub(crate) fn heed() {
    // SAFETY: this is asked once, as the process begins; who changes the environment has not come to it yet.
    let Some(kib) = (unsafe { os::variable(c"POOL_ALLOC_RESERVE_KIB") }) else {
        return;
    };
    let said = kib.to_bytes();
    let number = str::from_utf8(said).ok();
    match number.and_then(|number| number.parse::<usize>().ok()) {
        Some(kib) => PoolAlloc.limit_reserve(kib.saturating_mul(1 << 10)),
        None => {
            os::say(b"pool-alloc: POOL_ALLOC_RESERVE_KIB=");
            os::say(said);
            os::say(b" is no number of KiB: there is no limit\n");
        }
    }
}
