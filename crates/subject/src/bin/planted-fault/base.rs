//! The contestant below: whichever `AFTERDROP_BASE` names. That all of them are linked here is no
//! matter: this is nobody's measurement.

use std::alloc::{GlobalAlloc, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use afterdrop_subject::c_string;
use jemallocator::Jemalloc;
use mimalloc::MiMalloc;
use pool_alloc::PoolAlloc;

/// A contestant: where blocks come from, and how it is asked to give memory back.
pub struct Base {
    name: &'static str,
    pub blocks: &'static (dyn GlobalAlloc + Sync),
    pub release: fn(),
}

static BASES: [Base; 4] = [
    Base {
        name: "system",
        blocks: &System,
        release: || {
            // SAFETY: the call has no precondition.
            unsafe { libc::malloc_trim(0) };
        },
    },
    Base {
        name: "jemalloc",
        blocks: &Jemalloc,
        release: || {
            for name in [c"thread.tcache.flush", c"arena.4096.purge"] {
                let null = null_mut();
                // SAFETY: with all pointers null nothing is read or written.
                unsafe { jemalloc_sys::mallctl(name.as_ptr(), null, null_mut(), null, 0) };
            }
        },
    },
    Base {
        name: "mimalloc",
        blocks: &MiMalloc,
        release: || {
            // SAFETY: the call has no precondition.
            unsafe { libmimalloc_sys::mi_collect(true) };
        },
    },
    Base {
        name: "pool",
        blocks: &PoolAlloc,
        release: || {
            PoolAlloc.release();
        },
    },
];

/// The base of this process, chosen by whoever allocates first, long before `main`.
pub fn base() -> &'static Base {
    static CHOICE: AtomicPtr<Base> = AtomicPtr::new(null_mut());

    // SAFETY: null, or the address of one of `BASES`, which nobody writes to.
    if let Some(choice) = unsafe { CHOICE.load(Relaxed).as_ref() } {
        return choice;
    }
    // SAFETY: the name is nul-terminated, and nobody changes the environment.
    let name = unsafe { libc::getenv(c"AFTERDROP_BASE".as_ptr()) };
    // SAFETY: `getenv` gives null or a nul-terminated string that stays in the environment.
    let name = unsafe { c_string(name) };
    let choice = BASES.iter().find(|base| base.name == name);
    let choice = choice.unwrap_or(&BASES[0]);
    CHOICE.store(std::ptr::from_ref(choice).cast_mut(), Relaxed);
    choice
}
