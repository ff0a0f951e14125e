//! The form of a strip on disk: a head that anybody may read and nobody may change, and sealed parts. Each strip has a key of its
//! own, which lies in its head, sealed with the shop's; without those bytes the rest says nothing, also to whoever has the shop's.
//!
//! ChaCha20-Poly1305 (RFC 8439), which is as fast on a small board as anywhere. The head and the name of the file are
//! authenticated with every part, so that no part, and no file, can stand in the place of another.

use std::ops::Range;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::strip::StripName;
use crate::base::{Error, Result, Secret, SecretPlace, ShopTime};

/// What such a file begins with, and the number of this form.
const MAGIC: &[u8; 8] = b"AISLEPIX";
const FORM: u8 = 1;
/// What is authenticated to make the name of a key.
const KEY_NAME: &[u8] = b"aisle: the name of a key of pictures";
/// Bytes of a key, of its name, and of what sealing adds.
const KEY_BYTES: usize = 32;
const KEY_NAME_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// What is in the head, by place.
const KEY_AT: Range<usize> = 9..17;
const AT_AT: Range<usize> = 17..25;
const UNTIL_AT: Range<usize> = 25..33;
const NONCE_AT: Range<usize> = 33..45;
/// Where the key of the strip is: these bytes are written over before a file is deleted.
pub(super) const WRAPPED_AT: Range<usize> = 45..93;
const COUNT_AT: Range<usize> = 93..95;
const LENGTHS_AT: usize = 95;
/// Parts of a strip, and bytes of one, at most.
pub(super) const PARTS_MAX: usize = 128;
const PART_BYTES_MAX: usize = 16 << 20;
/// The longest head.
pub(super) const HEAD_BYTES_MAX: usize = LENGTHS_AT + 4 * PARTS_MAX;

/// The key of a shop, by which the keys of strips are sealed.
#[derive(Clone)]
pub(super) struct ShopKey {
    key: Secret<[u8; KEY_BYTES]>,
    name: [u8; KEY_NAME_BYTES],
}

/// What the head of a strip says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealHead {
    key: [u8; KEY_NAME_BYTES],
    /// When the change was.
    pub(super) at: ShopTime,
    /// From when on the strip is to be deleted, as the shop said when it was written.
    pub(super) until: ShopTime,
    /// Where the sealed parts are in the file.
    parts: Vec<Range<usize>>,
}

impl ShopKey {
    /// The key at this place: 64 hexadecimal digits.
    ///
    /// # Errors
    /// When there is none, or it has another form. Nothing of what is there is in the error.
    pub(super) fn read(place: &SecretPlace) -> Result<Self> {
        let key = match place {
            SecretPlace::Variable(_) => "key_env",
            SecretPlace::File(_) => "key_file",
        };
        let form = "a key: 64 hexadecimal digits";
        let text = place.read(&format!("pictures.{key}"), |text| digits(text).is_some(), form);
        let hint =
            "`openssl rand -hex 32` makes one; without it pictures that are there cannot be read again, so keep a copy";
        let text = text.map_err(|why| Error::usage(why).hint(hint))?;
        digits(text.reveal()).map(ShopKey::new).ok_or_else(|| Error::usage(format!("this is not {form}")))
    }

    pub(super) fn new(key: [u8; KEY_BYTES]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), KEY_NAME);
        let mut name = [0; KEY_NAME_BYTES];
        name.copy_from_slice(&tag.as_ref()[..KEY_NAME_BYTES]);
        ShopKey { key: Secret::new(key), name }
    }

    /// Whether a strip was sealed with this key.
    pub(super) fn is_of(&self, head: &SealHead) -> bool {
        self.name == head.key
    }
}

/// Bytes of 64 hexadecimal digits.
fn digits(text: &str) -> Option<[u8; KEY_BYTES]> {
    let is_hex = text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut key = [0; KEY_BYTES];
    for (index, byte) in key.iter_mut().enumerate().filter(|_| is_hex) {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    is_hex.then_some(key)
}

/// Bytes that nobody can guess.
///
/// # Errors
/// When the system gives none.
pub(super) fn dice<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let thrown = SystemRandom::new().fill(&mut bytes);
    thrown.map(|()| bytes).map_err(|_| Error::unavailable("the system gives no random bytes"))
}

/// Seals parts under a name.
///
/// # Errors
/// When there are too many parts, one is too large, or the system gives no random bytes.
pub(super) fn seal(
    shop: &ShopKey,
    name: StripName,
    (at, until): (ShopTime, ShopTime),
    parts: &[&[u8]],
) -> Result<Vec<u8>> {
    let fits = (1..=PARTS_MAX).contains(&parts.len()) && parts.iter().all(|part| part.len() <= PART_BYTES_MAX);
    if !fits {
        return Err(Error::input("a strip of pictures has too many parts, or one is too large"));
    }
    let (key, nonce): ([u8; KEY_BYTES], [u8; NONCE_LEN]) = (dice()?, dice()?);
    let mut file = Vec::with_capacity(LENGTHS_AT + parts.iter().map(|part| part.len() + TAG_BYTES + 4).sum::<usize>());
    file.extend_from_slice(MAGIC);
    file.push(FORM);
    file.extend_from_slice(&shop.name);
    file.extend_from_slice(&at.as_nanos().to_be_bytes());
    file.extend_from_slice(&until.as_nanos().to_be_bytes());
    let mut wrapped = key.to_vec();
    let with = [&file, &name.0[..]].concat();
    file.extend_from_slice(&nonce);
    close(shop.key.reveal(), nonce, &with, &mut wrapped)?;
    file.extend_from_slice(&wrapped);
    file.extend_from_slice(&(parts.len() as u16).to_be_bytes());
    for part in parts {
        file.extend_from_slice(&((part.len() + TAG_BYTES) as u32).to_be_bytes());
    }
    let with = [&file, &name.0[..]].concat();
    for (index, part) in parts.iter().enumerate() {
        let mut sealed = part.to_vec();
        close(&key, numbered(index), &with, &mut sealed)?;
        file.extend_from_slice(&sealed);
    }
    Ok(file)
}

