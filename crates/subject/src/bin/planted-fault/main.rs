//! A subject for tests: one of the contestants with one fault planted in it
//!
//! `AFTERDROP_FAULT` names the fault; without it the subject is an honest one. `AFTERDROP_BASE` names
//! the contestant, the C library's malloc if it is not set. A fault lies either in the
//! [`conversation`] or in the [`memory`], a table of them in each.
//!
//! The name lacks the `with-` of the contestants, so that no command of the project lists it.

mod base;
mod conversation;
mod held;
mod memory;
mod pages;
mod planted;

use std::env;
use std::fmt::Display;
use std::process::ExitCode;

use afterdrop_subject::serve;
use planted::Planted;

fn main() -> ExitCode {
    let Ok(name) = env::var("AFTERDROP_FAULT") else {
        return serve(&Planted);
    };
    if let Some(fault) = named(conversation::FAULTS, &name) {
        return match fault.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error),
        };
    }
    match named(memory::FAULTS, &name) {
        Some(fault) => {
            memory::plant(fault);
            serve(&Planted)
        }
        None => complain(&format_args!("there is no fault {name:?}")),
    }
}

fn named<T>(faults: &'static [(&str, T)], name: &str) -> Option<&'static T> {
    let found = faults.iter().find(|(known, _)| *known == name);
    found.map(|(_, fault)| fault)
}

fn complain(fault: &dyn Display) -> ExitCode {
    eprintln!("planted-fault: {fault}");
    ExitCode::FAILURE
}
