//! The probe's figures of a large subject equal the sum over its maps, read independently.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use probe::Probe;

use crate::lab::executable;

#[test]
fn figures_equal_the_sum_over_smaps_while_the_subject_stands_still() {
    let mut subject = Command::new(executable("system"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo has built it");
    let mut input = subject.stdin.take().expect("piped");
    let mut output = BufReader::new(subject.stdout.take().expect("piped"));
    let mut ask = |line: &str| {
        writeln!(input, "{line}").expect("the subject lives");
        output
            .read_line(&mut String::new())
            .expect("the subject answers");
    };
    ask(r#"{"prepare":{"scenario":"string-map","size":100000,"seed":1}}"#);
    ask(r#""build""#);

    let memory = Probe::open(subject.id()).and_then(|probe| probe.memory());
    let smaps = std::fs::read_to_string(format!("/proc/{}/smaps", subject.id()));
    drop(input);
    subject.wait().expect("it ends when the driver hangs up");

    let smaps = smaps.expect("the subject stood still");
    let sum = |field: &str| -> u64 {
        let lines = smaps
            .lines()
            .filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        lines
            .map(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap())
            .sum()
    };
    let memory = memory.expect("the subject stood still");
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
