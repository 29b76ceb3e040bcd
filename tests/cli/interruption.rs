//! Ctrl-C and its relatives: within seconds the command has ended, no process is left, and what
//! was measured is written.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::run::{Bench, Outcome, outcome};

/// How soon everything has to be over. The subjects here would take ten minutes.
const SOON: Duration = Duration::from_secs(10);

/// A subject that tells its own process and its child's, and then hangs, both of them.
const HANGS: &str = r#"sleep 600 & echo $$ $! > "$(dirname "$0")/new" && mv "$(dirname "$0")/new" "$(dirname "$0")/processes"; wait"#;

/// Starts a comparison whose second subject is this script, and sends the signal while it runs.
/// What came of it, and the processes that the script told.
#[track_caller]
fn signalled(bench: &Bench, script: &str, signal: Signal) -> (Outcome, Vec<String>) {
    let subject = bench.script("hanging.sh", script);
    let mut command = bench.compare(&["--allocator", "system", "--subject", &subject]);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the executable starts");

    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("[2/2] int-list under hanging.sh") {
        let read = stderr.read_line(&mut said).expect("text");
        assert_ne!(read, 0, "ended too early: {said}");
    }
    eventually("the subject runs", || bench.path("processes").exists());
    let processes = fs::read_to_string(bench.path("processes")).expect("a file");
    let processes: Vec<String> = processes.split_whitespace().map(str::to_owned).collect();
    assert!(processes.iter().all(|process| lives(process)));

    let id = Pid::from_raw(child.id() as i32);
    kill(id, signal).expect("a living process");
    eventually("the command has ended", || has_ended(&mut child));
    stderr.read_to_string(&mut said).expect("text");
    let mut outcome = outcome(child.wait_with_output().expect("an end"));
    outcome.stderr = said;
    eventually("no process is left", || !processes.iter().any(|p| lives(p)));
    (outcome, processes)
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("a child of ours").is_some()
}

/// Whether there is such a process and it is not just waiting to be reaped by whoever inherits it.
fn lives(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    !state.is_empty() && !state.starts_with('Z')
}

/// The signal ends the command with this status, and the cell measured before is written.
#[track_caller]
fn check(signal: Signal, status: i32) {
    let bench = Bench::new();
    let (outcome, processes) = signalled(&bench, HANGS, signal);
    assert_eq!(processes.len(), 2);
    assert_eq!(outcome.status, status, "{}", outcome.stderr);
    let number = signal as i32;
    let last = format!("interrupted by signal {number}");
    assert_eq!(outcome.stderr.lines().last(), Some(last.as_str()));

    let result = bench.written();
    assert_eq!(result["interrupted"], true);
    assert_eq!(result["cells"][0]["allocator"], "system");
    assert_eq!(result["cells"][0]["status"], "measured");
    assert_eq!(result["cells"][1]["status"], "failed");
    assert_eq!(result["cells"][1]["failure"], last);
    assert_eq!(
        bench.files(),
        ["hanging.sh", "processes", "result.html", "result.json"]
    );
}

#[test]
fn ctrl_c_leaves_no_process_and_writes_what_was_measured() {
    check(Signal::SIGINT, 130);
}

#[test]
fn an_interrupted_result_takes_no_others_place() {
    let bench = Bench::new();
    for whole in ["result.json", "result.html"] {
        fs::write(bench.path(whole), "of yesterday").expect("a file");
    }
    let (outcome, _) = signalled(&bench, HANGS, Signal::SIGINT);
    for whole in ["result.json", "result.html"] {
        let stands = fs::read_to_string(bench.path(whole)).expect("a file");
        assert_eq!(stands, "of yesterday");
    }
    let beside = bench.path("result.interrupted.json");
    let said = format!("what was measured until then: {}", beside.display());
    assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    let result = fs::read_to_string(beside).expect("a result");
    assert!(result.contains(r#""interrupted": true"#), "{result}");
    assert!(bench.path("result.interrupted.html").exists());
}

#[test]
fn a_polite_request_to_end_does_the_same() {
    check(Signal::SIGTERM, 143);
}

#[test]
fn a_terminal_that_closes_does_the_same() {
    check(Signal::SIGHUP, 129);
}

#[test]
fn a_kill_takes_the_subject_along_and_leaves_nothing_half_written() {
    let bench = Bench::new();
    let alone = HANGS.replace("sleep 600 & echo $$ $!", "echo $$");
    let alone = alone.replace("wait", "exec sleep 600");
    let (outcome, processes) = signalled(&bench, &alone, Signal::SIGKILL);
    assert_eq!(processes.len(), 1);
    assert_eq!(outcome.status, 137);
    assert_eq!(bench.files(), ["hanging.sh", "processes"]);
}
