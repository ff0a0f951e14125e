//! Anchors: the ends of the book's two chains at one moment, as a line that is kept where the book is not. A book that was
//! taken back to an earlier state, or written anew as a whole, no longer has them.

use std::fmt;
use std::str::FromStr;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::base::{Error, Result, Secret, ShopTime, hex};

/// How a line begins; the number is that of its form.
const BEGINNING: &str = "aisle-anchor 1";

/// The end of a chain: how many rows it has, and the digest of the last one, empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainEnd {
    /// Place of the last row.
    pub seq: i64,
    /// Its digest.
    pub digest: String,
}

/// Where both chains of a book ended at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// When, for people.
    pub at: String,
    /// The chain of transfers.
    pub transfers: ChainEnd,
    /// The chain of seals.
    pub seals: ChainEnd,
    /// Who signed it, if anybody did.
    pub signed: Option<Signed>,
}

/// A signature by Ed25519 over the line before it, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The public key.
    pub key: String,
    /// The signature.
    pub signature: String,
}

/// A key that signs anchors.
pub struct AnchorKey(Ed25519KeyPair);

impl AnchorKey {
    /// The key of these 64 hexadecimal digits.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(text: &Secret<String>) -> Result<Self> {
        let wrong =
            || Error::input("this is no key for anchors").hint("`aisle ledger anchor --new-key FILE` makes one");
        let seed = unhex(text.reveal().trim()).ok_or_else(wrong)?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map(AnchorKey).map_err(|_| wrong())
    }

    /// The public half, which proves what the other has signed.
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }
}

impl Anchor {
    /// An anchor of the ends of both chains, signed if there is a key.
    pub fn new(at: ShopTime, transfers: ChainEnd, seals: ChainEnd, key: Option<&AnchorKey>) -> Self {
        let mut anchor = Anchor { at: at.to_string(), transfers, seals, signed: None };
        anchor.signed = key
            .map(|key| Signed { key: key.public(), signature: hex(key.0.sign(anchor.unsigned().as_bytes()).as_ref()) });
        anchor
    }

    /// Whether its signature is that of its own key over what it says; nothing where there is none.
    pub fn is_genuine(&self) -> Option<bool> {
        let Signed { key, signature } = self.signed.as_ref()?;
        let (Some(key), Some(signature)) = (unhex(key), unhex(signature)) else { return Some(false) };
        Some(UnparsedPublicKey::new(&ED25519, key).verify(self.unsigned().as_bytes(), &signature).is_ok())
    }

    fn unsigned(&self) -> String {
        let Anchor { at, transfers, seals, signed: _ } = self;
        format!("{BEGINNING} at={at} transfers={transfers} seals={seals}")
    }
}

impl fmt::Display for ChainEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.digest)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unsigned())?;
        match &self.signed {
            Some(Signed { key, signature }) => write!(f, " key={key} signature={signature}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ChainEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not the end of a chain: COUNT:DIGEST");
        let (seq, digest) = text.split_once(':').ok_or_else(wrong)?;
        let seq = seq.parse().ok().filter(|seq| 0 <= *seq).ok_or_else(wrong)?;
        if (seq == 0) != digest.is_empty() {
            return Err(wrong());
        }
        Ok(ChainEnd { seq, digest: digest.to_owned() })
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest =
            text.strip_prefix(BEGINNING).ok_or_else(|| format!("a line that begins with `{BEGINNING}` is wanted"))?;
        let (mut at, mut transfers, mut seals, mut key, mut signature) = (None, None, None, None, None);
        for word in rest.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is not NAME=VALUE"))?;
            let place = match name {
                "at" => &mut at,
                "transfers" => &mut transfers,
                "seals" => &mut seals,
                "key" => &mut key,
                "signature" => &mut signature,
                _ => return Err(format!("`{name}` is not part of an anchor")),
            };
            if place.replace(value.to_owned()).is_some() {
                return Err(format!("`{name}` stands there twice"));
            }
        }
        let missing = |name: &str| format!("`{name}` is missing");
        let signed = match (key, signature) {
            (None, None) => None,
            (Some(key), Some(signature)) => Some(Signed { key, signature }),
            (Some(_), None) => return Err(missing("signature")),
            (None, Some(_)) => return Err(missing("key")),
        };
        Ok(Anchor {
            at: at.ok_or_else(|| missing("at"))?,
            transfers: transfers.ok_or_else(|| missing("transfers"))?.parse()?,
            seals: seals.ok_or_else(|| missing("seals"))?.parse()?,
            signed,
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
