//! The documented schema describes what is really written, measured and failed cells alike.

use serde_json::Value;

use crate::run::{Bench, finish, root, xtask};

fn schema() -> Value {
    let path = root().join("docs/compare.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON")
}

/// What `compare` wrote of every allocator and of a subject that dies.
fn real_output() -> Value {
    let bench = Bench::new();
    let dying = bench.script("dying", "exit 3");
    let all_scenarios: Vec<String> = crate::run::listed("scenarios");
    let mut arguments = vec!["--subject", dying.as_str()];
    for scenario in &all_scenarios {
        arguments.extend(["--scenario", scenario]);
    }
    assert_eq!(finish(&mut bench.compare(&arguments)).status, 1);
    bench.written()
}

#[test]
fn real_output_is_as_the_schema_says() {
    let output = real_output();
    let status = |status: &str| {
        let cells = output["cells"].as_array().expect("cells");
        cells.iter().filter(|cell| cell["status"] == status).count()
    };
    assert!(
        status("measured") > 0 && status("failed") > 0,
        "the output has both kinds of cell"
    );
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(&output)
        .map(|fault| fault.to_string())
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn differences_are_as_their_schema_says() {
    let (before, after) = (Bench::new(), Bench::new());
    for (bench, size) in [(&before, "1000"), (&after, "1001")] {
        let sized = ["--allocator", "system", "--size", size];
        let out = bench.path("result.json");
        let mut command = xtask(&["compare", "--scenario", "int-list"]);
        assert_eq!(finish(command.args(sized).arg("--out").arg(out)).status, 0);
    }
    let mut diff = xtask(&["diff", "--format", "json"]);
    diff.arg(before.path("result.json"))
        .arg(after.path("result.json"));
    let differences = finish(&mut diff);
    assert_eq!(differences.status, 1, "{}", differences.stderr);
    let schema = finish(&mut xtask(&["schema", "diff"])).stdout;
    let read = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let output = read(&differences.stdout);
    let schema = read(&schema);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&output));
    assert!(!validator.is_valid(&real_output()), "a comparison is none");
}

#[test]
fn the_schema_can_refuse() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let mut output = real_output();
    output["cells"][0]["verdict"]["returns"] = "whenever".into();
    assert!(!validator.is_valid(&output));
}

#[test]
fn the_command_prints_the_documented_schema() {
    let printed = finish(&mut xtask(&["schema"]));
    assert_eq!(
        serde_json::from_str::<Value>(&printed.stdout).expect("JSON"),
        schema()
    );
}
