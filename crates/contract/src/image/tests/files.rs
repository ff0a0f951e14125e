//! Files of pictures: what they are, whatever they are called, and what becomes of those that claim or lack something.

use std::io::Cursor;

use ::image::{
    DynamicImage, ExtendedColorType, ImageBuffer, ImageDecoder, ImageEncoder, ImageFormat, Luma, Rgba, codecs,
};
use jpeg_encoder::{ColorType, Encoder};

use super::picture;
use crate::base::limits::PICTURE_SIDE_PIXELS_MAX;
use crate::image::head::decoder;
use crate::image::{
    PictureFormat, RgbImage, decode_picture, decode_picture_into, encode_jpeg, encode_png, picture_head, read_picture,
};

/// A picture in a format that the crate for files writes.
fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = (picture.width(), picture.height());
    let pixels = ::image::RgbImage::from_raw(width, height, picture.pixels().to_vec()).unwrap();
    DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Every format that is read, and how far it may be off in a colour of a pixel.
fn all(picture: &RgbImage) -> [(PictureFormat, Vec<u8>, u8); 5] {
    [
        (PictureFormat::Jpeg, encode_jpeg(picture, 90).unwrap(), 32),
        (PictureFormat::Png, encode_png(picture).unwrap(), 0),
        (PictureFormat::WebP, written(picture, ImageFormat::WebP), 0),
        (PictureFormat::Bmp, written(picture, ImageFormat::Bmp), 0),
        (PictureFormat::Gif, written(picture, ImageFormat::Gif), 100),
    ]
}

/// A JPEG with this EXIF orientation.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    exif[24] = orientation;
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif[..], &jpeg[2..]].concat()
}

/// A progressive JPEG.
fn progressive(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_progressive(true);
    encoder.encode(picture.pixels(), picture.width() as u16, picture.height() as u16, ColorType::Rgb).unwrap();
    bytes
}

/// The same JPEG with other sides in its head.
fn claiming(jpeg: &[u8], side: u16) -> Vec<u8> {
    let mut bytes = jpeg.to_vec();
    let head = jpeg.windows(2).position(|two| two == [0xff, 0xc0] || two == [0xff, 0xc2]).unwrap();
    bytes[head + 5..head + 9].copy_from_slice(&[side.to_be_bytes(), side.to_be_bytes()].concat());
    bytes
}

#[test]
fn every_format_is_known_by_its_bytes_and_read() {
    let before = picture(40, 24);
    for (format, bytes, off_max) in all(&before) {
        assert_eq!(PictureFormat::of(&bytes), Some(format));
        let head = picture_head(&bytes).unwrap();
        assert_eq!((head.format, head.size_pixels), (format, [40, 24]));
        let after = decode_picture(&bytes).unwrap();
        assert_eq!((after.width(), after.height()), (40, 24), "{format:?}");
        for (x, y) in (0..40).flat_map(|x| (0..24).map(move |y| (x, y))) {
            let [one, other] = [&before, &after].map(|picture| picture.get(x, y).unwrap());
            let off = one.into_iter().zip(other).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            // JPEG has colours at half the resolution: at its sides the square and what is around it run into each other.
            let by_a_side = (14..18).contains(&y) || (14..18).contains(&x) || (30..34).contains(&x);
            let runs = format == PictureFormat::Jpeg && by_a_side;
            assert!(off <= if runs { 128 } else { off_max }, "{format:?}: {off} at {x}, {y}");
        }
    }
    for text in ["", "BMW is no bitmap, and neither is this", "RIFF....WAVE", "\u{89}MCAP0"] {
        assert_eq!(PictureFormat::of(text.as_bytes()), None);
        assert!(picture_head(text.as_bytes()).is_err() && decode_picture(text.as_bytes()).is_err());
    }
    let labels = ["jpeg", "JPG", "image/png", "rgb8; jpeg compressed bgr8", "webp", "h264"].map(PictureFormat::named);
    let [jpeg, png, webp] = [PictureFormat::Jpeg, PictureFormat::Png, PictureFormat::WebP].map(Some);
    assert_eq!(labels, [jpeg, jpeg, png, jpeg, webp, None]);
}

