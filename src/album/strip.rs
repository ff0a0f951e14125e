//! What is known of a strip of pictures besides the pictures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::{CameraId, ShelfId, ShopTime, TimeRange, VisitId};
use crate::facts::FactRef;
use crate::geometry::PixelBox;

/// The pictures around one change on a shelf. It is encrypted with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Strip {
    /// The change, as attributions point to it.
    pub(super) event: FactRef,
    /// Where it was.
    pub(super) shelf: ShelfId,
    /// When it was, from quiet to quiet.
    pub(super) span: TimeRange,
    /// Who may have taken the goods: whose hands were there. In order.
    pub(super) visits: Vec<VisitId>,
    /// The pictures, camera by camera, in order of time.
    pub(super) shots: Vec<Shot>,
}

/// What is known of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shot {
    /// Which camera took it.
    pub(super) camera: CameraId,
    /// When.
    pub(super) at: ShopTime,
    /// Width and height, pixels.
    pub(super) size_pixels: [u32; 2],
    /// How large it is as JPEG, bytes.
    pub(super) bytes: u64,
    /// The heads that were left as they are.
    pub(super) heads: Vec<Head>,
}

/// The head of somebody who may have taken the goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// Whose visit it is taken to be.
    pub(super) visit: VisitId,
    /// Where it is in the picture.
    pub(super) bounds: PixelBox,
}

/// The name of a strip: dice, so that it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StripName(pub(super) [u8; 16]);

impl fmt::Display for StripName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for StripName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or(())?;
        Ok(StripName(number.to_be_bytes()))
    }
}
