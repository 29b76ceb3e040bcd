//! What a figure looks like.

/// `5,120,000`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `195.1 MiB`; below one MiB, `12 KiB`.
pub fn mebibytes(kib: i64) -> String {
    if kib.abs() < 1024 {
        return format!("{kib} KiB");
    }
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// `80 %`
pub(crate) fn percent(fraction: f64) -> String {
    // No minus before a zero: less held than at the baseline is nothing kept.
    format!("{:.0} %", (fraction * 100.0).max(0.0).round())
}

/// `+12`, `-3,400`
pub(crate) fn signed(number: f64) -> String {
    let sign = if number < 0.0 { '-' } else { '+' };
    format!("{sign}{}", thousands(number.abs().round() as u64))
}

/// `10 ms`, `1 s`, `60 s`, `1 h`; in real time the odd milliseconds are left out.
pub(crate) fn duration(ms: u64) -> String {
    const HOUR_MS: u64 = 3_600_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        HOUR_MS.. if ms.is_multiple_of(HOUR_MS) => format!("{} h", ms / HOUR_MS),
        _ => format!("{:.0} s", ms as f64 / 1e3),
    }
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
    fn figures_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(5_120_000), "5,120,000");
        assert_eq!(mebibytes(-4), "-4 KiB");
        assert_eq!(mebibytes(199_832), "195.1 MiB");
        assert_eq!(percent(0.7998), "80 %");
        assert_eq!(percent(-0.001), "0 %");
        assert_eq!(duration(10), "10 ms");
        assert_eq!(duration(60_000), "60 s");
        assert_eq!(duration(3_600_000), "1 h");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
