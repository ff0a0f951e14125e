mod files;

use super::*;
use crate::geometry::{Affine, PixelBox, Point};

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
        let after = decode_picture(&encode_jpeg(&before, 95).unwrap()).unwrap();
        assert_eq!((after.width(), after.height()), (width, height));
        let off = before.pixels().iter().zip(after.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
        assert!(off / (before.pixels().len() as u64) < 8, "{width} x {height}: {off}");
    }
}

#[test]
fn pixels_outside_are_none() {
    let mut one = RgbImage::from_pixels(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    one.set(5, 0, [9, 9, 9]);
    assert_eq!((one.get(1, 0), one.get(2, 0), one.get(0, 1)), (Some([4, 5, 6]), None, None));
    assert!(RgbImage::from_pixels(2, 2, vec![0; 11]).is_none());
}

fn sampled(source: &RgbImage, map: &Affine, size: [usize; 2]) -> Vec<[f32; 3]> {
    let mut pixels = Vec::new();
    Sampler::new().sample(source, map, size, [7.0; 3], |_, row| pixels.extend(row.iter().map(|p| [p[0], p[1], p[2]])));
    pixels
}

#[test]
fn a_picture_read_as_it_is_is_itself() {
    let source = picture(31, 17);
    let as_it_is = Affine::scaled([1.0, 1.0], [0.0, 0.0]);
    let bytes: Vec<u8> = sampled(&source, &as_it_is, [31, 17]).into_iter().flatten().map(|v| v as u8).collect();
    assert_eq!(bytes, source.pixels());
}

#[test]
fn halving_averages_and_what_lies_outside_is_padded() {
    // A ramp stays a ramp under any symmetric filter, away from its ends.
    let mut ramp = RgbImage::new(64, 8);
    (0..64 * 8).for_each(|at| ramp.set(at % 64, at / 64, [(at % 64) as u8 * 4, 100, 0]));
    let half = sampled(&ramp, &Affine::scaled([0.5, 0.5], [2.0, 0.0]), [36, 4]);
    for row in half.chunks(36) {
        assert_eq!([row[0], row[1], row[34], row[35]], [[7.0; 3]; 4]);
        for (x, pixel) in row.iter().enumerate().take(33).skip(3) {
            let middle = ((x as f32 + 0.5 - 2.0) * 2.0 - 0.5) * 4.0;
            assert!((pixel[0] - middle).abs() < 1e-3 && (pixel[1] - 100.0).abs() < 1e-3, "{x}: {pixel:?}");
        }
    }
}

#[test]
fn a_quarter_turn_moves_every_pixel() {
    let source = picture(12, 9);
    let turn = Affine { rows: [[0.0, -1.0, 9.0], [1.0, 0.0, 0.0]] };
    let turned = sampled(&source, &turn, [9, 12]);
    for (at, pixel) in turned.iter().enumerate() {
        let (x, y) = (at % 9, at / 9);
        assert_eq!(pixel.map(|value| value as u8), source.get(y as u32, 8 - x as u32).unwrap(), "{x} {y}");
    }
    let flat = Affine { rows: [[0.0; 3]; 2] };
    assert_eq!(sampled(&source, &flat, [2, 1]), [[7.0; 3]; 2]);
}

#[test]
fn marks_stay_inside_and_are_where_they_should_be() {
    let mut picture = RgbImage::new(20, 20);
    let bounds = PixelBox { left: 2.0, top: 3.0, right: 10.0, bottom: 12.0 };
    draw_box(&mut picture, &bounds, [9; 3], 1);
    let marked = |picture: &RgbImage, x, y| picture.get(x, y) == Some([9; 3]);
    assert!(marked(&picture, 2, 3) && marked(&picture, 10, 12) && marked(&picture, 6, 3) && !marked(&picture, 6, 6));
    let far = |x, y| Point::new(x, y, 0.0);
    draw_line(&mut picture, far(-1e9, 15.0), far(1e9, 15.0), [9; 3], 1);
    assert!((0..20).all(|x| marked(&picture, x, 15)));
    draw_line(&mut picture, far(f64::NAN, 1.0), far(3.0, 3.0), [9; 3], 3);
    draw_dot(&mut picture, far(17.5, 4.5), 1, [9; 3]);
    assert!(marked(&picture, 17, 3) && marked(&picture, 18, 4) && !marked(&picture, 18, 3));
    draw_number(&mut picture, "1", far(14.0, 8.0), [9; 3], 1);
    assert!(marked(&picture, 15, 8) && marked(&picture, 14, 9) && !marked(&picture, 16, 10));
}
