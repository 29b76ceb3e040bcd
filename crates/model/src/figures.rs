//! What a figure looks like in a sentence or a table.

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
    if kib.unsigned_abs() < 1024 {
        return format!("{kib} KiB");
    }
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// `10 ms`, `1 s`, `60 s`, `1 h`; in real time the odd milliseconds are left out.
pub fn duration(ms: u64) -> String {
    const HOUR_MS: u64 = 3_600_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        HOUR_MS.. if ms.is_multiple_of(HOUR_MS) => format!("{} h", ms / HOUR_MS),
        _ => format!("{:.0} s", ms as f64 / 1e3),
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
        assert_eq!(duration(10), "10 ms");
        assert_eq!(duration(60_000), "60 s");
        assert_eq!(duration(3_600_000), "1 h");
    }
}
