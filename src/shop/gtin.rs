//! Global Trade Item Numbers and their check digit (GS1 General Specifications, section 7.9).

use std::fmt;
use std::str::FromStr;

/// A GTIN with a right check digit, kept as 14 digits with leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin([u8; 14]);

impl Gtin {
    /// Whether a text has the length of a GTIN and only digits; says nothing of the check digit.
    pub fn has_form(text: &str) -> bool {
        matches!(text.len(), 8 | 12 | 13 | 14) && text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl FromStr for Gtin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !Gtin::has_form(text) {
            return Err(format!("`{text}` is not a GTIN: 8, 12, 13 or 14 digits"));
        }
        let mut digits = [b'0'; 14];
        digits[14 - text.len()..].copy_from_slice(text.as_bytes());
        let weighted = |(index, digit): (usize, &u8)| u32::from(digit - b'0') * if index % 2 == 0 { 3 } else { 1 };
        let sum: u32 = digits[..13].iter().enumerate().map(weighted).sum();
        let right = (10 - sum % 10) % 10;
        let written = u32::from(digits[13] - b'0');
        if right != written {
            return Err(format!("`{text}` has check digit {written} where {right} would be right"));
        }
        Ok(Gtin(digits))
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}
