//! The command line: `cargo xtask compare` and its relatives.
//!
//! What a command prints as its result goes to standard output, progress and prose go to standard
//! error. Exit statuses: 0 all measured, 1 something failed, changed against a
//! baseline, or a control survived, 2 bad input, 128 + n stopped by
//! signal n (130 for Ctrl-C).

mod args;
mod bench;
mod compare;
mod contestants;
mod controls;
mod curve;
mod diff;
mod documents;
mod explain;
mod interpreters;
mod knobs;
mod list;
mod matrix;
mod merge;
mod names;
mod output;
mod plot;
mod predictions;
mod progress;
mod python;
mod race;
mod readme;
mod result;
mod say;
mod stop;
mod subjects;
mod values;
mod verdicts;

use std::process::ExitCode;

use args::{Command, SchemaFormat};

fn main() -> ExitCode {
    let outcome = args::parse().and_then(|command| match command {
        Command::Compare(options) => compare::compare(&options),
        Command::Bench(options) => bench::bench(&options),
        Command::Controls(options) => controls::controls(&options),
        Command::Explain(options) => explain::explain(&options),
        Command::Curve(options) => curve::curve(&options),
        Command::Python(options) => predictions::predict(&options),
        Command::Diff(options) => diff::diff(&options),
        Command::Merge(options) => merge::merge(&options),
        Command::Plot(options) => plot::plot(&options),
        Command::List(options) => list::list(&options),
        Command::Verdicts(options) => verdicts::verdicts(&options),
        Command::Readme(options) => readme::readme(&options),
        Command::Schema(options) => {
            let document = model::Document::from(options.of);
            match options.format {
                SchemaFormat::Json => say::result(&format!("{:#}\n", document.schema())),
            }
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

/// What the user typed, to be typed again.
fn command_line() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| {
        let argument = argument.to_string_lossy().into_owned();
        let plain = |c: char| c.is_alphanumeric() || "-_=./:,".contains(c);
        match argument.chars().all(plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    });
    let words = ["cargo".to_owned(), "xtask".to_owned()];
    words
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
