//! What is written can be read back, whatever it says.

use afterdrop_model::protocol::{Command, Hello, LONGEST_LINE, Reply};
use afterdrop_model::{
    Account, Cause, Cell, Checkpoint, Choice, Comparison, Conditions, Curve, Document, Entry,
    Evidence, Figure, Figures, Holds, Host, LabCondition, MOST_FIGURES, Memory, MemorySource, Mode,
    Moment, Part, Point, Returned, Returns, SCHEMA_VERSION, Shard, Status, Timings, Turned, Upheld,
    Verdict,
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

fn figures() -> impl Strategy<Value = Figures> {
    let figure = (text(), any::<u64>()).prop_map(|(name, value)| Figure {
        name: name.into(),
        value,
    });
    vec(figure, 0..4).prop_map(|figures| figures.into_iter().collect())
}

fn part() -> impl Strategy<Value = Part> {
    let holds = vec![Holds::Blocks, Holds::Free, Holds::Records, Holds::Other];
    let holds = prop::sample::select(holds);
    (text(), holds, text(), text()).prop_map(|(name, holds, source, because)| Part {
        name: name.into(),
        holds,
        source: source.into(),
        because: because.into(),
    })
}

fn ledger() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (text(), any::<i64>(), text());
    vec(
        entry.prop_map(|(name, kib, source)| Entry { name, kib, source }),
        0..4,
    )
}

prop_compose! {
    fn cause()(
        sentence in text(),
        evidence in vec((text(), any::<i64>(), text(), text()), 0..4),
    ) -> Cause {
        let evidence = evidence.into_iter();
        Cause {
            sentence,
            evidence: evidence
                .map(|(name, value, when, source)| Evidence { name, value, when, source })
                .collect(),
        }
    }
}

fn account() -> impl Strategy<Value = Account> {
    let totals = any::<[Option<u64>; 5]>();
    (totals, figures(), figures()).prop_map(|(totals, parts, counters)| {
        let [allocated, cached, lazily_freed, metadata, mapped] = totals;
        Account {
            allocated_bytes: allocated,
            cached_bytes: cached,
            lazily_freed_bytes: lazily_freed,
            metadata_bytes: metadata,
            mapped_bytes: mapped,
            parts,
            counters,
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
        Moment::Collected,
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
        ledger in ledger(),
    ) -> Checkpoint {
        Checkpoint {
            name, round, clock_ms, kept_kib, memory, minor_faults, cpu_ms, live_bytes, account,
            ledger,
        }
    }
}

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

fn command() -> impl Strategy<Value = Command<'static>> {
    prop_oneof![
        any::<u32>().prop_map(|protocol| Command::Hello { protocol }),
        (text(), any::<[u64; 2]>(), option::of(text())).prop_map(
            |(scenario, [size, seed], python)| {
                Command::Prepare {
                    scenario: scenario.into(),
                    size,
                    seed,
                    python: python.map(Into::into),
                }
            }
        ),
        any::<u64>().prop_map(|ms| Command::Wait { ms }),
        (text(), any::<u64>()).prop_map(|(workload, divisor)| Command::Time {
            workload: workload.into(),
            divisor,
        }),
        prop::sample::select(vec![
            Command::Build,
            Command::Drop,
            Command::Traffic,
            Command::Collect,
            Command::Release,
            Command::Account,
            Command::Exit,
        ]),
    ]
}

fn reply() -> impl Strategy<Value = Reply<'static>> {
    let hello = (
        any::<u32>(),
        vec(text(), 3),
        option::of(text()),
        vec(part(), 0..4),
        any::<[bool; 5]>(),
    );
    prop_oneof![
        hello.prop_map(
            |(protocol, mut texts, asked, parts, [clock, random, addresses, pages, cpu])| {
                let mut next = || texts.pop().unwrap().into();
                Reply::Hello(Hello {
                    protocol,
                    allocator: next(),
                    title: next(),
                    version: next(),
                    release_call: asked.map(Into::into),
                    parts: parts.into_iter().collect(),
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
        any::<(u64, u64)>().prop_map(|(ns, operations)| Reply::Timed { ns, operations }),
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
    fn every_curve_survives_the_file(curve in curve()) {
        let json = serde_json::to_string_pretty(&curve).unwrap();
        prop_assert_eq!(serde_json::from_str::<Curve>(&json).unwrap(), curve);
    }

    #[test]
    fn no_line_of_garbage_makes_the_reader_panic(line in vec(any::<u8>(), 0..LONGEST_LINE)) {
        let _ = serde_json::from_slice::<Command>(&line);
        let _ = serde_json::from_slice::<Reply>(&line);
    }
}

#[test]
fn the_longest_account_fits_a_line() {
    let longest_name = "x".repeat(40);
    let figure = Figure {
        name: longest_name.into(),
        value: u64::MAX,
    };
    let figures = || std::iter::repeat_n(figure.clone(), MOST_FIGURES);
    let account = Account {
        allocated_bytes: Some(u64::MAX),
        cached_bytes: Some(u64::MAX),
        lazily_freed_bytes: Some(u64::MAX),
        metadata_bytes: Some(u64::MAX),
        mapped_bytes: Some(u64::MAX),
        parts: figures().collect(),
        counters: figures().collect(),
    };
    let line = serde_json::to_string(&Reply::Account(account)).unwrap();
    assert!(line.len() < LONGEST_LINE);
}

#[test]
fn the_schema_in_the_docs_is_the_schema_of_the_code() {
    let documented = include_str!("../../../docs/compare.schema.json");
    let documented: serde_json::Value = serde_json::from_str(documented).unwrap();
    // Not assert_eq!, which would print both.
    let is_current = documented == Document::Comparison.schema();
    assert!(is_current, "cargo xtask schema > docs/compare.schema.json");
}
