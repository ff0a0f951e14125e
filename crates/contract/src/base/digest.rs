//! Digests as text.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// SHA-256, as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Bytes in lower-case hexadecimal, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of a link of a chain: SHA-256 of its parts and of the digest of the link before it (empty for the first),
/// 64 hexadecimal digits.
pub fn chained(previous: &str, parts: &[&str]) -> String {
    let mut text = String::with_capacity(256);
    parts.iter().for_each(|part| add_part(&mut text, part));
    add_part(&mut text, previous);
    sha256(text.as_bytes())
}

/// Adds a part to what is digested. Its length goes ahead, so that parts cannot run into each other.
pub fn add_part(text: &mut String, part: &str) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{}:{part}/", part.len());
}
