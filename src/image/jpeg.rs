//! JPEG (ITU-T T.81), baseline.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::RgbImage;
use crate::base::limits::PICTURE_SIDE_PIXELS_MAX;
use crate::base::{Error, Result};

/// Encodes a picture with a quality of 1 to 100 and colours at half the resolution, as cameras do.
///
/// # Errors
/// When a side is 0 or longer than 65,535 pixels, which JPEG cannot say.
pub fn encode_jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let side = |length: u32| u16::try_from(length).ok().filter(|length| 0 < *length);
    let (width, height) = (side(picture.width()), side(picture.height()));
    let Some((width, height)) = width.zip(height) else {
        let size = format!("{} x {}", picture.width(), picture.height());
        return Err(Error::input(format!("a picture of {size} pixels does not fit into JPEG (1 to 65,535 a side)")));
    };
    let mut bytes = Vec::with_capacity(picture.pixels().len() / 8);
    let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let written = encoder.encode(picture.pixels(), width, height, ColorType::Rgb);
    written.map_err(|error| Error::input(format!("cannot encode a picture as JPEG: {error}")))?;
    Ok(bytes)
}

/// Decodes a picture; grey ones become colour.
///
/// # Errors
/// When the bytes are no JPEG, are cut off, or hold a picture with a side beyond
/// [`PICTURE_SIDE_PIXELS_MAX`](crate::base::limits::PICTURE_SIDE_PIXELS_MAX).
pub fn decode_jpeg(bytes: &[u8]) -> Result<RgbImage> {
    let mut picture = RgbImage::new(0, 0);
    decode_jpeg_into(bytes, &mut picture)?;
    Ok(picture)
}

/// Decodes a picture into one that is there already, and takes over its memory: frames of one size need no new one
/// for their pixels.
///
/// # Errors
/// As [`decode_jpeg`]; the picture then holds pixels that mean nothing.
pub fn decode_jpeg_into(bytes: &[u8], picture: &mut RgbImage) -> Result<()> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(PICTURE_SIDE_PIXELS_MAX as usize)
        .set_max_height(PICTURE_SIDE_PIXELS_MAX as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let broken = |reason: &dyn std::fmt::Display| Error::input(format!("not a whole JPEG picture: {reason}"));
    decoder.decode_headers().map_err(|error| broken(&error))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| broken(&"it has no size"))?;
    picture.resize(width as u32, height as u32);
    decoder.decode_into(picture.pixels_mut()).map_err(|error| broken(&error))
}
