//! The protocol loop: read a command, do it, answer. It allocates nothing of its own.

use std::borrow::Cow;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use model::protocol::{Command, Hello, LONGEST_LINE, Reply, VERSION};
use model::{Account, Parts};
use scenarios::python::{self, Build};
use scenarios::{Object, Scenario};

use crate::process::{self, Process};
use crate::python as layers;
use crate::wire::Wire;
use crate::{Control, clock, upheld};

/// Serves the driver on standard input and output until it says `exit` or hangs up.
pub fn serve(control: &dyn Control) -> ExitCode {
    match serve_on(libc::STDIN_FILENO, libc::STDOUT_FILENO, control) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("subject: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves a driver that writes to `input` and reads from `output`.
///
/// # Errors
/// What reading or writing reports. The end of the input is none: the driver has gone.
pub fn serve_on(input: RawFd, output: RawFd, control: &dyn Control) -> io::Result<()> {
    touch_stack();
    touch_statics();
    let mut wire = Wire::new(input, output);
    let mut bench = Bench::new(control);
    while let Some(line) = wire.receive()? {
        let reply = match serde_json::from_slice(line) {
            Ok(Command::Exit) => return Ok(()),
            Ok(command) => bench.obey(command),
            Err(_) => refused("not a command of this protocol"),
        };
        let mut answer = [0u8; LONGEST_LINE];
        let mut rest = &mut answer[..];
        serde_json::to_writer(&mut rest, &reply)?;
        rest.write_all(b"\n")?;
        let unused = rest.len();
        wire.send(&answer[..LONGEST_LINE - unused])?;
    }
    Ok(())
}

/// What the loop holds between two commands.
struct Bench<'a> {
    control: &'a dyn Control,
    prepared: Option<Prepared>,
    object: Option<Box<dyn Object>>,
}

#[derive(Clone, Copy)]
struct Prepared {
    scenario: &'static Scenario,
    size: u64,
    seed: u64,
    since_ms: u64,
}

impl<'a> Bench<'a> {
    fn new(control: &'a dyn Control) -> Bench<'a> {
        Bench {
            control,
            prepared: None,
            object: None,
        }
    }

    fn obey(&mut self, command: Command<'_>) -> Reply<'a> {
        self.control.hear(&command);
        match command {
            Command::Hello { .. } => return self.hello(),
            Command::Account => return Reply::Account(self.account()),
            Command::Time { workload, divisor } => return time(&workload, divisor),
            Command::Prepare {
                scenario,
                size,
                seed,
                python,
            } => match prepare(&scenario, size, python.as_deref()) {
                Ok(scenario) => {
                    self.prepared = Some(Prepared {
                        scenario,
                        size,
                        seed,
                        since_ms: clock::now_ms(),
                    })
                }
                Err(reason) => return refused(reason),
            },
            Command::Build => match self.prepared {
                Some(Prepared {
                    scenario,
                    size,
                    seed,
                    ..
                }) => {
                    self.object = None; // survivors of the last drop
                    self.object = Some((scenario.build)(size, seed));
                }
                None => return refused("nothing is prepared"),
            },
            Command::Drop => self.object = self.object.take().and_then(Object::drop_large),
            Command::Wait { ms } => clock::pass(ms),
            Command::Traffic if self.is_python() => python::traffic(),
            Command::Traffic => scenarios::traffic(),
            Command::Collect if self.is_python() => python::collect(),
            Command::Collect => return refused("the prepared scenario has no collector"),
            Command::Release => self.control.release(),
            Command::Exit => {}
        }
        self.done()
    }

    /// The allocator's account, and beside it what any process has.
    fn account(&self) -> Account {
        let arenas = python::look(layers::mapped).unwrap_or_default();
        let process = Process::look(&arenas);
        let mut account = self.control.account(&process);
        account.parts.extend(process.figures());
        python::look(|python| layers::divide(python, &self.parts(), &mut account));
        account
    }

    fn is_python(&self) -> bool {
        self.prepared.is_some_and(|p| p.scenario.is_python())
    }

    /// What the parts of the account are, the interpreter's apart.
    fn parts(&self) -> Parts {
        let own = self.control.parts().iter().cloned();
        own.chain(process::parts()).collect()
    }

    fn hello(&self) -> Reply<'a> {
        Reply::Hello(Hello {
            protocol: VERSION,
            allocator: Cow::Borrowed(self.control.name()),
            title: Cow::Borrowed(self.control.title()),
            version: Cow::Borrowed(self.control.version()),
            release_call: self.control.release_call().map(Cow::Borrowed),
            parts: self.parts().into_iter().chain(layers::PARTS).collect(),
            upheld: upheld::look(),
        })
    }

    fn done(&self) -> Reply<'a> {
        let since_ms = self.prepared.map_or_else(clock::now_ms, |p| p.since_ms);
        Reply::Done {
            live_bytes: self.object.as_ref().map_or(0, |object| object.live_bytes()),
            clock_ms: clock::now_ms() - since_ms,
        }
    }
}

/// Finds the scenario, and starts the interpreter that it runs in, if it is one of Python's. Else none
/// runs any more.
fn prepare(
    scenario: &str,
    size: u64,
    python: Option<&str>,
) -> Result<&'static Scenario, &'static str> {
    let scenario = scenarios::find(scenario).ok_or("no such scenario in this subject")?;
    let build = python.map(str::parse).transpose();
    let build = build.map_err(|_| "no such version of Python is modelled")?;
    match (scenario.is_python(), build) {
        (true, build) => python::start(build.unwrap_or(Build::newest()), scenario, size),
        (false, Some(_)) => return Err("the scenario is none of Python's"),
        (false, None) => python::stop(),
    }
    Ok(scenario)
}

/// Times a workload by the real clock: the lab's stands still.
fn time(workload: &str, divisor: u64) -> Reply<'static> {
    if clock::is_lab() {
        return refused("no time passes under lab conditions");
    }
    match workloads::find(workload) {
        Some(workload) => {
            let timed = workload.time(divisor, clock::now_ns);
            Reply::Timed {
                ns: timed.ns,
                operations: timed.operations,
            }
        }
        None => refused("no such workload in this subject"),
    }
}

/// Makes the stack resident as deep as any scenario reaches, so that a deep recursion does not show
/// as memory that an allocator keeps. One page is written for each page of the array.
#[inline(never)]
fn touch_stack() {
    let mut pages = [0u8; 256 * 1024];
    for page in pages.chunks_mut(4096) {
        page[0] = 1;
    }
    std::hint::black_box(&mut pages);
}

/// Makes the executable's own variables resident, the allocator's among them. Which of them share a
/// page is the linker's choice: a page of them that is first written after the baseline would show
/// as one that is kept, in one link of the same program and not in the next.
fn touch_statics() {
    unsafe extern "C" {
        static __data_start: u8;
        static _end: u8;
    }
    let (start, end) = (&raw const __data_start, &raw const _end);
    let mut at = start.cast_mut();
    while at.cast_const() < end {
        // SAFETY: a byte of the executable's writable variables, and nobody else's while it is
        // written: what stands there stays, by one atomic operation.
        unsafe { AtomicU8::from_ptr(at) }.fetch_or(0, Relaxed);
        at = at.map_addr(|address| (address | 4095) + 1);
    }
}

fn refused(reason: &'static str) -> Reply<'static> {
    Reply::Refused(Cow::Borrowed(reason))
}
