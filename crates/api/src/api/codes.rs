//! Secrets of passes: a link that nobody guesses, and a code that one can read from a screen and type.
//!
//! They are derived from the cart under a key of this process, so that a gate that repeats its request gets the same ones, and nothing
//! that is kept leads back to them. Letters of a code are those of Crockford's base 32, of which none is taken for another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::base::{CartId, Secret};

const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code, of 5 bits each.
const CODE_LETTERS: usize = 8;
/// What a link's secret begins with.
const PREFIX: &str = "aisle_pass_";

/// Makes secrets.
pub(super) struct Mint(hmac::Key);

impl Mint {
    /// With the key of this process.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Mint(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The secret of a cart's link.
    pub(super) fn link(&self, cart: CartId) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.sign(&format!("link {cart}")))))
    }

    /// A code of a cart; another one for every number.
    pub(super) fn code(&self, cart: CartId, number: u32) -> Secret<String> {
        let signed = self.sign(&format!("code {number} {cart}"));
        let letters = signed.as_ref().iter().take(CODE_LETTERS);
        Secret::new(letters.map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
    }

    fn sign(&self, text: &str) -> hmac::Tag {
        hmac::sign(&self.0, text.as_bytes())
    }
}

/// A code as people read it: in two halves.
pub(super) fn spelled(code: &str) -> String {
    let (first, second) = code.split_at(code.len().min(CODE_LETTERS / 2));
    format!("{first}-{second}")
}

/// The code that somebody typed, however they wrote it; none where it is none.
pub(super) fn code_of(text: &str) -> Option<String> {
    let mut code = String::with_capacity(CODE_LETTERS);
    for sign in text.chars().filter(|sign| !matches!(sign, ' ' | '-')) {
        let letter = match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let is_one = u8::try_from(letter).is_ok_and(|letter| LETTERS.contains(&letter));
        if !is_one || code.len() == CODE_LETTERS {
            return None;
        }
        code.push(letter);
    }
    Some(code).filter(|code| code.len() == CODE_LETTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        for typed in ["K7QF-2M9D", "k7qf2m9d", " K7QF 2M9D ", "k7-qf-2m-9d"] {
            assert_eq!(code_of(typed).as_deref(), Some("K7QF2M9D"), "{typed}");
        }
        assert_eq!(code_of("oil0-1234").as_deref(), Some("01101234"));
        for wrong in ["", "K7QF2M9", "K7QF2M9DX", "K7QF2M9U", "K7QF_2M9D", "aisle_pass_K7QF2M9D", "Ｋ7QF2M9D"] {
            assert_eq!(code_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_of_the_cart_and_of_the_process() {
        let (mint, other) = (Mint::new([1; 32]), Mint::new([2; 32]));
        let [one, two] = ["one", "two"].map(|cart| CartId::derived(&[cart]));
        assert_eq!(mint.link(one), mint.link(one));
        assert!(mint.link(one) != mint.link(two) && mint.link(one) != other.link(one));
        assert!(mint.code(one, 0) != mint.code(one, 1) && mint.code(one, 0) != other.code(one, 0));
        let code = mint.code(one, 0);
        assert_eq!(code_of(&spelled(code.reveal())).as_deref(), Some(code.reveal().as_str()));
        // A link's secret is no code, whatever it says.
        assert_eq!(code_of(mint.link(one).reveal()), None);
        assert_eq!(mint.link(one).reveal().len(), PREFIX.len() + 43);
    }
}
