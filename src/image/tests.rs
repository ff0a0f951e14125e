use super::*;

/// A soft gradient with a bright square in it.
fn picture(width: u32, height: u32) -> RgbImage {
    let mut picture = RgbImage::new(width, height);
    for y in 0..height {
        for x in 0..width {
            let bright = x / 16 == 1 && y / 16 == 1;
            picture.set(x, y, if bright { [250, 240, 60] } else { [x as u8, y as u8, 128] });
        }
    }
    picture
}

#[test]
fn jpeg_keeps_a_picture_nearly() {
    for (width, height) in [(64, 48), (33, 17), (1, 1)] {
        let before = picture(width, height);
        let after = decode_jpeg(&encode_jpeg(&before, 95).unwrap()).unwrap();
        assert_eq!((after.width(), after.height()), (width, height));
        let off = before.pixels().iter().zip(after.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
        assert!(off / (before.pixels().len() as u64) < 8, "{width} x {height}: {off}");
    }
}

#[test]
fn broken_jpeg_is_refused() {
    let whole = encode_jpeg(&picture(64, 48), 80).unwrap();
    for bytes in [&whole[..0], &whole[..10], &whole[..whole.len() / 2], b"\x89PNG\r\n\x1a\n and no JPEG"] {
        let error = decode_jpeg(bytes).unwrap_err().to_string();
        assert!(error.contains("not a whole JPEG"), "{error}");
    }
    assert!(encode_jpeg(&RgbImage::new(0, 4), 80).unwrap_err().to_string().contains("0 x 4"));
}

#[test]
fn pixels_outside_are_none() {
    let mut one = RgbImage::from_pixels(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    one.set(5, 0, [9, 9, 9]);
    assert_eq!((one.get(1, 0), one.get(2, 0), one.get(0, 1)), (Some([4, 5, 6]), None, None));
    assert!(RgbImage::from_pixels(2, 2, vec![0; 11]).is_none());
}
