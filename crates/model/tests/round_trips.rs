//! What is written can be read back, whatever it says.

use afterdrop_model::protocol::{Command, Hello, LONGEST_LINE, Reply};
use afterdrop_model::{
    Account, Cell, Checkpoint, Comparison, Conditions, Host, LabCondition, Memory, MemorySource,
    Moment, Returned, Returns, SCHEMA_VERSION, Status, Timings, Upheld, Verdict,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Any text at all, quotes, control characters and right-to-left marks included.
fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

/// JSON has no word for what is not finite.
fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

fn account() -> impl Strategy<Value = Account> {
    any::<[Option<u64>; 5]>().prop_map(|[allocated, cached, lazily_freed, metadata, mapped]| {
        Account {
            allocated_bytes: allocated,
            cached_bytes: cached,
            lazily_freed_bytes: lazily_freed,
            metadata_bytes: metadata,
            mapped_bytes: mapped,
        }
    })
}

fn moment() -> impl Strategy<Value = Moment> {
    prop::sample::select(vec![
        Moment::Baseline,
        Moment::Built,
        Moment::Dropped,
        Moment::Idle,
        Moment::Active,
        Moment::Released,
        Moment::Settled,
    ])
}

fn memory() -> impl Strategy<Value = Memory> {
    (any::<[u64; 5]>(), any::<bool>()).prop_map(|(figures, exact)| Memory {
        anonymous_kib: figures[0],
        lazy_kib: figures[1],
        swap_kib: figures[2],
        rss_kib: figures[3],
        virtual_kib: figures[4],
        memory_source: match exact {
            true => MemorySource::SmapsRollup,
            false => MemorySource::ResidentCounter,
        },
    })
}

prop_compose! {
    fn checkpoint()(
        name in moment(),
        round: u32,
        clock_ms: u64,
        kept_kib: i64,
        memory in memory(),
        minor_faults: Option<u64>,
        cpu_ms in number(),
        live_bytes: u64,
        account in account(),
    ) -> Checkpoint {
        Checkpoint {
            name, round, clock_ms, kept_kib, memory, minor_faults, cpu_ms, live_bytes, account,
        }
    }
}

prop_compose! {
    fn verdict()(
        returns in prop::sample::select(&Returns::ALL[..]),
        after_ms: Option<u64>,
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
            after_ms,
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
        heard in vec(option::of(text()), 4),
        size: u64,
        seed: u64,
        lab: bool,
        checkpoints in vec(checkpoint(), 0..4),
        verdict in option::of(verdict()),
    ) -> Cell {
        let [allocator, scenario, knob, _] = <[String; 4]>::try_from(names).unwrap();
        let [allocator_title, allocator_version, release_call, failure] =
            <[Option<String>; 4]>::try_from(heard).unwrap();
        Cell {
            allocator,
            allocator_title,
            allocator_version,
            scenario,
            size,
            seed,
            knob,
            conditions: if lab { Conditions::Lab } else { Conditions::Host },
            upheld: lab.then_some(Upheld {
                lab_clock: lab,
                ..Upheld::default()
            }),
            release_call,
            status: if failure.is_none() { Status::Measured } else { Status::Failed },
            failure,
            checkpoints,
            verdict,
        }
    }
}

prop_compose! {
    fn comparison()(
        cells in vec(cell(), 0..3),
        facts in vec(option::of(text()), 4),
        command in text(),
        held: bool,
        costs in vec(number(), 4),
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
            cells,
            interrupted: held,
            timings: Timings {
                subject_ms: costs[0],
                account_ms: costs[1],
                probe_ms: costs[2],
                driver_ms: costs[3],
            },
        }
    }
}

fn command() -> impl Strategy<Value = Command<'static>> {
    prop_oneof![
        any::<u32>().prop_map(|protocol| Command::Hello { protocol }),
        (text(), any::<u64>(), any::<u64>()).prop_map(|(scenario, size, seed)| {
            Command::Prepare {
                scenario: scenario.into(),
                size,
                seed,
            }
        }),
        any::<u64>().prop_map(|ms| Command::Wait { ms }),
        prop::sample::select(vec![
            Command::Build,
            Command::Drop,
            Command::Traffic,
            Command::Release,
            Command::Account,
            Command::Exit,
        ]),
    ]
}

fn reply() -> impl Strategy<Value = Reply<'static>> {
    let asked = option::of(text());
    let hello = (any::<u32>(), vec(text(), 3), asked, any::<[bool; 5]>());
    prop_oneof![
        hello.prop_map(
            |(protocol, mut texts, asked, [clock, random, addresses, pages, cpu])| {
                let mut next = || texts.pop().unwrap().into();
                Reply::Hello(Hello {
                    protocol,
                    allocator: next(),
                    title: next(),
                    version: next(),
                    release_call: asked.map(Into::into),
                    upheld: Upheld {
                        lab_clock: clock,
                        seeded_randomness: random,
                        fixed_addresses: addresses,
                        no_huge_pages: pages,
                        one_cpu: cpu,
                    },
                })
            }
        ),
        any::<(u64, u64)>().prop_map(|(live_bytes, clock_ms)| Reply::Done {
            live_bytes,
            clock_ms
        }),
        account().prop_map(Reply::Account),
        text().prop_map(|reason| Reply::Refused(reason.into())),
    ]
}

proptest! {
    #[test]
    fn every_command_survives_the_wire(command in command()) {
        let line = serde_json::to_string(&command).unwrap();
        prop_assert!(!line.contains('\n'), "a line is a line");
        prop_assert_eq!(serde_json::from_str::<Command>(&line).unwrap(), command);
    }

    #[test]
    fn every_reply_survives_the_wire(reply in reply()) {
        let line = serde_json::to_string(&reply).unwrap();
        prop_assert!(!line.contains('\n'), "a line is a line");
        prop_assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
    }

    #[test]
    fn every_comparison_survives_the_file(comparison in comparison()) {
        let json = serde_json::to_string_pretty(&comparison).unwrap();
        prop_assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
    }

    #[test]
    fn no_line_of_garbage_makes_the_reader_panic(line in vec(any::<u8>(), 0..LONGEST_LINE)) {
        let _ = serde_json::from_slice::<Command>(&line);
        let _ = serde_json::from_slice::<Reply>(&line);
    }
}

#[test]
fn the_longest_account_fits_a_line() {
    let account = Account {
        allocated_bytes: Some(u64::MAX),
        cached_bytes: Some(u64::MAX),
        lazily_freed_bytes: Some(u64::MAX),
        metadata_bytes: Some(u64::MAX),
        mapped_bytes: Some(u64::MAX),
    };
    let line = serde_json::to_string(&Reply::Account(account)).unwrap();
    assert!(line.len() < LONGEST_LINE);
}

#[test]
fn the_schema_in_the_docs_is_the_schema_of_the_code() {
    let documented = include_str!("../../../docs/compare.schema.json");
    let documented: serde_json::Value = serde_json::from_str(documented).unwrap();
    assert_eq!(
        documented,
        Comparison::schema(),
        "cargo xtask schema > docs/compare.schema.json"
    );
}
