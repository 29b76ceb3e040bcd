//! A subject that dies, hangs or talks nonsense: its cell is failed with the reason, the cell
//! beside it is measured, and the status is 1.

use std::fs;

use crate::run::{Bench, finish};

/// A subject with this script fails for this reason, and only it.
#[track_caller]
fn check(script: &str, reason: &str) {
    let bench = Bench::new();
    let subject = bench.script("broken.sh", script);
    check_subject(&bench, &subject, "broken.sh", reason);
}

#[track_caller]
fn check_subject(bench: &Bench, subject: &str, name: &str, reason: &str) {
    let limit = ["--allocator", "system", "--step-limit", "1", "--subject"];
    let outcome = finish(bench.compare(&limit).arg(subject));
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);

    let result = bench.written();
    let [good, broken] = &result["cells"].as_array().expect("cells")[..] else {
        panic!("not two cells: {result:#}");
    };
    assert_eq!(good["allocator"], "system");
    assert_eq!(good["status"], "measured");
    assert!(good["verdict"].is_object());
    assert_eq!(broken["allocator"], name);
    assert_eq!(broken["status"], "failed");
    assert_eq!(broken["failure"], reason);
    assert!(broken["verdict"].is_null());
    assert_eq!(result["interrupted"], false);

    let said: Vec<&str> = outcome.stderr.lines().collect();
    let failed = format!("int-list under {name} failed: {reason}");
    assert!(said.contains(&failed.as_str()), "{said:?}");
    assert_eq!(said.last(), Some(&"error: 1 of 2 cells failed"));
    let unwrapped = outcome.stdout.replace("\n  ", " ");
    assert!(unwrapped.contains(reason), "{}", outcome.stdout);
}

#[test]
fn a_killed_subject_fails_alone() {
    check(
        "kill -KILL $$",
        "killed by SIGKILL while asked to say hello",
    );
}

#[test]
fn a_subject_of_the_users_own_finds_its_libraries_as_it_always_does() {
    check(
        "echo \"looks in <$LD_LIBRARY_PATH>\" >&2; exit 7",
        r#"exited with status 7 while asked to say hello: "looks in <>""#,
    );
}

#[test]
fn an_aborting_subject_fails_alone() {
    check(
        "echo 'assertion failed: heap' >&2; kill -ABRT $$",
        r#"killed by SIGABRT while asked to say hello: "assertion failed: heap""#,
    );
}

/// What a Rust program says under RUST_BACKTRACE=1.
#[test]
fn a_panicking_subject_is_quoted_without_its_backtrace() {
    check(
        "printf 'thread main panicked at src/main.rs:7:5:\\nno heap\\nstack backtrace:\\n   0: main\\n             at ./src/main.rs:7:5\\nnote: Some details are omitted\\n' >&2; exit 101",
        r#"exited with status 101 while asked to say hello: "no heap""#,
    );
}

#[test]
fn an_exiting_subject_fails_alone() {
    check("exit 7", "exited with status 7 while asked to say hello");
}

#[test]
fn a_hanging_subject_fails_alone() {
    check("sleep 600", "no answer within 1 s when asked to say hello");
}

#[test]
fn a_subject_that_writes_garbage_fails_alone() {
    check(
        "echo 'Segmentation what?'; cat",
        r#"answered "Segmentation what?" when asked to say hello, which is not of the protocol"#,
    );
}

#[test]
fn a_script_without_its_interpreter_fails_alone() {
    let bench = Bench::new();
    let subject = bench.script("lonely.sh", "exit 0");
    fs::write(&subject, "#!/nowhere/sh\n").expect("a script");
    check_subject(
        &bench,
        &subject,
        "lonely.sh",
        "cannot be started: No such file or directory (os error 2)",
    );
}