impl SealHead {
    /// What the beginning of a file says: it has at least [`HEAD_BYTES_MAX`] bytes, or all of them. `length` is that of the file.
    ///
    /// # Errors
    /// When it is no strip, or not whole.
    pub(super) fn of(begin: &[u8], length: u64) -> Result<Self> {
        let foreign = || Error::input("this is no strip of pictures");
        let cut = || Error::input("this strip of pictures is not whole");
        if !begin.starts_with(MAGIC) {
            return Err(foreign());
        }
        if begin.get(MAGIC.len()).is_some_and(|form| *form != FORM) {
            return Err(Error::input(
                "this strip of pictures was written by another aisle, in a form that this one does not know",
            ));
        }
        let number = |range: Range<usize>| {
            let bytes: Option<[u8; 8]> = begin.get(range).and_then(|bytes| bytes.try_into().ok());
            bytes.map(i64::from_be_bytes).ok_or_else(cut)
        };
        let (at, until) = (ShopTime::from_nanos(number(AT_AT)?), ShopTime::from_nanos(number(UNTIL_AT)?));
        let key = begin.get(KEY_AT).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cut)?;
        let count: [u8; 2] = begin.get(COUNT_AT).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cut)?;
        let count = usize::from(u16::from_be_bytes(count));
        if !(1..=PARTS_MAX).contains(&count) {
            return Err(foreign());
        }
        let lengths = begin.get(LENGTHS_AT..LENGTHS_AT + 4 * count).ok_or_else(cut)?;
        let (lengths, _) = lengths.as_chunks::<4>();
        let mut begins = LENGTHS_AT + 4 * count;
        let mut parts = Vec::with_capacity(count);
        for length in lengths {
            let length = u32::from_be_bytes(*length) as usize;
            if PART_BYTES_MAX + TAG_BYTES < length {
                return Err(foreign());
            }
            parts.push(begins..begins + length);
            begins += length;
        }
        if begins as u64 == length { Ok(SealHead { key, at, until, parts }) } else { Err(cut()) }
    }

    /// Up to where the file has to be read for this part.
    pub(super) fn end_of(&self, part: usize) -> Option<usize> {
        self.parts.get(part).map(|part| part.end)
    }

    /// A part, out of the file up to its end.
    ///
    /// # Errors
    /// When there is no such part, the key is another one, or anything was changed or has another name.
    pub(super) fn open(&self, shop: &ShopKey, name: StripName, file: &[u8], part: usize) -> Result<Vec<u8>> {
        if !shop.is_of(self) {
            return Err(Error::input("this strip of pictures was written under another key"));
        }
        let changed = || Error::input("this strip of pictures was changed, or has the name of another one");
        let nonce: [u8; NONCE_LEN] = file.get(NONCE_AT).and_then(|nonce| nonce.try_into().ok()).ok_or_else(changed)?;
        let before = file.get(..NONCE_AT.start).ok_or_else(changed)?;
        let wrapped = file.get(WRAPPED_AT).ok_or_else(changed)?;
        let key = unseal(shop.key.reveal(), nonce, &[before, &name.0[..]].concat(), wrapped).ok_or_else(changed)?;
        let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| changed())?;
        let head = file.get(..LENGTHS_AT + 4 * self.parts.len()).ok_or_else(changed)?;
        let sealed = self.parts.get(part).and_then(|range| file.get(range.clone())).ok_or_else(changed)?;
        unseal(&key, numbered(part), &[head, &name.0[..]].concat(), sealed).ok_or_else(changed)
    }
}

/// The key of a strip seals each part once, so their numbers are fresh.
fn numbered(part: usize) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&(part as u64).to_be_bytes());
    nonce
}

fn cipher(key: &[u8; KEY_BYTES]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new)
}

fn close(key: &[u8; KEY_BYTES], nonce: [u8; NONCE_LEN], with: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let closed = cipher(key).and_then(|key| key.seal_in_place_append_tag(nonce, Aad::from(with), bytes).ok());
    closed.ok_or_else(|| Error::broken("pictures could not be encrypted"))
}

fn unseal(key: &[u8; KEY_BYTES], nonce: [u8; NONCE_LEN], with: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = sealed.to_vec();
    let opened =
        cipher(key)?.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(with), &mut bytes).ok()?.len();
    bytes.truncate(opened);
    Some(bytes)
}
