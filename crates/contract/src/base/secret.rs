//! What must not be read by chance: keys, passwords, payment tokens.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::{Error, Result};

/// Bytes of a secret that is read from a file.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// A value that prints as `[redacted]` and is not written out by `serde`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value itself; whoever calls this answers for where it goes.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Secret)
    }
}

/// Where a secret is: never the secret itself, so that it may be shown and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an environment variable of this name.
    Variable(String),
    /// In this file, which holds nothing else.
    File(PathBuf),
}

impl SecretPlace {
    /// The secret that the key `name` points to. Neither it nor a part of it is ever in the error.
    ///
    /// # Errors
    /// A sentence: the place is absent or unreadable, or what is in it is not of the `form` that `fits` asks for.
    pub fn read(&self, name: &str, fits: impl Fn(&str) -> bool, form: &str) -> Result<Secret<String>, String> {
        let text = match self {
            SecretPlace::Variable(variable) => std::env::var(variable).map_err(|_| "is not set".to_owned()),
            SecretPlace::File(path) => read_file(path).map_err(|error| error.message().to_owned()),
        };
        let text = text.map_err(|why| format!("`{name}`: {self} {why}"))?;
        let text = text.trim();
        match fits(text) {
            true => Ok(Secret::new(text.to_owned())),
            false => Err(format!("`{name}`: what is in {self} is not {form}")),
        }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretPlace::Variable(name) => write!(f, "the environment variable {name}"),
            SecretPlace::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// What is in a file that holds a key and nothing else, secret or not.
///
/// # Errors
/// When it cannot be read, or is larger than any key.
pub fn read_file(path: &Path) -> Result<String> {
    let length = std::fs::metadata(path).map_err(|error| Error::io("read", path, &error))?.len();
    if SECRET_BYTES_MAX < length {
        return Err(Error::usage("is too large for a key").at_path(path));
    }
    std::fs::read_to_string(path).map_err(|error| Error::io("read", path, &error))
}