#[test]
fn half_a_picture_is_none() {
    let before = picture(64, 48);
    for (format, bytes, _) in all(&before).into_iter().chain([(PictureFormat::Jpeg, progressive(&before), 32)]) {
        assert!(decode_picture(&bytes).is_ok());
        for share in [0, 1, 4, 8, 12, 15] {
            assert!(decode_picture(&bytes[..bytes.len() * share / 16]).is_err(), "{share}/16 of {format:?}");
        }
    }
    let jpeg = encode_jpeg(&before, 80).unwrap();
    // Without its end, and with the end where data should be.
    assert!(decode_picture(&jpeg[..jpeg.len() - 2]).is_err());
    let scan = jpeg.windows(2).position(|two| two == [0xff, 0xda]).unwrap() + 14;
    for share in 1..8 {
        let data = (jpeg.len() - scan) * share / 8;
        assert!(decode_picture(&[&jpeg[..scan + data], &[0xff, 0xd9]].concat()).is_err(), "{share}/8 of the data");
    }
    let passes = progressive(&before);
    let last = passes.windows(2).rposition(|two| two == [0xff, 0xda]).unwrap();
    assert!(decode_picture(&[&passes[..last], &[0xff, 0xd9]].concat()).is_err());
    // One colour takes a few bits a block, and the decoder reads ahead of it.
    for side in [1, 8, 16, 17, 64, 100] {
        let flat = RgbImage::from_pixels(side, side, vec![128; (3 * side * side) as usize]).unwrap();
        let bytes = encode_jpeg(&flat, 50).unwrap();
        assert_eq!(decode_picture(&bytes).map(|read| read.get(0, 0)).unwrap(), Some([128; 3]), "{side}");
    }
    // What stands behind the end is nobody's business.
    assert!(decode_picture(&[&jpeg[..], b"tail"].concat()).is_ok());
    let mut frame = RgbImage::new(0, 0);
    for side in [40, 24, 40] {
        let bytes = encode_jpeg(&picture(side, 16), 90).unwrap();
        decode_picture_into(&bytes, &picture_head(&bytes).unwrap(), &mut frame).unwrap();
        assert_eq!(frame, decode_picture(&bytes).unwrap());
    }
    assert!(encode_jpeg(&RgbImage::new(0, 4), 80).unwrap_err().to_string().contains("0 x 4"));
    assert!(encode_png(&RgbImage::new(0, 3)).is_err());
}

#[test]
fn what_a_head_claims_is_held_against_what_there_is() {
    for jpeg in [encode_jpeg(&picture(64, 64), 80).unwrap(), progressive(&picture(64, 64))] {
        let error = picture_head(&claiming(&jpeg, 16_384)).unwrap_err().to_string();
        assert!(error.contains("16384x16384") && error.contains("can hold"), "{error}");
        // Beyond what is read, though there may be the bytes for it.
        let long = [&claiming(&jpeg, 16_384)[..jpeg.len() - 2], &[0; 1 << 20], &[0xff, 0xd9]].concat();
        assert!(picture_head(&long).unwrap_err().to_string().contains("larger than what is read"));
    }
    let mut wide = encode_png(&picture(8, 8)).unwrap();
    wide[16..20].copy_from_slice(&(PICTURE_SIDE_PIXELS_MAX + 1).to_be_bytes());
    assert!(picture_head(&wide).is_err());
    // What stands beside the pixels is compressed too: a profile of colours that takes too much is not unpacked.
    for (length, is_kept) in [(1 << 20, true), (40 << 20, false)] {
        let mut bytes = Vec::new();
        let mut encoder = codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(vec![0; length]).unwrap();
        encoder.write_image(&[9; 48], 4, 4, ExtendedColorType::Rgb8).unwrap();
        assert!(bytes.len() < 1 << 20);
        let profile = decoder(&bytes, PictureFormat::Png).unwrap().icc_profile().unwrap();
        assert_eq!(profile.map(|profile| profile.len()), is_kept.then_some(length));
        // The pixels are right without it.
        assert_eq!(decode_picture(&bytes).unwrap().pixels(), [9; 48]);
    }
    // What says how it is turned matters, and is refused where it takes too much.
    let mut bytes = Vec::new();
    let mut encoder = codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(vec![0; 17 << 20]).unwrap();
    encoder.write_image(&[9; 48], 4, 4, ExtendedColorType::Rgb8).unwrap();
    assert!(picture_head(&bytes).is_err());
    // A great many passes over the same blocks.
    let jpeg = progressive(&picture(16, 16));
    let scan = jpeg.windows(2).rposition(|two| two == [0xff, 0xda]).unwrap();
    let (before, last) = jpeg[..jpeg.len() - 2].split_at(scan);
    let many = [before, &last.repeat(101)[..], &[0xff, 0xd9]].concat();
    assert!(picture_head(&many).unwrap_err().to_string().contains("passes"));
    // Twelve bits a sample, and a kind of JPEG that is not read, are named as what they are.
    let head = jpeg.windows(2).position(|two| two == [0xff, 0xc2]).unwrap();
    let with = |at: usize, byte: u8| [&jpeg[..at], &[byte], &jpeg[at + 1..]].concat();
    assert!(picture_head(&with(head + 4, 12)).unwrap_err().to_string().contains("12 bits a sample"));
    assert!(picture_head(&with(head + 1, 0xc3)).unwrap_err().to_string().contains("kind of JPEG"));
}

