//! The values that the user may give an option, each refused with a word about what to give.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

use model::Shard;

/// A whole number from 1 up.
pub(crate) fn positive<T>(text: &str) -> Result<T, String>
where
    T: FromStr<Err = ParseIntError> + PartialOrd + From<u8>,
{
    match text.parse() {
        Ok(number) if number >= T::from(1) => Ok(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            Err("that number is too large".to_owned())
        }
        _ => Err("give a whole number from 1 up".to_owned()),
    }
}

/// A time limit. The clock would overflow beyond some billions of years.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= 1e6)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds above 0, up to 1000000".to_owned())
}

/// A time for the clock to run, with its unit.
pub(crate) fn clock_time(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_hours(365 * 24);
    humantime::parse_duration(text)
        .ok()
        .filter(|time| (LEAST..=MOST).contains(time))
        .ok_or_else(|| "give a time from 1ms to 365days, such as 5s, 10min or 1h".to_owned())
}

/// A number of objects that some machine could hold.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const MOST: u64 = 1_000_000_000_000;
    match positive::<u64>(text)? {
        number if number <= MOST => Ok(number),
        _ => Err("that number is too large".to_owned()),
    }
}

/// A part of the cells, such as `2/5`.
pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/');
    let number = |text: &str| positive::<u32>(text).ok();
    parts
        .and_then(|(index, of)| Some((number(index)?, number(of)?)))
        .filter(|(index, of)| index <= of)
        .map(|(index, of)| Shard { index, of })
        .ok_or_else(|| "give which part of how many, such as 2/5".to_owned())
}

/// Any seed.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let fault = |_| format!("give a whole number from 0 to {}", u64::MAX);
    text.parse().map_err(fault)
}
