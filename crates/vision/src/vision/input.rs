//! From a frame to the input of a model: which part of it, how it fills the input, in which order and scale.

use super::align;
use super::manifest::{Colour, Fit, Input, Layout, Region};
use super::network::{Tensor, Values};
use crate::base::{Error, Result};
use crate::facts::Detection;
use crate::geometry::{Affine, PixelBox};
use crate::image::{RgbImage, Sampler};

/// The map from a frame to the input.
///
/// # Errors
/// When the region needs the points of something that was found, and `at` has none. A box may be missing: then it is
/// the whole frame.
pub(super) fn input_from_frame(input: &Input, frame: &RgbImage, at: Option<&Detection>) -> Result<Affine> {
    let whole = PixelBox::from_size(0.0, 0.0, f64::from(frame.width()), f64::from(frame.height()));
    let size = [input.width, input.height];
    let missing = |what: &str| Error::input(format!("this model looks at {what}, and was given none"));
    match (input.region, at) {
        (Region::Frame, _) | (Region::Box { .. }, None) => fit(input, &whole),
        (Region::Box { margin }, Some(found)) => {
            let (middle, half) = (found.bounds.centre(), margin / 2.0);
            let (width, height) = (found.bounds.width() * half, found.bounds.height() * half);
            fit(
                input,
                &PixelBox {
                    left: middle.x - width,
                    top: middle.y - height,
                    right: middle.x + width,
                    bottom: middle.y + height,
                },
            )
        }
        (Region::FacePoints, at) => {
            at.and_then(|face| align::face(face, size)).ok_or_else(|| missing("the five points of a face"))
        }
        (Region::Palm, at) => {
            at.and_then(|palm| align::palm(palm, size)).ok_or_else(|| missing("the points of a palm"))
        }
    }
}

fn fit(input: &Input, part: &PixelBox) -> Result<Affine> {
    if !(part.is_well_formed() && 0.0 < part.area()) {
        return Err(Error::input("the part of the frame that a model should look at is empty"));
    }
    let (width, height) = (input.width as f64, input.height as f64);
    let [across, down] = [width / part.width(), height / part.height()];
    let scale = match input.fit {
        Fit::Stretch => [across, down],
        Fit::Corner | Fit::Centre => [across.min(down); 2],
        Fit::Cover => [across.max(down); 2],
    };
    let middle = part.centre();
    let shift = match input.fit {
        Fit::Stretch | Fit::Corner => [-part.left * scale[0], -part.top * scale[1]],
        Fit::Centre | Fit::Cover => [width / 2.0 - middle.x * scale[0], height / 2.0 - middle.y * scale[1]],
    };
    Ok(Affine::scaled(scale, shift))
}

/// Fills the place of one picture of a batch in the input tensor, in one pass over the frame.
pub(super) fn fill(
    input: &Input,
    frame: &RgbImage,
    input_from_frame: &Affine,
    place: usize,
    sampler: &mut Sampler,
    tensor: &mut Tensor,
) {
    let size = [input.width, input.height];
    let count = input.width * input.height * 3;
    let scale = input.deviation.map(|deviation| (1.0 / deviation) as f32);
    let shift = [0, 1, 2].map(|channel| (-input.mean[channel] / input.deviation[channel]) as f32);
    let order = match input.colour {
        Colour::Rgb => [0, 1, 2],
        Colour::Bgr => [2, 1, 0],
    };
    let pad = [input.pad as f32; 3];
    let layout = input.layout;
    match tensor.values_mut() {
        Values::F32(values) => {
            let values = &mut values[place * count..][..count];
            sampler.sample(frame, input_from_frame, size, pad, |y, row| {
                write_row(values, size, y, row, layout, order, |channel, value| {
                    value * scale[channel] + shift[channel]
                });
            });
        }
        Values::U8(values) => {
            let values = &mut values[place * count..][..count];
            // Conversion to bytes saturates.
            sampler.sample(frame, input_from_frame, size, pad, |y, row| {
                write_row(values, size, y, row, layout, order, |_, value| (value + 0.5) as u8);
            });
        }
    }
}

/// Writes a row of pixels in the order of the model; `convert` is told the channel of the model.
fn write_row<T>(
    values: &mut [T],
    [width, height]: [usize; 2],
    y: usize,
    row: &[[f32; 4]],
    layout: Layout,
    order: [usize; 3],
    convert: impl Fn(usize, f32) -> T,
) {
    match layout {
        Layout::Nchw => {
            for (channel, source) in order.into_iter().enumerate() {
                let line = &mut values[(channel * height + y) * width..][..width];
                line.iter_mut().zip(row).for_each(|(value, pixel)| *value = convert(channel, pixel[source]));
            }
        }
        Layout::Nhwc => {
            let line = &mut values[y * width * 3..][..width * 3];
            for (values, pixel) in line.chunks_exact_mut(3).zip(row) {
                values
                    .iter_mut()
                    .zip(order)
                    .enumerate()
                    .for_each(|(channel, (value, source))| *value = convert(channel, pixel[source]));
            }
        }
    }
}
