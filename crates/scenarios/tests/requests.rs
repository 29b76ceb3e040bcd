//! What the scenarios say of themselves against what they ask their allocator for.
//!
//! This test's own global allocator counts the bytes that are alive, and their peak, and folds
//! every request into one number, so that two builds can be compared request by request. One test
//! walks through all scenarios but Python's, whose requests to their allocator are the interpreter's:
//! two at a time would be counted together.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use afterdrop_scenarios::{Object, RUST, Scenario};

struct Counting;

static LIVE: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: every call goes to the system allocator as it came. `realloc` is the trait's own, which
// asks for the new block before it frees the old one: the peak of an allocator that must copy.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size() as u64, Relaxed) + layout.size() as u64;
        PEAK.fetch_max(live, Relaxed);
        let before = REQUESTS.load(Relaxed).rotate_left(5) ^ layout.size() as u64;
        REQUESTS.store(before.wrapping_mul(0x9E37_79B9_7F4A_7C15), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Sizes that are quick to build: large enough for every branch, odd enough for every remainder.
const SIZE: u64 = 20_011;

/// What a scenario need not count: the object's own box, the office of each of seven threads.
const UNCOUNTED: u64 = 8 * 1024;

/// Blocks that come from the C library, past this test's allocator.
fn from_c(scenario: &Scenario) -> u64 {
    match scenario.name {
        "c-library" => SIZE / 2 * 24,
        _ => 0,
    }
}

#[track_caller]
fn check(scenario: &Scenario, when: &str, said: u64, counted: u64) {
    let difference = said.abs_diff(counted);
    let name = scenario.name;
    assert!(
        difference <= UNCOUNTED,
        "{name}, {when}: {said} bytes said, {counted} counted"
    );
}

/// Builds and drops; the requests of it, folded into one number.
fn walk(scenario: &Scenario, seed: u64) -> u64 {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    REQUESTS.store(0, Relaxed);
    let live = || LIVE.load(Relaxed) - before;
    let object = (scenario.build)(SIZE, seed);
    let requests = REQUESTS.load(Relaxed);
    check(
        scenario,
        "built",
        object.live_bytes(),
        live() + from_c(scenario),
    );
    let peak = PEAK.load(Relaxed) - before;
    let footprint = (scenario.footprint_bytes)(SIZE);
    let name = scenario.name;
    assert!(
        peak <= footprint + UNCOUNTED,
        "{name}: {peak} bytes at the peak, {footprint} said"
    );
    let survivors = object.drop_large();
    let said = survivors.as_ref().map_or(0, |object| object.live_bytes());
    check(scenario, "dropped", said, live());
    drop(survivors);
    check(scenario, "gone", 0, live());
    requests
}

/// Scenarios hold what they say, and ask for the same each time.
fn main() {
    for scenario in RUST {
        walk(scenario, 1); // whatever the standard library allocates once
        assert_eq!(walk(scenario, 1), walk(scenario, 1), "{}", scenario.name);
    }

    std::panic::set_hook(Box::new(|_| {})); // what follows is to be caught, not told
    let caught = catch_unwind(|| walk(&LIAR, 1));
    let _ = std::panic::take_hook();
    assert!(caught.is_err(), "the checks above would notice a lie");
    println!("{} scenarios hold what they say", RUST.len());
}

/// Holds twice the bytes that it says.
struct Liar(Vec<u8>);

impl Object for Liar {
    fn live_bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

const LIAR: Scenario = Scenario {
    name: "liar",
    summary: "",
    question: "",
    unit: "bytes",
    default_size: 1,
    footprint_bytes: |size| 2 * size,
    build: |size, _seed| {
        let mut bytes = Vec::with_capacity(2 * size as usize);
        bytes.resize(size as usize, 1);
        Box::new(Liar(bytes))
    },
};
