//! The command that measures one cell again.
//!
//! What makes it this cell stands in the cell; how it was walked (rounds, limits) only in the command line
//! that made the result.

use model::{Cell, Choice, Comparison, Conditions, Knob};

/// Options of a result's command line that hold for each of its cells.
const KEPT: [&str; 2] = ["--rounds", "--step-limit"];

/// The command line that measures this cell again, to be typed in a shell.
pub(super) fn command(comparison: &Comparison, cell: &Cell) -> String {
    let line = line(comparison, cell.machine.as_deref());
    let mut words: Vec<String> = ["cargo", "xtask", "compare"].map(str::to_owned).into();
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    match &cell.chosen {
        Some(Choice::Allocator(name)) => option("--allocator", name),
        Some(Choice::Subject(path)) => {
            option("--allocator", "none");
            option("--subject", path);
        }
        Some(Choice::Interpreter(name)) => {
            option("--allocator", "none");
            option("--interpreter", name);
        }
        // Of a result of before that was told. What came by path is not known by its name: the whole run again.
        None if is_of_a_path(line) => return quoted(&shlex::split(line).unwrap_or_default()),
        None => option("--allocator", &cell.allocator),
    }
    option("--scenario", &cell.scenario);
    // An interpreter runs its own.
    if let (Some(python), false) = (&cell.python, is_interpreter(cell)) {
        option("--python", &python.replace(" 32-bit", "-32"));
    }
    option("--size", &cell.size.to_string());
    option("--seed", &cell.seed.to_string());
    if cell.knob != Knob::DEFAULT {
        option("--knob", &cell.knob);
    }
    if cell.conditions != Conditions::Lab {
        option("--conditions", cell.conditions.name());
    }
    for name in KEPT {
        for value in values(line, name) {
            option(name, &value);
        }
    }
    quoted(&words)
}

/// As one types them. A word with a NUL can be typed in no shell; it is shown as it is.
fn quoted(words: &[String]) -> String {
    let quoted = words.iter().map(|word| match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => word.clone(),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Whether the line is one of ours, and whom to measure came by path. Whatever else a document calls its command
/// is nothing to be pasted into a shell.
fn is_of_a_path(line: &str) -> bool {
    let words = shlex::split(line).unwrap_or_default();
    let is_ours = words.starts_with(&["cargo", "xtask", "compare"].map(str::to_owned));
    let by_path = ["--subject", "--interpreter"];
    is_ours
        && by_path
            .iter()
            .any(|option| !values(line, option).is_empty())
}

fn is_interpreter(cell: &Cell) -> bool {
    matches!(cell.chosen, Some(Choice::Interpreter(_)))
}

/// The command line that the machine's cells come from.
fn line<'a>(comparison: &'a Comparison, machine: Option<&str>) -> &'a str {
    let mut machines = comparison.machines.iter();
    match machines.find(|m| Some(m.name.as_str()) == machine) {
        Some(machine) => &machine.command,
        None => &comparison.command,
    }
}

/// What follows this option, each time: `--subject a`, `--subject=a`.
fn values(line: &str, option: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = shlex::split(line).unwrap_or_default().into_iter();
    while let Some(word) = words.next() {
        match word.strip_prefix(option) {
            Some("") => values.extend(words.next()),
            Some(rest) => values.extend(rest.strip_prefix('=').map(str::to_owned)),
            None => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second cell of a run of this command line is measured again by that one.
    #[track_caller]
    fn check(made_by: &str, change: impl Fn(&mut Cell), again: &str) {
        let json = include_str!("../../tests/documents/compare.json");
        let mut comparison: Comparison = serde_json::from_str(json).expect("a comparison");
        comparison.command = made_by.to_owned();
        change(&mut comparison.cells[1]);
        let command = command(&comparison, &comparison.cells[1]);
        let expected =
            "cargo xtask compare --allocator jemalloc --scenario int-list --size 5120000 --seed 1";
        assert_eq!(command.replace(expected, "..."), again);
    }

    #[test]
    fn a_cell_is_measured_again_as_it_was() {
        check("cargo xtask compare --scenario all", |_| {}, "...");
        check(
            "cargo xtask compare --rounds=5 --timings --step-limit 9 --out x.json",
            |cell| cell.knob = "A=b c".to_owned(),
            "... --knob 'A=b c' --rounds 5 --step-limit 9",
        );
        check(
            "cargo xtask compare",
            |cell| {
                cell.python = Some("2.4 32-bit".to_owned());
                cell.conditions = Conditions::Host;
            },
            "cargo xtask compare --allocator jemalloc --scenario int-list --python 2.4-32 \
             --size 5120000 --seed 1 --conditions host",
        );
    }

    #[test]
    fn what_came_by_path_is_measured_by_that_path_alone() {
        let of = "--scenario int-list --size 5120000 --seed 1";
        let chosen = |choice: Choice, option: &str| {
            check(
                "cargo xtask compare --subject '/home/a b' --subject ./c --interpreter all",
                |cell| cell.chosen = Some(choice.clone()),
                &format!("cargo xtask compare --allocator {option} {of}"),
            );
        };
        let word = || "/home/a b".to_owned();
        chosen(Choice::Subject(word()), "none --subject '/home/a b'");
        chosen(
            Choice::Interpreter(word()),
            "none --interpreter '/home/a b'",
        );
        chosen(Choice::Allocator("c".to_owned()), "c");
    }

    #[test]
    fn where_a_result_does_not_say_whose_a_cell_is_all_of_it_is_measured_again() {
        let unsaid = |cell: &mut Cell| cell.chosen = None;
        check("cargo xtask compare", unsaid, "...");
        let line = "cargo xtask compare --subject ./c --scenario tree";
        check(line, unsaid, line);
        check(
            "cargo xtask compare --subject=c; rm x",
            unsaid,
            "cargo xtask compare '--subject=c;' rm x",
        );
    }

    #[test]
    fn what_is_no_command_of_ours_is_not_offered_to_a_shell() {
        let unsaid = |cell: &mut Cell| cell.chosen = None;
        check("curl example.org|sh; : --subject x", unsaid, "...");
    }
}
