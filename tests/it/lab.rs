//! How a test runs a cell.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use driver::{Interrupt, Introduction, Plan, Schedule};
use model::{Checkpoint, Conditions, Knob};

/// The contestants, with the executables that cargo has built for this test.
pub const ALLOCATORS: [(&str, &str); 4] = [
    ("system", env!("CARGO_BIN_EXE_with-system")),
    ("jemalloc", env!("CARGO_BIN_EXE_with-jemalloc")),
    ("mimalloc", env!("CARGO_BIN_EXE_with-mimalloc")),
    ("pool", env!("CARGO_BIN_EXE_with-pool")),
];

/// The executable of this allocator.
pub fn executable(allocator: &str) -> &'static str {
    let found = ALLOCATORS.iter().find(|(name, _)| *name == allocator);
    found.expect("one of the contestants").1
}

/// The plan that `cargo xtask compare` makes by default for this scenario.
pub fn plan(executable: &str, scenario: &str, knob: Knob) -> Plan {
    Plan {
        subject: PathBuf::from(executable),
        scenario: scenario.to_owned(),
        size: scenarios::find(scenario).expect("a scenario").default_size,
        seed: 1,
        rounds: driver::DEFAULT_ROUNDS,
        schedule: Schedule::Verdict,
        knob,
        conditions: Conditions::Lab,
        step_limit: Duration::from_secs(120),
    }
}

/// Measures a cell that must not fail.
#[track_caller]
pub fn measure(plan: &Plan) -> (Introduction, Vec<Checkpoint>) {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    let run = driver::run(plan, &interrupt, |_, _| {});
    if let Some(failure) = run.failure {
        panic!("{} of {}: {failure}", plan.scenario, plan.subject.display());
    }
    (
        run.introduction.expect("a run that ended well began well"),
        run.checkpoints,
    )
}

/// No thread cache and no fastbins: every freed chunk is merged with its neighbours at once.
const GLIBC_CACHES_NOTHING: &str = "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0";

/// A cell as it usually is, and the same with a knob turned or a fault planted under which no claim
/// about it may hold.
pub struct Control {
    pub executable: &'static str,
    pub usual: Knob,
    pub turned: Knob,
}

/// What gives memory back late has a knob that makes it early. What gives it back at once has none
/// that would make it late: there the same allocator leaks, against itself without the leak.
pub fn negative_control(allocator: &str, scenario: &str) -> Control {
    let turned = match (allocator, scenario) {
        ("system", "int-list" | "string-map" | "tree") => {
            Knob::variable("GLIBC_TUNABLES", GLIBC_CACHES_NOTHING)
        }
        ("jemalloc", "int-list" | "string-map" | "tree") => {
            Knob::variable("_RJEM_MALLOC_CONF", "dirty_decay_ms:0")
        }
        ("mimalloc", "int-list" | "byte-buffer" | "string-map" | "tree") => {
            Knob::variable("MIMALLOC_PURGE_DELAY", "0")
        }
        _ => return leak(allocator),
    };
    Control {
        executable: executable(allocator),
        usual: Knob::default_settings(),
        turned,
    }
}

/// The contestant inside the subject with planted faults, honest and leaking.
fn leak(allocator: &str) -> Control {
    let usual = Knob::variable("AFTERDROP_BASE", allocator);
    let mut turned = usual.clone();
    turned.name = format!("{allocator} that leaks");
    turned
        .variables
        .push(("AFTERDROP_FAULT".to_owned(), "keeps".to_owned()));
    Control {
        executable: env!("CARGO_BIN_EXE_planted-fault"),
        usual,
        turned,
    }
}

/// Past the test harness, which would swallow what a passing test prints.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
