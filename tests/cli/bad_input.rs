//! Input that cannot be worked with: one line that says why and the way out, status 2, and
//! nothing built, spawned or written.

mod choices;
mod files;
mod names;
mod numbers;

use crate::run::{Outcome, finish, xtask};

/// These arguments are answered with this line and nothing else.
#[track_caller]
fn check(arguments: &[&str], line: &str) {
    assert_eq!(only_line(&finish(&mut xtask(arguments))), line);
}

/// The one line of a refusal. Were anything built or measured, there would be more of them.
#[track_caller]
fn only_line(refusal: &Outcome) -> &str {
    assert_eq!(refusal.status, 2, "{}", refusal.stderr);
    assert_eq!(refusal.stdout, "");
    let lines: Vec<&str> = refusal.stderr.lines().collect();
    match lines[..] {
        [line] => line.strip_prefix("error: ").expect("an error"),
        _ => panic!("not one line: {lines:?}"),
    }
}
