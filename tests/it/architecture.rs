//! Who may import whom: the table in `docs/architecture.md` against what cargo knows; and whether
//! these tests know all subjects.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::lab::ALLOCATORS;

const PAGE: &str = include_str!("../../docs/architecture.md");

/// Folder to the workspace folders that it uses, by cargo.
fn as_built() -> BTreeMap<String, Vec<String>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let root = metadata.workspace_root.clone();
    let folder = |path: &cargo_metadata::camino::Utf8Path| {
        path.strip_prefix(&root).map(|path| path.to_string()).ok()
    };
    let packages = metadata.packages.iter().map(|package| {
        let normal = package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        let mut uses: Vec<String> = normal.filter_map(|d| folder(d.path.as_deref()?)).collect();
        uses.sort();
        let own = package.manifest_path.parent().and_then(folder);
        (own.expect("inside the workspace"), uses)
    });
    packages.collect()
}

/// The same from the table's first and last column.
fn as_documented() -> BTreeMap<String, Vec<String>> {
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let mut uses = quoted(cells[cells.len() - 1]);
        uses.sort();
        (quoted(cells[0]).remove(0), uses)
    });
    rows.collect()
}

#[test]
fn every_subject_that_is_built_by_default_is_tested() {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == env!("CARGO_PKG_NAME"))
        .expect("the package of this test");
    let by_default = &package.features["default"];
    let targets = package.targets.iter().filter(|target| {
        let needed = &target.required_features;
        target.is_bin() && needed.iter().all(|feature| by_default.contains(feature))
    });
    let mut names: Vec<&str> = targets
        .filter_map(|target| target.name.strip_prefix("with-"))
        .collect();
    names.sort_unstable();
    let mut tested: Vec<&str> = ALLOCATORS.iter().map(|(name, _)| *name).collect();
    tested.sort_unstable();
    assert_eq!(names, tested);
}

#[test]
fn the_crates_use_each_other_as_the_architecture_page_says() {
    assert_eq!(as_built(), as_documented());
}
