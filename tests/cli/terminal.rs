//! What whoever sits at a terminal sees: colours, a table that has room there, and a bar, unless it is to be quiet.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};

use crate::run::{Bench, finish, xtask};

/// A comparison that was measured, and has verdicts.
const MEASURED: &str = "crates/report/tests/documents/compare.json";

/// The streams that are a terminal; the other one goes nowhere.
enum Shown {
    Result,
    Rest,
}

/// The status, and what a terminal of so many columns was sent.
#[track_caller]
fn on_a_terminal(mut command: Command, columns: u16, shown: Shown) -> (Option<i32>, String) {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).expect("a terminal");
    for end in [&terminal.master, &terminal.slave] {
        let not_for_children = FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC);
        fcntl(end, not_for_children).expect("a descriptor");
    }
    if !command.get_envs().any(|(name, _)| name == "TERM") {
        command.env("TERM", "xterm");
    }
    command.stdin(Stdio::null());
    match shown {
        Shown::Result => command.stdout(terminal.slave).stderr(Stdio::null()),
        Shown::Rest => command.stdout(Stdio::null()).stderr(terminal.slave),
    };
    let mut child = command.spawn().expect("the executable starts");
    drop(command); // and with it our hold on the terminal: reading ends when the child does

    let mut screen = File::from(terminal.master);
    let mut sent = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        sent.extend_from_slice(&bytes[..count]);
    }
    let status = child.wait().expect("a child of ours").code();
    let text = String::from_utf8(sent).expect("text");
    (status, text.replace("\r\n", "\n"))
}

fn merge(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = xtask(&["merge", MEASURED]);
    command.args(arguments).envs(variables.iter().copied());
    command
}

/// Whether there is a style in it.
fn is_coloured(text: &str) -> bool {
    text.contains('\u{1b}')
}

#[test]
fn colours_are_for_a_terminal_and_may_be_had_elsewhere_or_nowhere() {
    let plain = finish(&mut merge(&[], &[])).stdout;
    assert!(!is_coloured(&plain), "{plain}");
    for (arguments, variables, expected) in [
        (&[][..], &[][..], true),
        (&["--color", "auto"], &[], true),
        (&["--color=never"], &[], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&[], &[("TERM", "dumb")], false),
    ] {
        let command = merge(arguments, variables);
        let (status, sent) = on_a_terminal(command, 80, Shown::Result);
        assert_eq!(status, Some(0));
        assert_eq!(is_coloured(&sent), expected, "{arguments:?} {variables:?}");
        let without = anstream::adapter::strip_str(&sent).to_string();
        assert_eq!(without, plain, "colours are all that differs");
    }
    for (arguments, variables, expected) in [
        (&["--color", "always"][..], &[][..], true),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always", "--format", "markdown"], &[], false),
        (&["--color", "always", "--format", "json"], &[], false),
    ] {
        let piped = finish(&mut merge(arguments, variables));
        assert_eq!(piped.status, 0, "{}", piped.stderr);
        assert_eq!(
            is_coloured(&piped.stdout),
            expected,
            "{arguments:?} {variables:?}"
        );
    }
}

#[test]
fn the_help_and_faults_have_colours_like_everything_else() {
    for (arguments, expected) in [
        (&["--help"][..], true),
        (&["--color", "never", "--help"], false),
        (&["compare", "--help", "--color=never"], false),
        (&["list"], true),
    ] {
        let (_, sent) = on_a_terminal(xtask(arguments), 80, Shown::Result);
        assert_eq!(is_coloured(&sent), expected, "{arguments:?}");
        let piped = finish(&mut xtask(arguments)).stdout;
        assert!(!is_coloured(&piped), "{arguments:?}");
    }
    let (status, sent) = on_a_terminal(xtask(&["comapre"]), 80, Shown::Rest);
    assert_eq!(status, Some(2));
    assert!(
        sent.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unknown"),
        "{sent:?}"
    );
    let (_, sent) = on_a_terminal(xtask(&["comapre", "--color=never"]), 80, Shown::Rest);
    assert!(sent.starts_with("error: unknown"), "{sent:?}");
}

#[test]
fn a_narrow_terminal_gets_lines_that_it_has_room_for() {
    for columns in [80, 60, 40] {
        let command = merge(&["--color", "never"], &[]);
        let (_, sent) = on_a_terminal(command, columns, Shown::Result);
        let widths = sent.lines().map(|line| line.chars().count());
        let widest = widths.max().expect("lines");
        assert!(
            widest <= usize::from(columns),
            "{widest} in {columns}: {sent}"
        );
        assert_eq!(
            columns < 80,
            sent.contains("(no room here for reuse"),
            "{sent}"
        );
    }
}

#[test]
fn names_in_a_result_move_no_cursor_and_stay_names() {
    let bench = Bench::new();
    let path = bench.path("hostile.json");
    let text = fs::read_to_string(crate::run::root().join(MEASURED)).expect("a result");
    let hostile = text.replace("\"jemalloc\"", r#""je\u001b[2J\u202emalloc""#);
    fs::write(&path, hostile).expect("a file");
    let path = path.to_str().expect("text");
    for format in ["table", "markdown", "json", "html"] {
        let command = xtask(&["merge", path, "--color", "always", "--format", format]);
        let (status, sent) = on_a_terminal(command, 80, Shown::Result);
        assert_eq!(status, Some(0));
        assert!(
            !sent.contains("\u{1b}[2J") && !sent.contains('\u{202e}'),
            "{format}"
        );
        if format == "json" {
            let document: serde_json::Value = serde_json::from_str(&sent).expect("JSON");
            assert_eq!(
                document["cells"][1]["allocator"],
                "je\u{1b}[2J\u{202e}malloc"
            );
        }
    }
}

#[test]
fn the_bar_on_a_terminal_names_the_cell_that_hangs() {
    let bench = Bench::new();
    let subject = bench.script("hanging.sh", "sleep 600");
    let mut command = bench.compare(&["--allocator", "system", "--subject", &subject]);
    command.args(["--step-limit", "3"]);
    let (status, sent) = on_a_terminal(command, 100, Shown::Rest);
    assert_eq!(status, Some(1));
    let (running, _) = sent.split_once("failed: ").expect("a failure");
    assert!(running.contains("1/2 int-list under hanging.sh"), "{sent}");
}

#[test]
fn who_wants_it_quiet_gets_the_result_and_nothing_else() {
    let bench = Bench::new();
    let good = ["--allocator", "system", "--quiet"];
    let outcome = finish(&mut bench.compare(&good));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.contains("system"), "{}", outcome.stdout);
    assert_eq!(bench.files(), ["result.html", "result.json"]);
    let (status, sent) = on_a_terminal(bench.compare(&good), 80, Shown::Rest);
    assert_eq!((status, sent.as_str()), (Some(0), ""));
    let loud = finish(&mut bench.compare(&good[..2]));
    assert_eq!(loud.status, 0);
    assert!(loud.stderr.contains("full result: "), "{}", loud.stderr);
}

#[test]
fn quiet_is_no_silence_about_what_went_wrong() {
    let bench = Bench::new();
    let subject = bench.script("failing.sh", "exit 3");
    let quiet = ["-q", "--allocator", "system", "--subject", &subject];
    let outcome = finish(&mut bench.compare(&quiet));
    assert_eq!(outcome.status, 1);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stderr);
    assert!(lines[0].starts_with("int-list under failing.sh failed: "));
    assert_eq!(lines[1], "error: 1 of 2 cells failed");
    let refused = finish(&mut xtask(&["list", "-q", "--format", "jsn"]));
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.starts_with("error: unknown format"));
}
