//! How a test runs a cell.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use driver::{Collector, Interrupt, Introduction, Plan, Schedule};
use model::{Catalogue, Checkpoint, Conditions, Knob};

/// The contestants, with the executables that cargo has built for this test.
pub const ALLOCATORS: [(&str, &str); 4] = [
    ("system", env!("CARGO_BIN_EXE_with-system")),
    ("jemalloc", env!("CARGO_BIN_EXE_with-jemalloc")),
    ("mimalloc", env!("CARGO_BIN_EXE_with-mimalloc")),
    ("pool", env!("CARGO_BIN_EXE_with-pool")),
];

/// The subject with planted faults.
pub const PLANTED: &str = env!("CARGO_BIN_EXE_planted-fault");

/// The executable of this allocator.
pub fn executable(allocator: &str) -> &'static str {
    let found = ALLOCATORS.iter().find(|(name, _)| *name == allocator);
    found.expect("one of the contestants").1
}

/// The plan that `cargo xtask compare` makes by default for this scenario.
pub fn plan(executable: &str, scenario: &str, knob: Knob) -> Plan {
    Plan {
        subject: PathBuf::from(executable),
        arguments: Vec::new(),
        scenario: scenario.to_owned(),
        size: scenarios::find(scenario).expect("a scenario").default_size,
        seed: 1,
        python: None,
        collector: match scenarios::find(scenario).is_some_and(|s| s.is_python()) {
            true => Collector::Full,
            false => Collector::None,
        },
        rounds: Schedule::Verdict.default_rounds(),
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
    let introduction = run.introduction.expect("a run that ended well began well");
    let mut checkpoints = run.checkpoints;
    oracle::write_ledgers(&introduction.parts, &mut checkpoints);
    (introduction, checkpoints)
}

/// The knob of this name in the allocator's catalogue, or of what a program in Python can do.
pub fn knob(allocator: &str, name: &str) -> Option<Knob> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/knobs");
    let catalogue = |name: &str| -> Catalogue {
        let text = std::fs::read_to_string(format!("{folder}/{name}.toml"));
        toml::from_str(&text.expect("a catalogue")).expect("a catalogue of knobs")
    };
    let own = catalogue(allocator).find(name);
    own.or_else(|| catalogue("python").find(name))
}

/// Past the test harness, which would swallow what a passing test prints.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
