//! What the head of a picture's file says: its format and size, before memory is taken for a single pixel.

use std::io::Cursor;

use ::image::metadata::Orientation;
use ::image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broken::broken;
use super::jpeg;
use crate::base::limits::{PICTURE_BYTES_MAX, PICTURE_SIDE_PIXELS_MAX};
use crate::base::{Error, Result};

/// Bytes that tell a format from all others.
pub(super) const MAGIC_BYTES: usize = 18;

/// Memory that what stands in a PNG beside its pixels may take, such as a profile of colours, bytes: it is compressed too.
/// A profile that would take more is left out, as no colour depends on it here; for all else the picture is refused.
const BESIDE_PIXELS_BYTES_MAX: u64 = 16 << 20;

/// How a picture is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// PNG (ISO/IEC 15948).
    Png,
    /// WebP (RFC 9649).
    WebP,
    /// Bitmaps of Windows.
    Bmp,
    /// GIF; its first picture counts.
    Gif,
}

/// What the head of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureHead {
    /// How it is compressed.
    pub format: PictureFormat,
    /// Width and height, pixels, when it is held upright.
    pub size_pixels: [u32; 2],
    /// Width and height as its rows are stored.
    pub(super) stored_pixels: [u32; 2],
    /// How it is turned upright.
    pub(super) orientation: Orientation,
}

impl PictureFormat {
    /// The format that the first eighteen bytes of a picture say, whatever its name or its sender says; `None` when they
    /// are of no picture.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_bitmap = || {
            // Two letters begin many texts: the length of the header that follows belongs to them.
            let length =
                bytes.get(14..18).and_then(|length| length.first_chunk()).map(|length| u32::from_le_bytes(*length));
            bytes.starts_with(b"BM") && matches!(length, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
        };
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(PictureFormat::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(PictureFormat::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(PictureFormat::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(PictureFormat::Gif),
            _ => is_bitmap().then_some(PictureFormat::Bmp),
        }
    }

    /// The format that a label names, such as `jpeg`, `image/png` or `rgb8; jpeg compressed bgr8`.
    pub fn named(label: &str) -> Option<Self> {
        let names = [
            ("jpeg", PictureFormat::Jpeg),
            ("jpg", PictureFormat::Jpeg),
            ("png", PictureFormat::Png),
            ("webp", PictureFormat::WebP),
            ("bmp", PictureFormat::Bmp),
            ("gif", PictureFormat::Gif),
        ];
        let label = label.to_ascii_lowercase();
        names.into_iter().find(|(name, _)| label.contains(name)).map(|(_, format)| format)
    }

    /// How names of its files end.
    pub const fn ending(self) -> &'static str {
        match self {
            PictureFormat::Jpeg => "jpg",
            PictureFormat::Png => "png",
            PictureFormat::WebP => "webp",
            PictureFormat::Bmp => "bmp",
            PictureFormat::Gif => "gif",
        }
    }

    pub(super) const fn codec(self) -> ImageFormat {
        match self {
            PictureFormat::Jpeg => ImageFormat::Jpeg,
            PictureFormat::Png => ImageFormat::Png,
            PictureFormat::WebP => ImageFormat::WebP,
            PictureFormat::Bmp => ImageFormat::Bmp,
            PictureFormat::Gif => ImageFormat::Gif,
        }
    }
}

/// Reads the head of a picture, and whether the file goes on to its end. No memory is taken for pixels.
///
/// # Errors
/// When the bytes are no picture of a [`PictureFormat`], are broken off, are of a kind that is not read (such as twelve bits
/// a sample in JPEG), or claim more than they can hold or than is read: a side beyond
/// [`PICTURE_SIDE_PIXELS_MAX`], or more than [`PICTURE_BYTES_MAX`] of memory.
pub fn picture_head(bytes: &[u8]) -> Result<PictureHead> {
    let Some(format) = PictureFormat::of(bytes) else {
        return Err(Error::input("not a picture: it begins as none does").hint("give a JPEG, PNG, BMP, WebP or GIF"));
    };
    let (stored_pixels, orientation, taken) = match format {
        PictureFormat::Jpeg => {
            let survey = jpeg::survey(bytes).map_err(|reason| broken(&reason))?;
            (survey.size_pixels, survey.orientation, survey.decoding_bytes())
        }
        _ => {
            let mut decoder = decoder(bytes, format)?;
            let orientation = decoder.orientation().map_err(|error| broken(&error))?;
            let (width, height) = decoder.dimensions();
            ([width, height], orientation, decoder.total_bytes())
        }
    };
    let [width, height] = stored_pixels;
    if width == 0 || height == 0 {
        return Err(broken(&format_args!("it has {width}x{height} pixels")));
    }
    if PICTURE_SIDE_PIXELS_MAX < width.max(height) || PICTURE_BYTES_MAX < taken {
        return Err(Error::input(format!("a picture of {width}x{height} pixels is larger than what is read")).hint(
            format!(
                "up to {PICTURE_SIDE_PIXELS_MAX} pixels a side and {} MiB in memory are read",
                PICTURE_BYTES_MAX >> 20
            ),
        ));
    }
    if !ends(bytes, format) {
        return Err(broken(&"it is broken off"));
    }
    let size_pixels = if is_on_its_side(orientation) { [height, width] } else { [width, height] };
    Ok(PictureHead { format, size_pixels, stored_pixels, orientation })
}

/// What reads a picture that is no JPEG, within the bounds of memory.
pub(super) fn decoder(bytes: &[u8], format: PictureFormat) -> Result<impl ImageDecoder + '_> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    let mut limits = Limits::default();
    limits.max_alloc = Some(match format {
        PictureFormat::Png => BESIDE_PIXELS_BYTES_MAX,
        _ => PICTURE_BYTES_MAX,
    });
    reader.limits(limits);
    reader.into_decoder().map_err(|error| broken(&error))
}

const fn is_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// Whether the file goes on to where its format says that it ends; decoders of the others find out by themselves.
fn ends(bytes: &[u8], format: PictureFormat) -> bool {
    match format {
        PictureFormat::Png => png_ends(bytes),
        PictureFormat::WebP => {
            let length =
                bytes.get(4..8).and_then(|length| length.first_chunk()).map_or(0, |length| u32::from_le_bytes(*length));
            u64::from(length) + 8 <= bytes.len() as u64
        }
        PictureFormat::Jpeg | PictureFormat::Bmp | PictureFormat::Gif => true,
    }
}

/// Whether the chunks of a PNG file lead to the one that ends it.
fn png_ends(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((length, kind)) = rest.first_chunk::<8>().map(|head| head.split_at(4)) {
        if kind == b"IEND" {
            return true;
        }
        let length = length.first_chunk().map_or(0, |length| u32::from_be_bytes(*length)) as usize;
        // Length, kind and checksum are four bytes each.
        rest = length.checked_add(12).and_then(|whole| rest.get(whole..)).unwrap_or_default();
    }
    false
}
