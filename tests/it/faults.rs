//! A subject that dies, hangs or talks nonsense ends its own run: with a reason that names what
//! happened, in bounded time, with what was measured before, and with no process left behind.
//!
//! Each fault is one of the table in `planted-fault/conversation.rs`. Every subject carries a mark in its
//! environment, which its children inherit, and by which what is left of it would be found.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use driver::{Failure, Interrupt, Plan, Run};
use model::{Knob, Moment};
use nix::sys::signal::{SigHandler, Signal, raise};

use crate::lab;

const STEP_LIMIT: Duration = Duration::from_secs(1);

/// Far above what any fault takes: its steps, the limit and the last breath.
const BOUND: Duration = Duration::from_secs(20);

/// The checkpoints of a run that fails before anything, in its first build, or in its first drop.
const NONE: &[Moment] = &[];
const BASELINE: &[Moment] = &[Moment::Baseline];
const BUILT: &[Moment] = &[Moment::Baseline, Moment::Built];

/// A run with this fault fails for a reason that contains `reason`, having measured `before`.
#[track_caller]
fn check(fault: &str, reason: &str, before: &[Moment]) {
    let (run, _) = run(fault);
    let failure = run.failure.expect("a fault").to_string();
    assert!(
        failure.contains(reason),
        "{failure:?} should say {reason:?}"
    );
    assert!(!failure.contains('\n'), "{failure:?} should be one line");
    let measured: Vec<Moment> = run.checkpoints.iter().map(|c| c.name).collect();
    assert_eq!(measured, before);
}

/// Runs the subject with this fault; the run, and the processes that there were.
#[track_caller]
fn run(fault: &str) -> (Run, BTreeSet<i32>) {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    let mut seen = BTreeSet::new();
    let started = Instant::now();
    let run = driver::run(&plan(fault), &interrupt, |_, _| seen.extend(marked(fault)));
    let took = started.elapsed();
    assert!(took < BOUND, "took {took:?}");
    assert_all_gone(fault, &seen);
    (run, seen)
}

fn plan(fault: &str) -> Plan {
    let knob = Knob {
        name: fault.to_owned(),
        variables: vec![
            ("AFTERDROP_FAULT".to_owned(), fault.to_owned()),
            ("AFTERDROP_MARK".to_owned(), mark(fault)),
        ],
        ..Knob::default()
    };
    Plan {
        size: 10_000,
        step_limit: STEP_LIMIT,
        ..lab::plan(lab::PLANTED, "int-list", knob)
    }
}

/// Tells the subjects of this test from those of all others, in other test processes too.
fn mark(fault: &str) -> String {
    let test = std::thread::current().name().map(str::to_owned);
    let process = std::process::id();
    format!("{fault} {process} {}", test.unwrap_or_default())
}

/// The living processes with the mark. The kernel no longer tells a dead one's environment.
fn marked(fault: &str) -> BTreeSet<i32> {
    let wanted = format!("AFTERDROP_MARK={}", mark(fault));
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        })
        .collect()
}

/// No process with the mark lives, and those seen have been reaped.
#[track_caller]
fn assert_all_gone(fault: &str, seen: &BTreeSet<i32>) {
    // What the driver has killed but is nobody's child of ours takes a moment to die.
    let patience = Instant::now() + Duration::from_secs(2);
    while !marked(fault).is_empty() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(marked(fault), BTreeSet::new(), "left behind");
    let there = |id: &&i32| fs::exists(format!("/proc/{id}")).unwrap_or(true);
    assert_eq!(seen.iter().find(there), None, "not reaped");
}

#[test]
fn the_subject_of_the_faults_is_honest_without_one() {
    let mut plan = plan("");
    plan.knob = Knob::default_settings();
    let (introduction, checkpoints) = lab::measure(&plan);
    assert_eq!(introduction.allocator, "planted-fault");
    assert_eq!(checkpoints.last().map(|c| c.name), Some(Moment::Settled));
    let last = checkpoints.last().expect("checkpoints");
    assert!(last.kept_kib < 64, "{} KiB kept", last.kept_kib);
}

#[test]
fn the_mark_finds_a_living_subject() {
    let (_, seen) = run("hang-late");
    assert_eq!(seen.len(), 1, "or no test here would notice what is left");
}

#[test]
fn a_fault_that_there_is_none_of_is_no_honest_subject() {
    check(
        "no-such-fault",
        "exited with status 1 while asked to say hello: \"planted-fault: there is no fault \\\"no-such-fault\\\"\"",
        NONE,
    );
}

#[test]
fn an_exit_is_told_with_its_status() {
    check(
        "exit",
        "exited with status 3 while asked to build",
        BASELINE,
    );
}

#[test]
fn an_abort_is_told_as_one() {
    check("abort", "killed by SIGABRT while asked to build", BASELINE);
}

#[test]
fn a_kill_is_told_with_its_signal() {
    check("kill", "killed by SIGKILL while asked to build", BASELINE);
}

