use tokio_postgres::types::{FromSql, Type};

use super::super::FailureKind;
use super::connect::{kind, unfit};
use super::values::{WholeNumeric, with_dollars};

#[test]
fn parameters_are_translated_outside_of_quotes() {
    let cases = [
        ("a = ?1 AND b = ?12", "a = $1 AND b = $12", 12),
        ("a = '?1' AND b = ?1", "a = '?1' AND b = $1", 1),
        ("a = 'it''s ?1' AND \"?3\" = ?2", "a = 'it''s ?1' AND \"?3\" = $2", 2),
        ("a = '\"' AND b = ?1 + 7", "a = '\"' AND b = $1 + 7", 1),
        ("a = 99", "a = 99", 0),
    ];
    for (portable, wanted, highest) in cases {
        assert_eq!(with_dollars(portable), (wanted.to_owned(), highest));
    }
}

#[test]
fn codes_say_whether_to_try_again() {
    let cases = [
        ("40001", FailureKind::Conflict),
        ("40P01", FailureKind::Conflict),
        ("53100", FailureKind::Full),
        ("55P03", FailureKind::Busy),
        ("57014", FailureKind::Busy),
        ("57P01", FailureKind::Lost),
        ("08006", FailureKind::Lost),
        ("25006", FailureKind::Lost),
        ("23505", FailureKind::Refused),
        ("23001", FailureKind::Refused),
        ("42804", FailureKind::Refused),
        ("42601", FailureKind::Broken),
    ];
    for (code, wanted) in cases {
        assert_eq!(kind(code), wanted, "{code}");
    }
}

#[test]
fn a_server_that_will_not_do_is_told_why() {
    assert_eq!(unfit(150_018, "UTF8"), None);
    assert_eq!(unfit(96_024, "UTF8").unwrap(), "it is PostgreSQL 9, the oldest that will do is 14");
    assert_eq!(unfit(160_000, "LATIN1").unwrap(), "its encoding is LATIN1, not UTF8");
}

/// Digits to the base of 10,000, the power of the first one, the sign, the decimals shown, the digits.
fn numeric(words: &[i16]) -> Option<i64> {
    let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    WholeNumeric::from_sql(&Type::NUMERIC, &raw).ok().map(|whole| whole.0)
}

#[test]
fn sums_are_read_when_they_are_whole() {
    assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
    assert_eq!(numeric(&[1, 0, 0, 0, 42]), Some(42));
    assert_eq!(numeric(&[2, 1, 0x4000, 0, 1, 2345]), Some(-12_345));
    assert_eq!(numeric(&[1, 2, 0, 0, 3]), Some(300_000_000), "zeroes at the end are left out");
    assert_eq!(numeric(&[2, 0, 0, 1, 1, 5000]), None, "one and a half");
    assert_eq!(numeric(&[1, -1, 0, 1, 5000]), None, "a half");
    assert_eq!(numeric(&[1, 5, 0, 0, 9]), None, "too large");
    assert_eq!(numeric(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5807]), Some(i64::MAX));
    assert_eq!(numeric(&[0, 0, -16_384, 0]), None, "not a number");
    assert_eq!(numeric(&[2, 1, 0, 0, 1]), None, "cut off");
}
