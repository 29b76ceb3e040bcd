//! A subject as the driver sees it: a child process that answers one line to each line.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{self, Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use model::protocol::{Command, Hello, LONGEST_LINE, Reply, VERSION};
use model::{Account, Conditions, Knob};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::{Failure, Interrupt, Introduction, conditions};

/// How long a subject may take to end once it has closed its output or was told to exit.
pub(crate) const LAST_BREATH: Duration = Duration::from_secs(5);

/// How much of a standard error is looked through for the last line: what a pipe usually holds.
const LAST_WORDS_BYTES: u64 = 1 << 16;

/// A running subject. Dropping it kills it and its own children, and waits until it has gone.
pub(crate) struct Subject<'a> {
    child: Child,
    /// The process group that the child leads; `None` once the child has been reaped, when the
    /// number may become somebody else's.
    group: Option<Pid>,
    input: ChildStdin,
    output: ChildStdout,
    interrupt: &'a Interrupt,
    line: Vec<u8>,
}

impl<'a> Subject<'a> {
    /// Starts this process under these conditions, with this knob turned.
    pub(crate) fn spawn(
        mut process: process::Command,
        conditions: Conditions,
        knob: &Knob,
        interrupt: &'a Interrupt,
    ) -> Result<Subject<'a>, Failure> {
        process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0); // Ctrl-C in the terminal is for the driver to hear
        conditions::impose(&mut process, conditions, knob);
        let mut child = process.spawn().map_err(Failure::NotStarted)?;
        // Where memory runs out, let it be the subject that goes. Not all machines allow it.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), "1000");
        let input = child.stdin.take().expect("piped above");
        let output = child.stdout.take().expect("piped above");
        let group = Some(Pid::from_raw(child.id() as i32));
        Ok(Subject {
            child,
            group,
            input,
            output,
            interrupt,
            line: Vec::with_capacity(LONGEST_LINE),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has the subject do something and returns its answer.
    pub(crate) fn ask(
        &mut self,
        command: &Command<'_>,
        limit: Duration,
    ) -> Result<Reply<'_>, Failure> {
        let asked = || spelled(command);
        let mut line = serde_json::to_vec(command).map_err(io::Error::from)?;
        line.push(b'\n');
        match self.input.write_all(&line) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(self.hung_up(asked()));
            }
            sent => sent?,
        }
        match self.receive(Instant::now() + limit)? {
            Received::Line => {}
            Received::End => return Err(self.hung_up(asked())),
            Received::Late => return Err(self.silent(asked(), limit)),
        }
        serde_json::from_slice(&self.line).map_err(|_| garbled(&self.line, asked()))
    }

    /// The subject's introduction of itself, which comes before anything else.
    pub(crate) fn shake_hands(&mut self, limit: Duration) -> Result<Introduction, Failure> {
        let hello = Command::Hello { protocol: VERSION };
        match self.ask(&hello, limit)? {
            Reply::Hello(Hello { protocol, .. }) if protocol != VERSION => {
                Err(Failure::OtherProtocol {
                    theirs: protocol.into(),
                    ours: VERSION,
                })
            }
            Reply::Hello(theirs) => Ok(Introduction {
                allocator: theirs.allocator.into_owned(),
                title: theirs.title.into_owned(),
                version: theirs.version.into_owned(),
                release_call: theirs.release_call.map(Cow::into_owned),
                parts: theirs.parts.to_vec(),
                upheld: theirs.upheld,
            }),
            reply => Err(out_of_turn(&hello, &reply)),
        }
    }

    /// What the allocator says of itself.
    pub(crate) fn account(&mut self, limit: Duration) -> Result<Account, Failure> {
        match self.ask(&Command::Account, limit)? {
            Reply::Account(account) => Ok(account),
            reply => Err(out_of_turn(&Command::Account, &reply)),
        }
    }

    /// Tells the subject to exit and waits until it has; returns the last line that it wrote to standard error.
    pub(crate) fn dismiss(mut self, limit: Duration) -> Result<Option<String>, Failure> {
        // Its answer is the end of its output.
        match self.ask(&Command::Exit, limit) {
            Err(Failure::Died {
                status, last_words, ..
            }) if status.success() => Ok(last_words),
            Err(failure) => Err(failure),
            Ok(_) => Err(Failure::Garbled {
                asked: spelled(&Command::Exit),
                answer: beginning(&self.line),
            }),
        }
    }

    /// Reads into `self.line` up to a newline, the end of the output, or the deadline.
    fn receive(&mut self, deadline: Instant) -> Result<Received, Failure> {
        self.line.clear();
        loop {
            if !self.readable(deadline)? {
                return Ok(Received::Late);
            }
            let mut bytes = [0; LONGEST_LINE];
            let count = self.output.read(&mut bytes)?;
            self.line.extend_from_slice(&bytes[..count]);
            if count == 0 {
                return Ok(Received::End);
            }
            // A line that is too long for the protocol is garbled, ended or not.
            if self.line.ends_with(b"\n") || self.line.len() >= LONGEST_LINE {
                return Ok(Received::Line);
            }
        }
    }

    /// Waits until the subject's output can be read; false when the deadline has passed.
    fn readable(&self, deadline: Instant) -> Result<bool, Failure> {
        loop {
            if let Some(signal) = self.interrupt.signal() {
                return Err(Failure::Interrupted(signal));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, so that a wait of less than a millisecond does not become a busy one.
            let timeout =
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            let mut waiting = [
                PollFd::new(self.output.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.interrupt.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut waiting, timeout) {
                Ok(0) => return Ok(false),
                Ok(_) if waiting[0].any() == Some(true) => return Ok(true),
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(error) => return Err(Failure::Broken(error.into())),
            }
        }
    }

    /// The subject has closed its output: how did it end?
    fn hung_up(&mut self, asked: String) -> Failure {
        let died = self.died(&asked, LAST_BREATH);
        died.unwrap_or(Failure::HungUp { asked })
    }

    /// The subject has not answered. It may have died all the same: a child of its own can hold
    /// its output open. Where it lives, that ends here, so that its last words are its last.
    fn silent(&mut self, asked: String, limit: Duration) -> Failure {
        let died = self.died(&asked, Duration::ZERO);
        died.unwrap_or_else(|| match self.end() {
            Ok(_) => Failure::Silent {
                asked,
                limit,
                last_words: self.last_words(),
            },
            Err(error) => Failure::Broken(error),
        })
    }

    /// How the subject ended, if it has or does so within `grace`.
    pub(crate) fn died(&mut self, asked: &str, grace: Duration) -> Option<Failure> {
        match self.wait_for_end(Instant::now() + grace) {
            Ok(Some(status)) => Some(Failure::Died {
                status,
                asked: asked.to_owned(),
                last_words: self.last_words(),
            }),
            Ok(None) => None,
            Err(error) => Some(Failure::Broken(error)),
        }
    }

    fn wait_for_end(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        let child = Pid::from_raw(self.child.id() as i32);
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(child), look)? == WaitStatus::StillAlive {
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.end().map(Some)
    }

    /// Kills what lives of the subject, its own children included, and reaps it.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(group) = self.group.take() {
            let _ = killpg(group, Signal::SIGKILL); // fails where all of them are dead already
        }
        self.child.wait()
    }

    /// The last line on the standard error of a subject that has ended. It is a pipe that nobody
    /// empties before: a subject that writes more than the pipe holds falls silent and fails for
    /// that.
    fn last_words(&mut self) -> Option<String> {
        let stderr = self.child.stderr.take()?;
        fcntl(&stderr, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).ok()?;
        let mut bytes = Vec::new();
        // What is there, whatever comes after: a stray child may still be writing.
        let _ = stderr.take(LAST_WORDS_BYTES).read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        // Rust's own runtime says where it was, on request, after it has said what went wrong, and ends with a hint to
        // programmers.
        let told = text
            .split_once("\nstack backtrace:\n")
            .map_or(&*text, |(told, _)| told);
        let mut lines = told.lines().map(str::trim).rev();
        let line = lines.find(|line| !line.is_empty() && !line.starts_with("note: "))?;
        Some(line.chars().take(200).collect())
    }
}