#[test]
fn running_out_of_memory_is_told_in_the_subjects_last_words() {
    check(
        "out-of-memory",
        "killed by SIGABRT while asked to build: \"memory allocation of 9223372036854775807 bytes failed\"",
        BASELINE,
    );
}

#[test]
fn a_death_between_answer_and_measurement_is_told_as_a_death() {
    check("quit-between", "exited with status 5", BUILT);
}

#[test]
fn an_exit_that_was_asked_for_has_status_0() {
    let (run, _) = run("exit-badly");
    let failure = run.failure.expect("a fault").to_string();
    assert_eq!(failure, "exited with status 4 while asked to exit");
    assert_eq!(
        run.checkpoints.last().map(|c| c.name),
        Some(Moment::Settled)
    );
}

#[test]
fn a_child_that_outlives_the_subject_neither_hides_its_death_nor_survives() {
    check(
        "leave-child",
        "exited with status 6 while asked to build",
        BASELINE,
    );
}

#[test]
fn a_hang_is_told_with_the_limit() {
    check("hang", "no answer within 1 s when asked to build", BASELINE);
}

#[test]
fn a_hang_keeps_what_was_measured_before() {
    check(
        "hang-late",
        "no answer within 1 s when asked to drop",
        BUILT,
    );
}

#[test]
fn a_stopped_subject_is_killed_all_the_same() {
    check("stop", "no answer within 1 s when asked to build", BASELINE);
}

#[test]
fn a_subject_that_hangs_up_and_lives_on_is_told_as_that() {
    check(
        "hang-up",
        "closed its output while asked to build",
        BASELINE,
    );
}

#[test]
fn what_a_silent_subject_wrote_last_is_told() {
    check(
        "chatty",
        "no answer within 1 s when asked to build: \"noise ",
        BASELINE,
    );
}

#[test]
fn a_subject_that_will_not_exit_is_killed() {
    let (run, _) = run("stay");
    let failure = run.failure.expect("a fault").to_string();
    assert_eq!(failure, "no answer within 1 s when asked to exit");
    assert_eq!(
        run.checkpoints.last().map(|c| c.name),
        Some(Moment::Settled)
    );
}

#[test]
fn another_version_of_the_protocol_is_told_with_both() {
    check(
        "other-protocol",
        "speaks version 999 of the protocol, the driver version 3",
        NONE,
    );
}

#[test]
fn garbage_is_quoted() {
    check(
        "garbage",
        "answered \"what?\" when asked to build",
        BASELINE,
    );
}

#[test]
fn bytes_that_are_no_text_are_told_as_such() {
    check(
        "binary",
        "answered \"\u{fffd}\u{fffd}\\0\u{fffd}\" when asked to build",
        BASELINE,
    );
}

#[test]
fn an_endless_line_is_cut_short() {
    let beginning = "x".repeat(60);
    check("endless", &format!("answered {beginning:?} when"), BASELINE);
}

#[test]
fn an_answer_to_another_question_is_told_as_that() {
    check(
        "wrong-reply",
        "when asked to drop, which is no answer to that",
        BUILT,
    );
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    check("refuse", "refused to drop: not today", BUILT);
}

#[test]
fn an_executable_that_is_none_is_told() {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    let mut plan = plan("none");
    plan.subject = "/dev/null".into();
    let run = driver::run(&plan, &interrupt, |_, _| {});
    let failure = run.failure.expect("a fault").to_string();
    assert_eq!(
        failure,
        "cannot be started: Permission denied (os error 13)"
    );
}

#[test]
fn a_panic_of_the_driver_leaves_no_process() {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    let mut seen = BTreeSet::new();
    let panicking = AssertUnwindSafe(|| {
        driver::run(&plan("hang-late"), &interrupt, |_, _| {
            seen = marked("hang-late");
            panic!("as planned");
        })
    });
    assert!(catch_unwind(panicking).is_err());
    assert_eq!(seen.len(), 1);
    assert_all_gone("hang-late", &seen);
}

#[test]
fn a_signal_ends_the_run_at_once_and_leaves_no_process() {
    let interrupt = Interrupt::on_signals().expect("handlers");
    let mut seen = BTreeSet::new();
    let mut ringing = None;
    let mut plan = plan("hang-late");
    plan.step_limit = BOUND * 3;
    let started = Instant::now();
    let run = driver::run(&plan, &interrupt, |moment, _| {
        seen = marked("hang-late");
        if moment == Moment::Dropped {
            ringing = Some(std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(300)); // by when the driver is waiting
                raise(Signal::SIGHUP)
            }));
        }
    });
    let rung = ringing.map(|thread| thread.join().expect("no panic"));
    assert_eq!(rung, Some(Ok(())));
    // From here on a Ctrl-C is for the tests again.
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the default action calls nothing of this process.
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.expect("a signal");
    }
    assert!(started.elapsed() < BOUND);
    assert!(
        matches!(run.failure, Some(Failure::Interrupted(signal)) if signal == Signal::SIGHUP as i32)
    );
    assert_eq!(run.checkpoints.len(), BUILT.len());
    assert_eq!(seen.len(), 1);
    assert_all_gone("hang-late", &seen);
}
