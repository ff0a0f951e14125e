//! Pictures of the usual file formats, as people and cameras bring them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::image::codecs::png::PngEncoder;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage as Pixels};

use super::broken::broken;
use super::head::{MAGIC_BYTES, decoder};
use super::{PictureFormat, PictureHead, RgbImage, jpeg, picture_head};
use crate::base::limits::PICTURE_BYTES_MAX;
use crate::base::{Error, Result};

/// Decodes a picture, whose format its first bytes say: JPEG, PNG, BMP, WebP or GIF (its first picture). What is
/// transparent keeps its colour, of sixteen bits a sample the upper ones count; what EXIF says was turned is turned
/// upright.
///
/// # Errors
/// As [`picture_head`], and when the pixels are damaged.
pub fn decode_picture(bytes: &[u8]) -> Result<RgbImage> {
    let mut picture = RgbImage::new(0, 0);
    decode_picture_into(bytes, &picture_head(bytes)?, &mut picture)?;
    Ok(picture)
}

/// Decodes a picture whose head was read into one that is there already, and takes over its memory: JPEG frames of one
/// size need no new one for their pixels.
///
/// # Errors
/// When the pixels are damaged; the picture then holds some that mean nothing.
pub fn decode_picture_into(bytes: &[u8], head: &PictureHead, picture: &mut RgbImage) -> Result<()> {
    let mut pixels = match head.format {
        PictureFormat::Jpeg => {
            jpeg::decode_rows(bytes, head.stored_pixels, picture)?;
            if head.orientation == Orientation::NoTransforms {
                return Ok(());
            }
            let [width, height] = head.stored_pixels;
            Pixels::from_raw(width, height, std::mem::take(picture).into_pixels()).map(DynamicImage::from)
        }
        format => Some(DynamicImage::from_decoder(decoder(bytes, format)?).map_err(|error| broken(&error))?),
    };
    if let Some(pixels) = &mut pixels {
        pixels.apply_orientation(head.orientation);
    }
    let whole = pixels.map(DynamicImage::into_rgb8).and_then(|pixels| {
        let (width, height) = pixels.dimensions();
        RgbImage::from_pixels(width, height, pixels.into_raw())
    });
    *picture = whole.ok_or_else(|| broken(&"its pixels do not fill its size"))?;
    Ok(())
}

/// Whether a file begins as a picture that [`decode_picture`] reads does.
///
/// # Errors
/// When the file cannot be read.
pub fn is_picture(path: &Path) -> Result<bool> {
    let unreadable = |error| Error::io("read", path, &error);
    let mut magic = Vec::with_capacity(MAGIC_BYTES);
    File::open(path).map_err(unreadable)?.take(MAGIC_BYTES as u64).read_to_end(&mut magic).map_err(unreadable)?;
    Ok(PictureFormat::of(&magic).is_some())
}

/// Reads and decodes the file of a picture.
///
/// # Errors
/// When the file cannot be read or is larger than [`PICTURE_BYTES_MAX`], and as [`decode_picture`]; with its path.
pub fn read_picture(path: &Path) -> Result<RgbImage> {
    let unreadable = |error| Error::io("read", path, &error);
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(PICTURE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if PICTURE_BYTES_MAX < bytes.len() as u64 {
        let message = format!("a picture of more than {} MiB is not read", PICTURE_BYTES_MAX >> 20);
        return Err(Error::input(message).at_path(path));
    }
    decode_picture(&bytes).map_err(|error| error.at_path(path))
}

/// Encodes a picture as PNG, without loss.
///
/// # Errors
/// When the picture is empty.
pub fn encode_png(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    let written = encoder.write_image(picture.pixels(), picture.width(), picture.height(), ExtendedColorType::Rgb8);
    written.map_err(|error| Error::input(format!("cannot encode a picture as PNG: {error}")))?;
    Ok(bytes)
}
