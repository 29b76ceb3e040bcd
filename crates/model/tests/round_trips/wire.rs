//! What driver and subject write to each other, a line each.

use afterdrop_model::protocol::{Command, Hello, LONGEST_LINE, Reply};
use afterdrop_model::{Account, Figure, MOST_FIGURES, Upheld};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::facts::{account, part, text};

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
