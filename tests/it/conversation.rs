//! What a subject says and does without a driver: its conditions, its clock, its account.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use model::Upheld;
use model::protocol::{CONDITIONS_VARIABLE, Hello, Reply};
use probe::Probe;

use crate::lab::{ALLOCATORS, executable};

/// A subject that was started as any program is, with this much in its environment.
struct Subject {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Subject {
    fn start(executable: &str, environment: &[(&str, &str)]) -> Subject {
        let mut child = Command::new(executable)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Subject {
            child,
            input,
            output,
        }
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the subject lives");
        let mut answer = String::new();
        self.output
            .read_line(&mut answer)
            .expect("the subject answers");
        answer
    }

    fn upheld(&mut self) -> Upheld {
        let answer = self.ask(r#"{"hello":{"protocol":3}}"#);
        match serde_json::from_str(&answer) {
            Ok(Reply::Hello(Hello { upheld, .. })) => upheld,
            _ => panic!("{answer:?} is no greeting"),
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_condition_that_nobody_imposed_is_not_reported() {
    let upheld = Subject::start(executable("system"), &[]).upheld();
    assert!(!upheld.no_huge_pages && !upheld.fixed_addresses);
    assert!(
        upheld.lab_clock && upheld.seeded_randomness,
        "these two are the subject's own"
    );
}

#[test]
fn under_host_conditions_clock_and_randomness_are_the_machines() {
    for (_, executable) in ALLOCATORS {
        let mut subject = Subject::start(executable, &[(CONDITIONS_VARIABLE, "host")]);
        let upheld = subject.upheld();
        assert!(!upheld.lab_clock && !upheld.seeded_randomness);
        subject.ask(r#"{"prepare":{"scenario":"tree","size":1,"seed":1}}"#);
        let answer = subject.ask(r#"{"wait":{"ms":30}}"#);
        let Ok(Reply::Done { clock_ms, .. }) = serde_json::from_str(&answer) else {
            panic!("{answer:?}");
        };
        assert!(
            clock_ms >= 30,
            "the clock stood at {clock_ms} ms after 30 ms of sleep"
        );
    }
}

#[test]
fn asking_for_an_account_changes_nothing() {
    for (allocator, executable) in ALLOCATORS {
        let mut subject = Subject::start(executable, &[]);
        subject.ask(r#"{"prepare":{"scenario":"tree","size":10000,"seed":1}}"#);
        for line in [r#""build""#, r#""drop""#, r#""traffic""#, r#""account""#] {
            subject.ask(line);
        }
        let probe = Probe::open(subject.child.id()).expect("the subject lives");
        let mut look = || {
            let account = subject.ask(r#""account""#);
            let memory = probe.memory().expect("the subject stands still");
            let faults = probe
                .spent()
                .expect("the subject stands still")
                .minor_faults;
            (account, memory.held_kib(), memory.virtual_kib, faults)
        };
        assert_eq!(look(), look(), "{allocator}");
    }
}

#[test]
fn what_only_a_python_can_do_is_refused_by_other_scenarios() {
    let mut subject = Subject::start(executable("system"), &[]);
    let refusals = [
        (r#""collect""#, "no collector"),
        (
            r#"{"prepare":{"scenario":"tree","size":1,"seed":1,"python":"2.7"}}"#,
            "none of Python's",
        ),
        (
            r#"{"prepare":{"scenario":"python-objects","size":1,"seed":1,"python":"2.6"}}"#,
            "no such version",
        ),
        (r#"{"prepare":{"scenario":"tree","size":1,"seed":1}}"#, ""),
        (r#""collect""#, "no collector"),
        (
            r#"{"prepare":{"scenario":"python-objects","size":1,"seed":1,"python":"2.4 32-bit"}}"#,
            "",
        ),
        (r#""collect""#, ""),
    ];
    for (line, reason) in refusals {
        let answer = subject.ask(line);
        let expected = match reason {
            "" => "done",
            _ => "refused",
        };
        assert!(
            answer.contains(expected) && answer.contains(reason),
            "{line}: {answer}"
        );
    }
}

#[test]
fn an_interpreter_is_in_the_account_of_its_own_scenarios_and_of_no_other() {
    let mut subject = Subject::start(executable("system"), &[]);
    let prepare =
        |scenario| format!(r#"{{"prepare":{{"scenario":"{scenario}","size":1000,"seed":1}}}}"#);
    for (scenario, is_python) in [("python-objects", true), ("tree", false)] {
        // The survivors of the first are still there.
        for line in [&prepare(scenario), r#""build""#, r#""drop""#] {
            let answer = subject.ask(line);
            assert!(answer.contains("done"), "{line}: {answer}");
            let account = subject.ask(r#""account""#);
            assert_eq!(account.contains("Python's"), is_python, "{line}: {account}");
        }
    }
}

#[test]
fn the_probes_figures_equal_the_sum_over_smaps() {
    let mut subject = Subject::start(executable("system"), &[]);
    subject.ask(r#"{"prepare":{"scenario":"string-map","size":100000,"seed":1}}"#);
    subject.ask(r#""build""#);
    let memory = Probe::open(subject.child.id()).and_then(|probe| probe.memory());
    let memory = memory.expect("the subject stands still");
    let smaps = std::fs::read_to_string(format!("/proc/{}/smaps", subject.child.id()));
    let smaps = smaps.expect("the subject stands still");
    let sum = |field: &str| -> u64 {
        let lines = smaps.lines();
        let values = lines.filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kib = values.map(|rest| rest.trim().trim_end_matches(" kB"));
        kib.map(|kib| kib.parse::<u64>().expect("a number")).sum()
    };
    assert!(
        memory.anonymous_kib > 10_000,
        "the subject is too small to tell anything"
    );
    assert_eq!(memory.rss_kib, sum("Rss"));
    assert_eq!(memory.anonymous_kib, sum("Anonymous"));
    assert_eq!(memory.swap_kib, sum("Swap"));
    assert_eq!(memory.lazy_kib, sum("LazyFree"));
    // The last page of the list is the kernel's own and no part of the process's address space.
    let kernels_own = if smaps.contains("[vsyscall]") { 4 } else { 0 };
    assert_eq!(memory.virtual_kib, sum("Size") - kernels_own);
}
