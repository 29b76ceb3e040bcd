//! Plans from bytes, for what throws bytes: any bytes are a plan, and a byte changed is a step changed.
//!
//! ```text
//! bytes  = how (threads - 1: 2 bits, at once: 1 bit), then steps until they end
//! step   = what (op: 4 bits, thread: 4 bits), then what the op needs
//!          allocate 0-7: size (2), align (1), count (1); zeroed from 6     resize 8-9: which (1), size (2)
//!          free 10-12: which (1)                                           free half 13: odd (1)
//!                                                                          or in order, from 128 on: eighths
//!          release 14                                                      end 15
//! ```

use super::plan::{Op, Order, Plan, Step};

/// The plan that the bytes are.
pub fn plan(bytes: &[u8]) -> Plan {
    let mut bytes = Bytes(bytes);
    let how = bytes.next().unwrap_or(0);
    let mut steps = Vec::new();
    while let Some(step) = bytes.step() {
        steps.push(step);
    }
    Plan {
        threads: 1 + usize::from(how & 3),
        order: if how & 4 == 0 {
            Order::InTurns
        } else {
            Order::AtOnce
        },
        steps,
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<usize> {
        self.next().map(usize::from)
    }

    fn step(&mut self) -> Option<Step> {
        let what = self.number()?;
        let op = match what & 15 {
            op @ 0..=7 => Op::Allocate {
                size: self.size()?,
                align: self.align()?,
                zeroed: op >= 6,
                count: self.count()?,
            },
            8..=9 => Op::Resize {
                which: self.number()?,
                size: self.size()?,
            },
            10..=12 => Op::Free {
                which: self.number()?,
            },
            13 => match self.number()? {
                half @ 0..=127 => Op::FreeHalf { odd: half & 1 == 1 },
                part => Op::FreeInOrder {
                    eighths: part % 8 + 1,
                },
            },
            14 => Op::Release,
            _ => Op::End,
        };
        let thread = what >> 4;
        Some(Step { thread, op })
    }

    /// As many sizes in each doubling, up to 512 KiB, seldom up to 4 MiB.
    fn size(&mut self) -> Option<usize> {
        let (bits, part) = (self.number()?, self.number()?);
        let bits = if bits < 250 { bits % 19 } else { 19 + bits % 3 };
        Some((1 << bits) + ((part << bits) >> 8))
    }

    /// Mostly up to 128, seldom up to 4 MiB.
    fn align(&mut self) -> Option<usize> {
        let bits = self.number()?;
        Some(1 << if bits < 224 { bits % 8 } else { bits % 23 })
    }

    /// Mostly a few, else enough to fill pools of small blocks.
    fn count(&mut self) -> Option<usize> {
        let count = self.number()?;
        Some(if count < 192 {
            1 + count % 8
        } else {
            (count - 191) * 4
        })
    }
}
