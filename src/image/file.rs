//! Pictures of the usual file formats, for what people bring; frames of cameras are JPEG, see `jpeg`.

use std::io::Cursor;
use std::path::Path;

use ::image::codecs::png::PngEncoder;
use ::image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader, Limits};

use super::RgbImage;
use crate::base::limits::PICTURE_SIDE_PIXELS_MAX;
use crate::base::{Error, Result};

/// Decodes a picture, whose format its first bytes say: JPEG, PNG, BMP, WebP or GIF (its first picture). What is
/// transparent keeps its colour; what EXIF says was turned is turned upright.
///
/// # Errors
/// When the bytes are none of these, are broken, or hold a picture with a side beyond
/// [`PICTURE_SIDE_PIXELS_MAX`](crate::base::limits::PICTURE_SIDE_PIXELS_MAX).
pub fn decode_picture(bytes: &[u8]) -> Result<RgbImage> {
    let broken = |reason: &dyn std::fmt::Display| {
        Error::input(format!("not a picture that can be read: {reason}")).hint("give a JPEG, PNG, BMP, WebP or GIF")
    };
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| broken(&error))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_PIXELS_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_PIXELS_MAX);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    limits.reserve(decoder.total_bytes()).map_err(|error| broken(&error))?;
    let orientation = decoder.orientation().map_err(|error| broken(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    picture.apply_orientation(orientation);
    let picture = picture.into_rgb8();
    let (width, height) = picture.dimensions();
    RgbImage::from_pixels(width, height, picture.into_raw()).ok_or_else(|| broken(&"its pixels do not fill its size"))
}

/// Whether a file begins as a picture that [`decode_picture`] reads does.
///
/// # Errors
/// When the file cannot be read.
pub fn is_picture(path: &Path) -> Result<bool> {
    let unreadable = |error| Error::io("read", path, &error);
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(unreadable)?;
    Ok(reader.format().is_some_and(|format| format.reading_enabled()))
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
