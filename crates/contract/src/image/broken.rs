//! What is said of bytes that are no whole picture.

use std::fmt::Display;

use crate::base::Error;

pub(super) fn broken(reason: &dyn Display) -> Error {
    Error::input(format!("not a whole picture that can be read: {reason}")).hint("give a JPEG, PNG, BMP, WebP or GIF")
}
