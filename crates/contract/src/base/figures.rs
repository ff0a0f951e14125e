//! Numbers as people and files have them: with so many digits, and never a zero that is less than nothing.

/// A number with so many digits behind the point. What rounds to zero is `0.0`, whichever side it comes from.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(size) if is_zero(size) => size.to_owned(),
        _ => text,
    }
}

/// The same with its sign, which is `+` for zero.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::{fixed, signed};

    #[test]
    fn no_zero_is_less_than_nothing() {
        let cases =
            [(-0.0, 1, "0.0", "+0.0"), (-0.04, 1, "0.0", "+0.0"), (-0.4, 0, "0", "+0"), (0.0, 2, "0.00", "+0.00")];
        let others = [(-0.06, 1, "-0.1", "-0.1"), (12.345, 2, "12.35", "+12.35"), (-7.0, 0, "-7", "-7")];
        for (value, decimals, plain, with_sign) in cases.into_iter().chain(others) {
            assert_eq!(
                (fixed(value, decimals).as_str(), signed(value, decimals).as_str()),
                (plain, with_sign),
                "{value}"
            );
        }
    }
}
