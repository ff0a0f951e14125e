//! Signed notices in Stripe's scheme: a time and one or more HMAC-SHA256 over the time and the raw body.

use ring::hmac;

use crate::base::{Error, Result, Secret, ShopTime, Span, hex};

/// A notice older than this is refused, so that a copied one cannot be played back later. What Stripe's own libraries
/// tolerate.
const AGE_MAX: Span = Span::from_millis(300_000);
/// Signatures that are tried for one notice. Two stand there while a secret is changed.
const SIGNATURES_MAX: usize = 16;

/// The value of the header that signs `body` as of `at`.
pub(super) fn sign(secret: &Secret<String>, at: ShopTime, body: &[u8]) -> String {
    let secs = at.as_nanos().div_euclid(1_000_000_000).to_string();
    let tag = hmac::sign(&key(secret), &signed_text(&secs, body));
    format!("t={secs},v1={}", hex(tag.as_ref()))
}

/// Checks the header against the raw body.
///
/// # Errors
/// When no signature of the scheme `v1` fits, the header cannot be read, or the notice is too old.
pub(super) fn verify(secret: &Secret<String>, header: &str, body: &[u8], now: ShopTime) -> Result<()> {
    let mut secs = None;
    let mut candidates = Vec::new();
    for (name, value) in header.split(',').filter_map(|pair| pair.trim().split_once('=')) {
        match name {
            "t" => secs = Some(value),
            "v1" if candidates.len() < SIGNATURES_MAX => candidates.extend(unhex(value)),
            _ => {}
        }
    }
    let secs = secs.ok_or_else(|| Error::input("the notice's signature has no time `t`"))?;
    if candidates.is_empty() {
        return Err(Error::input("the notice has no readable signature `v1`"));
    }
    let (key, text) = (key(secret), signed_text(secs, body));
    if !candidates.iter().any(|tag| hmac::verify(&key, &text, tag).is_ok()) {
        return Err(Error::input("the notice is not signed with our secret")
            .hint("compare the webhook secret with the one the provider shows for this endpoint"));
    }
    let at = secs.parse::<i64>().ok().and_then(|secs| secs.checked_mul(1_000_000_000)).map(ShopTime::from_nanos);
    let at = at.ok_or_else(|| Error::input("the notice's signature has no readable time `t`"))?;
    if AGE_MAX < now - at {
        return Err(Error::input(format!("the notice was signed at {at}, more than {AGE_MAX} ago"))
            .hint("if every notice is refused, check this machine's clock"));
    }
    Ok(())
}

/// The value of a header, whatever the case of its name.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn key(secret: &Secret<String>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes())
}

fn signed_text(secs: &str, body: &[u8]) -> Vec<u8> {
    [secs.as_bytes(), b".", body].concat()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const SIGNED: &str = "t=1700000000,v1=4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021";

    fn secret() -> Secret<String> {
        Secret::new("whsec_test".to_owned())
    }

    fn at(secs: i64) -> ShopTime {
        ShopTime::from_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn signs_as_documented() {
        assert_eq!(sign(&secret(), at(1_700_000_000), BODY), SIGNED);
        verify(&secret(), SIGNED, BODY, at(1_700_000_000)).unwrap();
    }

    #[test]
    fn any_of_several_signatures_may_fit_and_other_schemes_are_ignored() {
        let (time, good) = SIGNED.split_once(',').unwrap();
        verify(&secret(), &format!("{time},v1=zz,v1=00,{good},v0=6f"), BODY, at(1_700_000_100)).unwrap();
        let other = good.replacen("v1", "v0", 1);
        assert!(verify(&secret(), &format!("{time},{other}"), BODY, at(1_700_000_100)).is_err());
    }

    #[test]
    fn another_body_time_or_secret_does_not_fit() {
        let now = at(1_700_000_000);
        assert!(verify(&secret(), SIGNED, b"{}", now).is_err());
        assert!(verify(&secret(), &SIGNED.replace("1700000000", "1700000001"), BODY, now).is_err());
        assert!(verify(&Secret::new("whsec_other".to_owned()), SIGNED, BODY, now).is_err());
        for broken in ["", "t=1700000000", "v1=4c15", "t=,v1=", "t=1700000000,v1=4c1"] {
            assert!(verify(&secret(), broken, BODY, now).is_err(), "{broken}");
        }
    }

    #[test]
    fn five_minutes_are_the_bound() {
        verify(&secret(), SIGNED, BODY, at(1_700_000_300)).unwrap();
        let late = verify(&secret(), SIGNED, BODY, at(1_700_000_301)).unwrap_err();
        assert!(late.to_string().contains("clock"), "{late}");
        verify(&secret(), SIGNED, BODY, at(1_699_990_000)).unwrap();
    }
}
