//! A subject for tests: one of the contestants with one fault planted in it
//!
//! `AFTERDROP_FAULT` names the fault, out of [`FAULTS`]; without it the subject is an honest one.
//! `AFTERDROP_BASE` names the contestant, the C library's malloc if it is not set. That all of them
//! are linked here is no matter: this is nobody's measurement.
//! A fault lies either in the conversation or in the memory. One in the conversation puts a go-between before
//! the honest loop: it passes every command on, until the one at which something else happens
//! instead. One in the memory decides which blocks are really freed.
//!
//! The name lacks the `with-` of the contestants, so that no command of the project lists it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::io::{self, BufRead, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::{env, thread};

use Fault::{Frees, Instead};
use afterdrop_subject::{Account, Control, Process, c_string, serve, serve_on};

/// Every fault by its name.
const FAULTS: &[(&str, Fault)] = &[
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
    // Memory.
    ("keeps", Frees(|_| false)),
];

/// What is wrong.
#[derive(Clone, Copy)]
enum Fault {
    /// The first command that mentions this word is not carried out; this happens instead.
    Instead(&'static str, fn()),
    /// A block is freed if this says so, and lost otherwise.
    Frees(fn(&Layout) -> bool),
}

/// Chosen before the first command arrives; until then every block is freed.
static FREES: OnceLock<fn(&Layout) -> bool> = OnceLock::new();

fn main() -> ExitCode {
    let Ok(name) = env::var("AFTERDROP_FAULT") else {
        return serve(&Planted);
    };
    match FAULTS.iter().find(|(known, _)| *known == name) {
        Some((_, Instead(word, happens))) => match serve_until(word, *happens) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        },
        Some((_, Frees(which))) => {
            FREES.get_or_init(|| *which);
            serve(&Planted)
        }
        None => complain(&format_args!("there is no fault {name:?}")),
    }
}

fn complain(fault: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("planted-fault: {fault}");
    ExitCode::FAILURE
}

/// Serves honestly, but for the first command that mentions `word`.
fn serve_until(word: &'static str, happens: fn()) -> io::Result<()> {
    let (commands, onwards) = io::pipe()?;
    thread::spawn(move || go_between(onwards, word, happens));
    serve_on(commands.as_raw_fd(), libc::STDOUT_FILENO, &Planted)
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

#[global_allocator]
static GLOBAL: Planted = Planted;

/// The contestant below, chosen by whoever allocates first, long before `main`.
fn base() -> &'static dyn GlobalAlloc {
    static CHOICE: AtomicU8 = AtomicU8::new(0);

    let choice = match CHOICE.load(Relaxed) {
        0 => {
            // SAFETY: the name is nul-terminated, and nobody changes the environment.
            let name = unsafe { libc::getenv(c"AFTERDROP_BASE".as_ptr()) };
            // SAFETY: `getenv` gives null or a nul-terminated string that stays in the environment.
            let choice = match unsafe { c_string(name) } {
                "jemalloc" => 1,
                "mimalloc" => 2,
                "pool" => 3,
                _ => 4,
            };
            CHOICE.store(choice, Relaxed);
            choice
        }
        choice => choice,
    };
    match choice {
        1 => &jemallocator::Jemalloc,
        2 => &mimalloc::MiMalloc,
        3 => &pool_alloc::PoolAlloc,
        _ => &System,
    }
}

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

struct Planted;

// SAFETY: every block comes from the base and goes back to it at most once, as its caller asks.
// `realloc` is the trait's own, by `alloc` and `dealloc`: what these keep, it keeps.
unsafe impl GlobalAlloc for Planted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller vouches for `layout`.
        unsafe { base().alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller vouches for `layout`.
        unsafe { base().alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Relaxed);
        if FREES.get().is_none_or(|frees| frees(&layout)) {
            // SAFETY: the caller vouches for both, and `block` came from the base.
            unsafe { base().dealloc(block, layout) };
        }
    }
}

impl Control for Planted {
    fn name(&self) -> &str {
        "planted-fault"
    }

    fn title(&self) -> &str {
        "the planted fault"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn release_call(&self) -> Option<&str> {
        Some("malloc_trim(0)")
    }

    fn release(&self) {
        // SAFETY: the call has no precondition.
        unsafe { libc::malloc_trim(0) };
    }

    /// What the program holds, as the wrapper sees it; what malloc holds beyond it stays unknown.
    fn account(&self, _: &Process) -> Account {
        Account {
            allocated_bytes: Some(ALLOCATED.load(Relaxed)),
            ..Account::default()
        }
    }
}
