//! What is written to a file.

use afterdrop_model::{
    Cell, Choice, Comparison, Conditions, Curve, Document, Host, LabCondition, Mode, Point,
    Returned, Returns, SCHEMA_VERSION, Shard, Status, Timings, Turned, Upheld, Verdict,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::facts::{cause, checkpoint, moment, number, part, text};

prop_compose! {
    fn verdict()(
        returns in prop::sample::select(&Returns::ALL[..]),
        occasion in option::of(moment()),
        after_ms: Option<u64>,
        traffic_moments: Option<u32>,
        round: u32,
        unexplained in option::of(number()),
        occupied_kib: i64,
        survivors_kib: i64,
        pin_amplification in option::of(number()),
        lazily in number(),
        rebound_kib: Option<i64>,
        history in option::of(number()),
        reuse in option::of(number()),
        returned in vec((moment(), any::<u32>(), any::<u64>(), option::of(number())), 0..4),
    ) -> Verdict {
        let returned = returned.into_iter();
        Verdict {
            returns,
            occasion,
            after_ms,
            traffic_moments,
            round,
            unexplained,
            occupied_kib,
            survivors_kib,
            pin_amplification,
            lazily,
            rebound_kib,
            history,
            reuse,
            returned: returned
                .map(|(name, round, clock_ms, fraction)| Returned { name, round, clock_ms, fraction })
                .collect(),
        }
    }
}

prop_compose! {
    fn cell()(
        names in vec(text(), 4),
        heard in vec(option::of(text()), 7),
        size: u64,
        seed: u64,
        lab: bool,
        checkpoints in vec(checkpoint(), 0..4),
        parts in vec(part(), 0..4),
        verdict in option::of(verdict()),
        cause in option::of(cause()),
    ) -> Cell {
        let [allocator, scenario, knob, _] = <[String; 4]>::try_from(names).unwrap();
        let [allocator_title, allocator_version, release_call, failure, python, machine, does] =
            <[Option<String>; 7]>::try_from(heard).unwrap();
        Cell {
            allocator,
            allocator_title,
            allocator_version,
            scenario,
            python,
            machine,
            size,
            seed,
            turned: does.clone().map(|does| Turned {
                how: knob.clone(),
                does: lab.then_some(does),
            }),
            chosen: does.map(Choice::Subject),
            knob,
            conditions: if lab { Conditions::Lab } else { Conditions::Host },
            upheld: lab.then_some(Upheld {
                lab_clock: lab,
                ..Upheld::default()
            }),
            release_call,
            status: if failure.is_none() { Status::Measured } else { Status::Failed },
            failure,
            parts,
            checkpoints,
            verdict,
            cause,
        }
    }
}

prop_compose! {
    fn comparison()(
        cells in vec(cell(), 0..3),
        facts in vec(option::of(text()), 4),
        command in text(),
        held: bool,
        costs in vec(number(), 5),
    ) -> Comparison {
        let [os, kernel, glibc, huge_pages] = <[Option<String>; 4]>::try_from(facts).unwrap();
        Comparison {
            schema_version: SCHEMA_VERSION,
            afterdrop_version: "0.0.0".to_owned(),
            command,
            host: Host {
                os,
                kernel,
                glibc,
                architecture: "x86_64".to_owned(),
                cpu_count: 2,
                page_size_bytes: 4096,
                memory_kib: 1,
                available_kib: 1,
                huge_pages,
                lab_conditions: vec![LabCondition { name: "lab_clock".to_owned(), held }],
            },
            machines: Vec::new(),
            shard: held.then_some(Shard { index: 1, of: 2 }),
            cells,
            interrupted: held,
            timings: Timings {
                subject_ms: costs[0],
                account_ms: costs[1],
                probe_ms: costs[2],
                driver_ms: costs[3],
                after_drop_ms: costs[4],
            },
        }
    }
}

prop_compose! {
    fn curve()(
        cell in cell(),
        active: bool,
        times in any::<[Option<u64>; 2]>(),
        points in vec((any::<u64>(), any::<i64>(), option::of(number())), 0..3),
    ) -> Curve {
        let point = |(clock_ms, kept_kib, kept_fraction)| Point {
            clock_ms,
            kept_kib,
            kept_fraction,
        };
        Curve {
            mode: if active { Mode::Active } else { Mode::Idle },
            t50_ms: times[0],
            t90_ms: times[1],
            points: points.into_iter().map(point).collect(),
            cell,
        }
    }
}

proptest! {
    #[test]
    fn every_comparison_survives_the_file(comparison in comparison()) {
        let json = serde_json::to_string_pretty(&comparison).unwrap();
        prop_assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
    }

    #[test]
    fn every_curve_survives_the_file(curve in curve()) {
        let json = serde_json::to_string_pretty(&curve).unwrap();
        prop_assert_eq!(serde_json::from_str::<Curve>(&json).unwrap(), curve);
    }
}

#[test]
fn the_schema_in_the_docs_is_the_schema_of_the_code() {
    let documented = include_str!("../../../../docs/compare.schema.json");
    let documented: serde_json::Value = serde_json::from_str(documented).unwrap();
    // Not assert_eq!, which would print both.
    let is_current = documented == Document::Comparison.schema();
    assert!(is_current, "cargo xtask schema > docs/compare.schema.json");
}
