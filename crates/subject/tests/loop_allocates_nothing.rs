//! The protocol loop allocates nothing: whatever an allocator is asked for, a scenario asked.
//!
//! This test's own global allocator counts what passes through it on the thread that serves.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Write, pipe};
use std::os::fd::AsRawFd;

use afterdrop_subject::{Account, Control, Process, serve_on};

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

struct Silent;

impl Control for Silent {
    fn name(&self) -> &str {
        "silent"
    }
    fn version(&self) -> &str {
        "1"
    }
    fn release_call(&self) -> Option<&str> {
        Some("nothing()")
    }
    fn account(&self, _: &Process) -> Account {
        Account {
            allocated_bytes: Some(u64::MAX),
            ..Account::default()
        }
    }
}

/// Serves these lines on a thread of its own; the calls of the allocator and the answers.
fn serve_counting(lines: &[&str]) -> (usize, Vec<String>) {
    let (input, mut to_subject) = pipe().unwrap();
    let (from_subject, output) = pipe().unwrap();
    let subject = std::thread::spawn(move || {
        let before = CALLS.get();
        serve_on(input.as_raw_fd(), output.as_raw_fd(), &Silent).unwrap();
        CALLS.get() - before
    });
    let mut from_subject = BufReader::new(from_subject);
    let answers = lines.iter().map(|line| {
        writeln!(to_subject, "{line}").unwrap();
        let mut answer = String::new();
        from_subject.read_line(&mut answer).unwrap();
        answer
    });
    let answers = answers.collect();
    drop(to_subject);
    (subject.join().unwrap(), answers)
}

const CONVERSATION: [&str; 8] = [
    r#"{"hello":{"protocol":3}}"#,
    r#"{"prepare":{"scenario":"int-list","size":1000,"seed":1}}"#,
    r#"{"wait":{"ms":7}}"#,
    r#""account""#,
    r#""release""#,
    r#""drop""#,
    r#"{"wait":{"ms":1}}"#,
    r#""account""#,
];

#[test]
fn the_loop_allocates_nothing() {
    let (calls, answers) = serve_counting(&CONVERSATION);
    assert_eq!(calls, 0);
    assert!(
        answers[0].contains(r#""allocator":"silent""#),
        "{}",
        answers[0]
    );
    assert!(answers[2].contains(r#""clock_ms":7"#), "{}", answers[2]);
}

/// Once the interpreter runs: starting it takes memory as CPython does.
#[test]
fn nor_does_it_in_a_scenario_of_pythons() {
    const PREPARE: &str =
        r#"{"prepare":{"scenario":"python-int-list","size":1000,"seed":1,"python":"2.7 64-bit"}}"#;
    let (to_prepare, _) = serve_counting(&[PREPARE]);
    let asked = [
        PREPARE,
        r#""account""#,
        r#""collect""#,
        r#"{"wait":{"ms":7}}"#,
        r#""account""#,
    ];
    let (calls, answers) = serve_counting(&asked);
    assert_eq!(calls, to_prepare);
    assert!(
        answers[1].contains("Python's live objects"),
        "{}",
        answers[1]
    );
    assert!(answers[2].contains("done"), "{}", answers[2]);
}

#[test]
fn the_count_above_would_notice_an_allocation() {
    let (calls, _) = serve_counting(&[
        r#"{"prepare":{"scenario":"int-list","size":1000,"seed":1}}"#,
        r#""build""#,
    ]);
    // A thousand integers, the list and the object, all freed again when the loop ends.
    assert_eq!(calls, 2 * 1_002);
}
