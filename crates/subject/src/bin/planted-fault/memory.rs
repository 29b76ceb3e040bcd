//! Faults in the memory: blocks that are freed late, by half or never, memory that the allocator takes
//! for itself, pages given back lazily, accounts that are false.
//!
//! Each is a [`Fault`] that differs from the honest allocator in one thing. It strikes from the first
//! `Build` on, so that the baseline is an honest one, and looks at nothing but commands, addresses
//! and the clock: under the lab's clock it strikes the same in every run.

use std::alloc::Layout;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use afterdrop_subject::clock;
use model::protocol::Command;

use crate::held;
use crate::planted::allocated_bytes;

/// Every fault of the memory by its name.
#[rustfmt::skip]
pub const FAULTS: &[(&str, Fault)] = &[
    ("keeps",       Fault { holds: |_| true, ..HONEST }),
    ("keeps-mappings", Fault { keeps_mappings: true, ..HONEST }),
    ("keeps-half",  Fault { holds: in_odd_stripe, until: is_build, ..HONEST }),
    ("late",        Fault { holds: |_| true, until: three_seconds_have_passed, ..HONEST }),
    ("leaks",       Fault { takes: a_hundredth_at_each_drop, ..HONEST }),
    ("takes-at-build", Fault { takes: sixteen_mib_at_each_build, ..HONEST }),
    ("rebounds",    Fault { takes: sixteen_mib_after_a_release, ..HONEST }),
    ("apart",       Fault { apart: survives_33, ..HONEST }),
    ("lazy",        Fault { lazily: true, ..HONEST }),
    ("claims-half", Fault { claims: |bytes| bytes / 2, ..HONEST }),
];

/// What is wrong. What depends on a command is told of it before it is carried out.
pub struct Fault {
    /// Whether a block of this layout is put where no other is, never to be used again.
    pub apart: fn(&Layout) -> bool,
    /// Whether this block is held back when the program frees it.
    pub holds: fn(*mut u8) -> bool,
    /// Whether the blocks held back are freed now.
    pub until: fn(&Command) -> bool,
    /// Bytes that the allocator takes for itself now, and never gives back.
    pub takes: fn(&Command) -> u64,
    /// Whether a mapping that is unmapped stays.
    pub keeps_mappings: bool,
    /// Whether pages are given back by `MADV_FREE`, which leaves them resident.
    pub lazily: bool,
    /// What the allocator says where this much is allocated.
    pub claims: fn(u64) -> u64,
}

const HONEST: Fault = Fault {
    apart: |_| false,
    holds: |_| false,
    until: |_| false,
    takes: |_| 0,
    keeps_mappings: false,
    lazily: false,
    claims: |bytes| bytes,
};

/// One in 33 of the blocks that the scenarios `survivors-...` build: what an allocator would put apart
/// that knew beforehand which blocks survive, and what nothing else can unpin.
fn survives_33(layout: &Layout) -> bool {
    layout.size() == 160 && BLOCKS.fetch_add(1, Relaxed).is_multiple_of(33)
}

/// Those asked for since the last `Build`.
static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// One stripe in two: as large as an arena of pool-alloc, so that what is not held back can go.
fn in_odd_stripe(block: *mut u8) -> bool {
    const STRIPE: usize = 2 << 20;
    block.addr() / STRIPE % 2 == 1
}

pub fn is_build(command: &Command) -> bool {
    matches!(command, Command::Build)
}

/// Three seconds after the first of the blocks was held back, the coming wait included: the lab's
/// clock wakes nobody, so what is due during a wait is done before it.
fn three_seconds_have_passed(command: &Command) -> bool {
    let coming_ms = match command {
        Command::Wait { ms } => *ms,
        _ => 0,
    };
    clock::now_ms() + coming_ms >= held::since_ms() + 3_000
}

fn a_hundredth_at_each_drop(command: &Command) -> u64 {
    match command {
        Command::Drop => allocated_bytes() / 100,
        _ => 0,
    }
}

fn sixteen_mib_at_each_build(command: &Command) -> u64 {
    match is_build(command) {
        true => 16 << 20,
        false => 0,
    }
}

fn sixteen_mib_after_a_release(command: &Command) -> u64 {
    static RELEASED: AtomicBool = AtomicBool::new(false);
    match command {
        Command::Release => RELEASED.store(true, Relaxed),
        Command::Wait { .. } if RELEASED.swap(false, Relaxed) => return 16 << 20,
        _ => {}
    }
    0
}

/// Chosen before the first command arrives.
static PLANTED: OnceLock<&Fault> = OnceLock::new();
static STRIKES: AtomicBool = AtomicBool::new(false);

/// Has the fault strike from the first `Build` on.
pub fn plant(fault: &'static Fault) {
    PLANTED.get_or_init(|| fault);
}

/// A large object is about to be built.
pub fn build() {
    STRIKES.store(true, Relaxed);
    BLOCKS.store(0, Relaxed);
}

/// What is wrong now.
pub fn fault() -> &'static Fault {
    match STRIKES.load(Relaxed) {
        true => PLANTED.get().copied().unwrap_or(&HONEST),
        false => &HONEST,
    }
}