impl Drop for Subject<'_> {
    fn drop(&mut self) {
        let _ = self.end(); // fails where it has been reaped already
    }
}

enum Received {
    Line,
    End,
    Late,
}

/// A command in words, for a sentence: `build`, `prepare int-list`.
fn spelled(command: &Command<'_>) -> String {
    match command {
        Command::Hello { .. } => "say hello".to_owned(),
        Command::Prepare {
            scenario,
            python: Some(python),
            ..
        } => format!("prepare {scenario} in Python {python}"),
        Command::Prepare { scenario, .. } => format!("prepare {scenario}"),
        Command::Build => "build".to_owned(),
        Command::Drop => "drop".to_owned(),
        Command::Wait { ms } => format!("wait {ms} ms"),
        Command::Traffic => "do ordinary traffic".to_owned(),
        Command::Collect => "collect".to_owned(),
        Command::Release => "release".to_owned(),
        Command::Time { workload, .. } => format!("time {workload}"),
        Command::Account => "give its account".to_owned(),
        Command::Exit => "exit".to_owned(),
    }
}

/// The failure behind a reply of the protocol that does not answer what was asked.
pub(crate) fn out_of_turn(command: &Command<'_>, reply: &Reply<'_>) -> Failure {
    let asked = spelled(command);
    match reply {
        Reply::Refused(reason) => Failure::Refused {
            asked,
            reason: reason.clone().into_owned(),
        },
        other => Failure::OutOfTurn {
            asked,
            answer: beginning(&serde_json::to_vec(other).unwrap_or_default()),
        },
    }
}

/// The fault of a line that is no reply. A greeting in another version of the protocol may look
/// like anything, but for where it says so.
fn garbled(line: &[u8], asked: String) -> Failure {
    let greeting: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    match greeting["hello"]["protocol"].as_u64() {
        Some(theirs) if theirs != u64::from(VERSION) => Failure::OtherProtocol {
            theirs,
            ours: VERSION,
        },
        _ => Failure::Garbled {
            asked,
            answer: beginning(line),
        },
    }
}

/// Enough of the first line to recognise it by; whether a second came with it is chance.
fn beginning(text: &[u8]) -> String {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(text);
    String::from_utf8_lossy(line)
        .trim_end()
        .chars()
        .take(60)
        .collect()
}
