//! The thresholds that the documentation quotes are those of the code.

use afterdrop_oracle::{
    COMPARABLE_FAULTS, EXPLAINABLE_KIB, NEGLIGIBLE_KIB, NOISE_CPU, NOISE_CPU_MS, NOISE_FAULTS,
    NOISE_KIB, NOISE_PART, NOTABLE, PARTLY, PREDICTED_KIB, PREDICTED_PART, RETURNED_PERCENT,
    TRIVIAL_KIB,
};

const PAGE: &str = include_str!("../../../docs/oracle.md");

#[test]
fn the_page_quotes_every_threshold() {
    let thresholds = [
        ("RETURNED_PERCENT", RETURNED_PERCENT.to_string()),
        ("PARTLY", PARTLY.to_string()),
        ("NOTABLE", NOTABLE.to_string()),
        ("EXPLAINABLE_KIB", EXPLAINABLE_KIB.to_string()),
        ("NEGLIGIBLE_KIB", NEGLIGIBLE_KIB.to_string()),
        ("PREDICTED_PART", PREDICTED_PART.to_string()),
        ("PREDICTED_KIB", PREDICTED_KIB.to_string()),
        ("TRIVIAL_KIB", TRIVIAL_KIB.to_string()),
        ("COMPARABLE_FAULTS", COMPARABLE_FAULTS.to_string()),
        ("NOISE_KIB", NOISE_KIB.to_string()),
        ("NOISE_PART", NOISE_PART.to_string()),
        ("NOISE_FAULTS", NOISE_FAULTS.to_string()),
        ("NOISE_CPU_MS", NOISE_CPU_MS.to_string()),
        ("NOISE_CPU", NOISE_CPU.to_string()),
    ];
    for (name, value) in thresholds {
        let row = format!("| `{name}` | {value} |");
        assert!(PAGE.contains(&row), "docs/oracle.md lacks {row:?}");
    }
}
