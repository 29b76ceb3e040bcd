//! Why a command ends with another status than 0: one clear line, and which status.

use std::process::ExitCode;

use crate::say;

/// Why a command ends with another status than 0.
pub(crate) enum Stop {
    /// The input cannot be worked with; nothing was measured. Status 2.
    BadInput(String),
    /// Something that should have worked did not. Status 1.
    Failed(String),
    /// Something is not as it was; it has been shown. Status 1.
    Changed(String),
    /// A signal came; what was measured until then has been written. Status 128 + its number.
    Interrupted(i32),
    /// Clap has printed what was asked for, such as the help. Status 0.
    Answered,
}

impl Stop {
    /// Says why on standard error and gives the status.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Stop::BadInput(line) => {
                say::error(&line);
                ExitCode::from(2)
            }
            Stop::Failed(line) => {
                say::error(&line);
                ExitCode::FAILURE
            }
            Stop::Changed(line) => {
                say::aside(&line);
                ExitCode::FAILURE
            }
            Stop::Interrupted(signal) => {
                say::fault(&format_args!("interrupted by signal {signal}"));
                ExitCode::from(128 + signal as u8)
            }
            Stop::Answered => ExitCode::SUCCESS,
        }
    }
}

/// The fault of a file: what was to be done with it, and what the system said.
pub(crate) fn cannot(what: &str, path: &std::path::Path, why: &dyn std::fmt::Display) -> String {
    format!("cannot {what} {}: {why}", path.display())
}
