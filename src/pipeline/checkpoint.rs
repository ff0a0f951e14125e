//! The bytes of a checkpoint: a head that says what it is and of which shop, and the state as MessagePack.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `AISLESAV` |
//! | 2 | version of the format, big-endian |
//! | 1, then so many | version of aisle that wrote it, UTF-8 |
//! | 32 | SHA-256 of the shop's draft as JSON |
//! | 32 | SHA-256 of everything before and of the state |
//! | the rest | the state |

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::{Error, Result};
use crate::shop::Shop;

const MAGIC: &[u8; 8] = b"AISLESAV";
/// Rises with every change of what a stage remembers.
const FORMAT: u16 = 9;
const AISLE: &str = env!("CARGO_PKG_VERSION");
const HINT: &str = "start without it; visits that were open then are for a person to look at";

type Digest = [u8; SHA256_OUTPUT_LEN];

/// Writes behind what stands in `bytes` already.
pub(super) fn write(shop: &Shop, state: &impl Serialize, bytes: &mut Vec<u8>) -> Result<()> {
    let begin = bytes.len();
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_be_bytes());
    bytes.push(AISLE.len() as u8);
    bytes.extend(AISLE.as_bytes());
    bytes.extend(digest_of_shop(shop)?);
    let head = bytes.len();
    bytes.extend(Digest::default());
    let body = bytes.len();
    // Fields have names, since some are left out when they are empty.
    let mut serializer = rmp_serde::Serializer::new(&mut *bytes).with_struct_map();
    state
        .serialize(&mut serializer)
        .map_err(|error| Error::input(format!("the state of the engine cannot be written: {error}")))?;
    let digest = digest(&[&bytes[begin..head], &bytes[body..]]);
    bytes[head..body].copy_from_slice(&digest);
    Ok(())
}

pub(super) fn read<T: DeserializeOwned>(shop: &Shop, bytes: &[u8]) -> Result<T> {
    let mut rest = bytes;
    if take(&mut rest)? != MAGIC {
        return Err(Error::input("this is no checkpoint").hint(HINT));
    }
    let format = u16::from_be_bytes(*take(&mut rest)?);
    let [length] = *take(&mut rest)?;
    let (aisle, after) = rest.split_at_checked(usize::from(length)).ok_or_else(damaged)?;
    rest = after;
    if format != FORMAT {
        let aisle = String::from_utf8_lossy(aisle);
        return Err(Error::input(format!(
            "the checkpoint has format {format}, of aisle {aisle}; this is aisle {AISLE}, which reads format {FORMAT}"
        ))
        .hint(HINT));
    }
    let of_shop: &Digest = take(&mut rest)?;
    let head = bytes.len() - rest.len();
    let found: &Digest = take(&mut rest)?;
    if *found != digest(&[&bytes[..head], rest]) {
        return Err(damaged());
    }
    if *of_shop != digest_of_shop(shop)? {
        return Err(Error::input(format!(
            "the checkpoint is of another shop, or of {} before it was changed",
            shop.name()
        ))
        .hint(HINT));
    }
    decode(rest)
}

/// The state alone. What it claims of its lengths costs no memory before the bytes are there.
pub(super) fn decode<T: DeserializeOwned>(state: &[u8]) -> Result<T> {
    rmp_serde::from_slice(state)
        .map_err(|error| Error::input(format!("the state in the checkpoint cannot be read: {error}")).hint(HINT))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk().ok_or_else(damaged)?;
    *rest = after;
    Ok(taken)
}

fn damaged() -> Error {
    Error::input("the checkpoint is damaged: bytes are missing or changed").hint(HINT)
}

fn digest(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

fn digest_of_shop(shop: &Shop) -> Result<Digest> {
    let draft = serde_json::to_vec(shop.draft())
        .map_err(|error| Error::input(format!("the shop cannot be written as JSON: {error}")))?;
    Ok(digest(&[&draft]))
}
