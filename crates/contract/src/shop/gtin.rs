//! Global Trade Item Numbers (GS1 General Specifications, sections 1.4, 5.2.2.4 and 7.9): the one place where digits become
//! one. It takes a code and what is said of it, and gives a number in its one form, or why there is none. It never guesses
//! between two number spaces.

use std::fmt;
use std::str::FromStr;

/// A GTIN with a right check digit, kept as 14 digits with leading zeros: a product has one, however it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin([u8; 14]);

/// What somebody says about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// UPC: of eight digits it is a UPC-E, which leaves out zeros.
    Upc,
    /// EAN, JAN or GTIN: of eight digits it is a GTIN-8.
    Ean,
}

/// What a code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The number of one product.
    Product(Gtin),
    /// Not a GTIN: it has not that many digits, or something else in it.
    Other,
    /// Eight digits that are the numbers of two products.
    Either {
        /// What it is as a UPC-E.
        upc_e: Gtin,
        /// What it is as a GTIN-8.
        gtin_8: Gtin,
    },
    /// A number that a shop gives away itself, a weight or price in digits, a coupon: it names no product of the world.
    Inner(String),
    /// It looks like a GTIN, and its check digit is wrong.
    Wrong(String),
}

impl Symbol {
    /// What a type of barcode says, such as `UPC`, `UPC_E`, `EAN-13` or `GTIN`; nothing where it is of another sort.
    pub fn named(name: &str) -> Option<Self> {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_uppercase().trim_end_matches(|sign: char| sign.is_ascii_digit()) {
            "UPC" | "UPCA" | "UPCE" => Some(Symbol::Upc),
            "EAN" | "JAN" | "GTIN" | "IAN" => Some(Symbol::Ean),
            _ => None,
        }
    }
}

impl Gtin {
    /// Whether a text has the length of a GTIN and only digits; says nothing of the check digit.
    fn has_form(text: &str) -> bool {
        matches!(text.len(), 8 | 12 | 13 | 14) && text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// What a code is, given what is said about it.
    pub fn read(code: &str, said: Option<Symbol>) -> Reading {
        if !Gtin::has_form(code) {
            return Reading::Other;
        }
        let written = Gtin::padded(code);
        let upc_e = upc_a_from_upc_e(code);
        match (written, upc_e, said) {
            (_, Some(upc_e), Some(Symbol::Upc)) | (Err(_), Some(upc_e), None) => upc_e.judged(),
            (Ok(gtin_8), Some(upc_e), None) => Reading::Either { upc_e, gtin_8 },
            // GTIN-8 with a leading zero are for use inside of a company, unless somebody says what it is.
            (Ok(_), None, None) if code.len() == 8 && code.starts_with('0') => Reading::Inner(inner(code, "0")),
            (Err(reason), _, _) => Reading::Wrong(reason),
            (Ok(gtin), _, _) => gtin.judged(),
        }
    }

    /// Digits as they stand, with leading zeros and a right check digit.
    fn padded(text: &str) -> Result<Self, String> {
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

    /// Whether its prefix is one of those that GS1 keeps for use inside of shops and companies, and for coupons.
    fn judged(self) -> Reading {
        let digits = &self.0;
        let prefix = match digits[..6] == *b"000000" {
            // A GTIN-8 has prefixes of its own.
            true => (digits[6] == b'2').then_some("2"),
            false => match digits[1..4] {
                [b'0', b'2', _] => Some("02"),
                [b'0', b'4', _] => Some("04"),
                [b'0', b'5', _] => Some("05"),
                [b'2', _, _] => Some("20 to 29"),
                [b'9', b'8', b'0'..=b'4'] => Some("980 to 984"),
                [b'9', b'9', _] => Some("99"),
                _ => None,
            },
        };
        match prefix {
            Some(prefix) => Reading::Inner(inner(&self.to_string(), prefix)),
            None => Reading::Product(self),
        }
    }
}

fn inner(code: &str, prefix: &str) -> String {
    format!(
        "`{code}` is not the number of a product: GS1 keeps the prefix {prefix} for numbers inside of a shop, \
         for weights and prices, and for coupons"
    )
}

impl FromStr for Gtin {
    type Err = String;

    /// A GTIN as somebody wrote it who means one; eight digits that may be two products are refused.
    fn from_str(text: &str) -> Result<Self, String> {
        match Gtin::read(text, None) {
            Reading::Product(gtin) => Ok(gtin),
            Reading::Other => {
                Err(format!("`{}` is not a GTIN: 8, 12, 13 or 14 digits, or a UPC-E", crate::base::text::plain(text)))
            }
            Reading::Either { upc_e, gtin_8 } => Err(ask(text, upc_e, gtin_8)),
            Reading::Inner(reason) | Reading::Wrong(reason) => Err(reason),
        }
    }
}

/// The question that only somebody who knows the product can answer.
pub(super) fn ask(text: &str, upc_e: Gtin, gtin_8: Gtin) -> String {
    format!(
        "`{text}` may be a UPC-E or a GTIN-8: write gtin = \"{upc_e}\" for the one, gtin = \"{gtin_8}\" for the other"
    )
}

/// UPC-E leaves out zeros of a UPC-A and keeps its check digit; none where the check digit does not fit.
fn upc_a_from_upc_e(code: &str) -> Option<Gtin> {
    let digits: [u8; 8] = code.as_bytes().try_into().ok()?;
    let [system @ (b'0' | b'1'), a, b, c, d, e, last, check] = digits else { return None };
    let body = match last {
        b'0' | b'1' | b'2' => [a, b, last, b'0', b'0', b'0', b'0', c, d, e],
        b'3' => [a, b, c, b'0', b'0', b'0', b'0', b'0', d, e],
        b'4' => [a, b, c, d, b'0', b'0', b'0', b'0', b'0', e],
        _ => [a, b, c, d, e, b'0', b'0', b'0', b'0', last],
    };
    let all = [&[system][..], &body, &[check]].concat();
    Gtin::padded(std::str::from_utf8(&all).ok()?).ok()
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}
