//! What a figure looks like.

pub(crate) use model::figures::duration;
pub use model::figures::{mebibytes, thousands};

/// `80 %`
pub(crate) fn percent(fraction: f64) -> String {
    // No minus before a zero: less held than at the baseline is nothing kept.
    format!("{:.0} %", (fraction * 100.0).max(0.0).round())
}

/// A part as a bar, in eighths.
pub(crate) fn bar(fraction: f64) -> char {
    const EIGHTHS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    EIGHTHS[(fraction.clamp(0.0, 1.0) * 8.0).round() as usize]
}

/// `-1,204`: KiB to the last one, unlike in a sentence.
pub(crate) fn kib(kib: i64) -> String {
    let sign = if kib < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(kib.unsigned_abs()))
}

/// `+12`, `-3,400`
pub(crate) fn signed(number: f64) -> String {
    let sign = if number < 0.0 { '-' } else { '+' };
    format!("{sign}{}", thousands(number.abs().round() as u64))
}

/// `a`, `a and b`, `a, b and c`
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_its_part() {
        assert_eq!(
            [-0.1, 0.06, 0.07, 0.5, 0.94, 1.4].map(bar),
            ['·', '·', '▁', '▄', '█', '█']
        );
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(percent(0.7998), "80 %");
        assert_eq!(percent(-0.001), "0 %");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