#[test]
fn deep_grey_transparent_and_printers_colours_become_red_green_and_blue() {
    let grey = ImageBuffer::from_fn(16, 16, |x, _| Luma([((x as u16) << 12) | 0x0fff]));
    let mut bytes = Cursor::new(Vec::new());
    grey.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let read = decode_picture(bytes.get_ref()).unwrap();
    let levels: Vec<u8> = (0..16).map(|x| read.get(x, 3).unwrap()[1]).collect();
    assert!(levels.iter().zip(0_u8..).all(|(level, x)| level.abs_diff(16 * x + 15) <= 1), "{levels:?}");
    let glass = ImageBuffer::from_pixel(4, 4, Rgba([200_u8, 100, 50, 0]));
    let mut bytes = Vec::new();
    let encoder = codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(glass.as_raw(), 4, 4, ExtendedColorType::Rgba8).unwrap();
    assert_eq!(decode_picture(&bytes).unwrap().get(1, 1), Some([200, 100, 50]));
    // Cyan ink at full strength and nothing else is the absence of red.
    for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 100).encode(&[255, 0, 0, 0].repeat(16 * 16), 16, 16, kind).unwrap();
        let [red, green, blue] = decode_picture(&bytes).unwrap().get(8, 8).unwrap();
        assert!(red < 10 && 245 < green && 245 < blue, "{kind:?}: {red} {green} {blue}");
    }
}

#[test]
fn a_camera_that_was_turned_is_read_upright() {
    let before = picture(20, 30);
    let jpeg = encode_jpeg(&before, 90).unwrap();
    let upright = decode_picture(&jpeg).unwrap();
    let on_its_side = turned(&jpeg, 6);
    assert_eq!(picture_head(&on_its_side).unwrap().size_pixels, [30, 20]);
    let read = decode_picture(&on_its_side).unwrap();
    assert_eq!((read.width(), read.height()), (30, 20));
    // The corner in the lower left of what is stored is the upper left one.
    assert_eq!(read.get(0, 0), upright.get(0, 29));
    let over_head = decode_picture(&turned(&jpeg, 3)).unwrap();
    assert_eq!((over_head.width(), over_head.get(0, 0)), (20, upright.get(19, 29)));
    // An orientation that does not exist is none.
    assert_eq!(decode_picture(&turned(&jpeg, 77)).unwrap(), upright);
}

#[test]
fn a_file_is_read_by_what_is_in_it_and_its_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("label.jpg");
    let before = picture(20, 30);
    std::fs::write(&path, encode_png(&before).unwrap()).unwrap();
    assert_eq!(read_picture(&path).unwrap(), before);
    std::fs::write(&path, b"no picture at all").unwrap();
    assert!(read_picture(&path).unwrap_err().to_string().contains("label.jpg"));
}
