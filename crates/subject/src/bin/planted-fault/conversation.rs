//! Faults in the conversation: the subject dies, falls silent or talks nonsense.
//!
//! A go-between stands before the honest loop. It passes every command on, until the one at which
//! something else happens instead.

use std::hint::black_box;
use std::io::{self, BufRead, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::{process, thread};

use afterdrop_subject::serve_on;

use crate::planted::Planted;

/// Every fault of the conversation by its name.
pub const FAULTS: &[(&str, Instead)] = &[
    // Deaths.
    ("exit", Instead("build", || process::exit(3))),
    ("abort", Instead("build", || process::abort())),
    ("kill", Instead("build", || signal_myself(libc::SIGKILL))),
    ("out-of-memory", Instead("build", ask_for_everything)),
    ("quit-between", Instead("drop", answer_and_quit)),
    ("exit-badly", Instead("exit", || process::exit(4))),
    ("leave-child", Instead("build", leave_child)),
    // Silences.
    ("hang", Instead("build", || {})),
    ("hang-late", Instead("drop", || {})),
    ("stop", Instead("build", || signal_myself(libc::SIGSTOP))),
    ("hang-up", Instead("build", hang_up)),
    ("chatty", Instead("build", fill_standard_error)),
    ("stay", Instead("exit", || {})),
    // Nonsense.
    ("other-protocol", Instead("hello", || say(A_GREETING))),
    ("garbage", Instead("build", || say(b"what?\n"))),
    ("binary", Instead("build", || say(b"\xff\xfe\x00\xc3\n"))),
    ("endless", Instead("build", never_end_the_line)),
    ("wrong-reply", Instead("drop", || say(AN_ACCOUNT))),
    ("refuse", Instead("drop", || say(A_REFUSAL))),
];

/// The first command that mentions this word is not carried out; this happens instead.
#[derive(Clone, Copy)]
pub struct Instead(&'static str, fn());

impl Instead {
    /// Serves honestly, but for that command.
    ///
    /// # Errors
    /// Those of the honest loop.
    pub fn serve(self) -> io::Result<()> {
        let Instead(word, happens) = self;
        let (commands, onwards) = io::pipe()?;
        thread::spawn(move || go_between(onwards, word, happens));
        serve_on(commands.as_raw_fd(), libc::STDOUT_FILENO, &Planted)
    }
}

/// Passes commands on. The end of them ends the loop too, whose pipe closes with `onwards`.
fn go_between(mut onwards: PipeWriter, word: &str, happens: fn()) -> io::Result<()> {
    let mut struck = false;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if !struck && line.contains(word) {
            struck = true;
            happens();
        } else {
            onwards.write_all((line + "\n").as_bytes())?;
        }
    }
    Ok(())
}

/// From the future: the version is all that today's driver can be sure to find in it.
const A_GREETING: &[u8] = b"{\"hello\":{\"protocol\":999}}\n";
const AN_ACCOUNT: &[u8] = b"{\"account\":{}}\n";
const A_REFUSAL: &[u8] = b"{\"refused\":\"not today\"}\n";

/// Says something that the honest loop would not. A driver that has gone hears nothing.
fn say(line: &[u8]) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(line).and_then(|()| stdout.flush());
}

fn never_end_the_line() {
    for _ in 0..4096 {
        say(&[b'x'; 1024]);
    }
}

/// Dies when its answer has been heard and it is being measured.
fn answer_and_quit() {
    say(b"{\"done\":{\"live_bytes\":0,\"clock_ms\":0}}\n");
    process::exit(5);
}

fn ask_for_everything() {
    black_box(vec![1u8; black_box(isize::MAX as usize)]);
}

/// More than any pipe holds.
fn fill_standard_error() {
    for line in 0.. {
        eprintln!("noise {line}");
    }
}

fn hang_up() {
    // SAFETY: nothing but `say` uses the descriptor by this number, and it reports errors.
    unsafe { libc::close(libc::STDOUT_FILENO) };
}

fn signal_myself(signal: i32) {
    // SAFETY: the call has no precondition.
    unsafe { libc::raise(signal) };
}

/// Dies, and leaves a child behind that holds its output open.
fn leave_child() {
    // SAFETY: the child makes system calls only, which is what it may do beside other threads.
    if unsafe { libc::fork() } == 0 {
        loop {
            // SAFETY: the call has no precondition.
            unsafe { libc::pause() };
        }
    }
    process::exit(6);
}
