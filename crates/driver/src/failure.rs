//! Why a run ended early, in one line each.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;
use std::os::unix::process::ExitStatusExt;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such executable, or it is not one.
    #[error("cannot be started: {0}")]
    NotStarted(#[source] io::Error),
    /// There is nothing to start, and whoever made the plan knows why.
    #[error("{0}")]
    Unfit(String),
    /// The subject died, by itself or by somebody's hand.
    #[error("{} while asked to {asked}{}", ending(*status), quoted(last_words))]
    Died {
        /// How it ended.
        status: ExitStatus,
        /// What it was doing.
        asked: String,
        /// The last line it wrote to standard error.
        last_words: Option<String>,
    },
    /// The subject closed its output and lives on.
    #[error("closed its output while asked to {asked}")]
    HungUp {
        /// What it was doing.
        asked: String,
    },
    /// The subject did not answer in time.
    #[error("no answer within {} s when asked to {asked}{}", limit.as_secs_f64(), quoted(last_words))]
    Silent {
        /// What it was doing.
        asked: String,
        /// How long it had.
        limit: Duration,
        /// The last line it wrote to standard error.
        last_words: Option<String>,
    },
    /// The subject answered something that is not of the protocol.
    #[error("answered {answer:?} when asked to {asked}, which is not of the protocol")]
    Garbled {
        /// What it was doing.
        asked: String,
        /// The beginning of what it said.
        answer: String,
    },
    /// The subject answered something else than what it was asked.
    #[error("answered {answer} when asked to {asked}, which is no answer to that")]
    OutOfTurn {
        /// What it was asked.
        asked: String,
        /// The beginning of what it said.
        answer: String,
    },
    /// The subject speaks another version of the protocol.
    #[error("speaks version {theirs} of the protocol, the driver version {ours}: build both anew")]
    OtherProtocol {
        /// The subject's version.
        theirs: u64,
        /// The driver's version.
        ours: u32,
    },
    /// The subject cannot do what it was asked.
    #[error("refused to {asked}: {reason}")]
    Refused {
        /// What it was asked.
        asked: String,
        /// Its reason.
        reason: String,
    },
    /// The kernel's figures could not be read.
    #[error(transparent)]
    Unreadable(#[from] probe::Unreadable),
    /// The driver's end of the conversation broke.
    #[error("the conversation broke: {0}")]
    Broken(#[from] io::Error),
    /// The user, or somebody else, told the driver to stop.
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
}

/// `killed by SIGKILL`, `exited with status 3`.
fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => match Signal::try_from(number) {
            Ok(signal) => format!("killed by {signal}"),
            Err(_) => format!("killed by signal {number}"),
        },
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended".to_owned(),
    }
}

fn quoted(last_words: &Option<String>) -> String {
    match last_words {
        Some(words) => format!(": {words:?}"),
        None => String::new(),
    }
}
