//! The command that a page shows below a cell measures that cell again, and no other.

use serde_json::{Value, json};

use crate::run::{Bench, finish, xtask};

/// The cells that these arguments lead to, and the page beside them.
fn compare(arguments: &[&str], bench: &Bench) -> (Vec<Value>, String) {
    let result = bench.path("result.json");
    // Some subjects are none: the status says so, and their cells are there all the same.
    let outcome = finish(xtask(arguments).arg("--out").arg(&result));
    assert!(outcome.status < 2, "{}", outcome.stderr);
    let page = std::fs::read_to_string(result.with_extension("html")).expect("a page");
    let cells = bench.written()["cells"].as_array().expect("cells").clone();
    (cells, page)
}

/// What makes it this cell, and what was turned and chosen for it.
fn identity(cell: &Value) -> Value {
    let names = [
        "allocator",
        "scenario",
        "python",
        "size",
        "seed",
        "knob",
        "turned",
        "chosen",
        "status",
    ];
    names.iter().map(|name| cell[name].clone()).collect()
}

/// The commands of the stories, in their order.
fn commands(page: &str) -> Vec<Vec<String>> {
    let shown = page.split("<pre tabindex=\"0\"><code>").skip(1);
    let shown = shown.filter_map(|rest| rest.split("</code>").next());
    let typed = shown.map(|text| text.replace("&#39;", "'").replace("&#34;", "\""));
    typed
        .map(|line| shlex::split(&line).expect("a command"))
        .collect()
}

#[test]
fn the_command_of_a_story_measures_that_cell_and_no_other() {
    let bench = Bench::new();
    let first = bench.script("a subject", "exit 3");
    let second = bench.script("b", "exit 4");
    let none = bench.script("no-python", "true");
    let (cells, page) = compare(
        &[
            "compare",
            "--scenario",
            "python-int-stream",
            "--size",
            "1000",
            "--python",
            "2.4-32",
            "--python",
            "3.13",
            "--allocator",
            "system",
            "--allocator",
            "pool",
            "--subject",
            &first,
            "--subject",
            &second,
            "--interpreter",
            &none,
            "--knob",
            "default",
            "--knob",
            "A=b c",
            "--knob",
            "gc-after-drop",
            "--rounds",
            "1",
        ],
        &bench,
    );
    let turned = |cell: &&Value| cell["knob"] == "A=b c";
    let turned = cells.iter().find(turned).expect("a cell");
    assert_eq!(turned["turned"], json!({"how": "A=b c", "does": null}));
    for (choice, value) in [
        ("allocator", "pool"),
        ("subject", &first),
        ("subject", &second),
        ("interpreter", &none),
    ] {
        let chosen = |cell: &&Value| cell["chosen"] == json!({choice: value});
        assert!(cells.iter().any(|cell| chosen(&cell)), "{choice} {value}");
    }

    let commands = commands(&page);
    assert_eq!(commands.len(), cells.len());
    // Stories stand by experiment, all knobs of an allocator together.
    let mut measured: Vec<String> = Vec::new();
    for words in &commands {
        assert_eq!(words[..2], ["cargo", "xtask"]);
        let words: Vec<&str> = words[2..].iter().map(String::as_str).collect();
        let (again, _) = compare(&words, &bench);
        assert_eq!(again.len(), 1, "{words:?}");
        measured.push(identity(&again[0]).to_string());
    }
    let mut expected: Vec<String> = cells.iter().map(|c| identity(c).to_string()).collect();
    measured.sort();
    expected.sort();
    assert_eq!(measured, expected);
}
