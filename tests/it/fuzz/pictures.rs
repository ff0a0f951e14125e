//! Pictures as somebody may send them as frames: broken, mislabelled, claiming more than there is.

use std::io::Cursor;

use aisle::image::{RgbImage, decode_picture_into, picture_head};
use image::ImageFormat;
use jpeg_encoder::{ColorType, Encoder};

/// Larger pictures are not decoded here, as those of cameras are not that are much larger than the shop says.
const PIXELS_MAX: u64 = 1 << 20;

/// A frame: what its head says is what its pixels are.
pub(super) fn picture(input: &[u8]) {
    let head = match picture_head(input) {
        Ok(head) => head,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let pixels: u64 = head.size_pixels.into_iter().map(u64::from).product();
    assert!(0 < pixels && pixels * 3 <= aisle::base::limits::PICTURE_BYTES_MAX);
    if pixels <= PIXELS_MAX {
        let mut picture = RgbImage::new(0, 0);
        match decode_picture_into(input, &head, &mut picture) {
            Ok(()) => assert_eq!([picture.width(), picture.height()], head.size_pixels),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// The first examples: one of every format. With `AISLE_BLESS=1` those that are missing are written.
#[test]
fn first_pictures() {
    let drawn = image::RgbImage::from_fn(24, 20, |x, y| image::Rgb([10 * x as u8, 12 * y as u8, 90]));
    let mut examples = Vec::new();
    for (name, format) in [
        ("png.png", ImageFormat::Png),
        ("webp.webp", ImageFormat::WebP),
        ("bmp.bmp", ImageFormat::Bmp),
        ("gif.gif", ImageFormat::Gif),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        drawn.write_to(&mut bytes, format).unwrap();
        examples.push((name, bytes.into_inner()));
    }
    for (name, is_progressive) in [("baseline.jpg", false), ("progressive.jpg", true)] {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 60);
        encoder.set_progressive(is_progressive);
        encoder.encode(drawn.as_raw(), 24, 20, ColorType::Rgb).unwrap();
        examples.push((name, bytes));
    }
    let folder = super::corpus_folder("pictures");
    for (name, bytes) in examples {
        assert_eq!(picture_head(&bytes).unwrap().size_pixels, [24, 20], "{name}");
        picture(&bytes);
        let path = folder.join(name);
        if std::env::var_os("AISLE_BLESS").is_some_and(|value| value == "1") && !path.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}
