//! Pictures around changes on shelves. It takes frames that were looked at, what was seen in them, and the changes that the
//! engine found; it gives short strips of pictures, cropped to shelf and hands, on which nobody can be known who was not at the
//! goods. On disk they are encrypted and deleted on time. Nothing of them is evidence for a decision, and nothing waits for them.

mod faces;
mod folder;
mod framing;
mod goods;
mod maker;
mod ring;
mod seal;
mod strip;

#[cfg(test)]
mod tests;

pub use folder::Album;
pub use maker::{Maker, REACHES_MAX, Reach, ReachSender};
pub use ring::Ring;

use crate::base::{Result, Secret, SecretPlace};

/// A new key, as a file with nothing else in it holds it.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_key() -> Result<Secret<String>> {
    let bytes: [u8; 32] = seal::dice()?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Whether a key that encrypts pictures is at this place.
///
/// # Errors
/// When there is none, or it has another form. Nothing of what is there is in the error.
pub fn check_key(place: &SecretPlace) -> Result<()> {
    seal::ShopKey::read(place).map(drop)
}
