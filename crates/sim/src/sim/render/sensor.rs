//! From light to a picture: what lens and sensor of a camera add to it.

use glam::Vec3;

use super::style::SensorStyle;
use super::texture::luminance;
use crate::image::RgbImage;

/// Steps of the table that takes light to code values; light is looked up by its square root.
const CURVE_STEPS: usize = 4_096;
/// Throws in the table of noise; a power of two.
const NOISE_STEPS: usize = 4_096;
/// The brightest light that does not run into the table's end.
const LIGHT_MAX: f32 = 1.6;

/// What automatic exposure makes of the middle of all it sees, in light.
const KEY: f32 = 0.2;

/// A camera's way from light to bytes, with its tables.
pub(super) struct Sensor {
    style: SensorStyle,
    curve: Vec<u8>,
    throws: Vec<f32>,
    kernel: [f32; 2],
}

impl Sensor {
    pub(super) fn new(style: SensorStyle) -> Self {
        let curve = (0..=CURVE_STEPS).map(|step| code_value(step, style.contrast)).collect();
        // The normal distribution, cut into equal parts: its quantiles in the order that a multiplier scatters them to.
        let throws = (0..NOISE_STEPS).map(|step| quantile((step as f32 + 0.5) / NOISE_STEPS as f32)).collect();
        let side = (-0.5 / (style.blur * style.blur).max(1e-3)).exp();
        let kernel = [1.0 / (1.0 + 2.0 * side), side / (1.0 + 2.0 * side)];
        Sensor { style, curve, throws, kernel }
    }

    /// The gain at which what a camera mostly looks at comes out middling, as automatic exposure finds it; bright and
    /// dark shops stay somewhat brighter and darker than others.
    pub(super) fn gain_for(&self, light: impl Iterator<Item = Vec3>) -> f32 {
        let (sum, count) = light
            .fold((0.0_f32, 0_usize), |(sum, count), light| (sum + luminance(light).clamp(1e-3, 1.0).ln(), count + 1));
        let mean = (sum / count.max(1) as f32).exp();
        (KEY / mean).powf(0.75).clamp(0.3, 8.0)
    }

    /// Blurs, dims towards the corners, adds noise and turns into code values. `light` is worked on in place.
    pub(super) fn develop(&self, light: &mut [Vec3], [width, height]: [usize; 2], gain: f32, seed: u64) -> RgbImage {
        self.blur(light, width, height);
        let style = &self.style;
        let gains = Vec3::new(style.balance[0], 1.0, style.balance[1]) * style.exposure * gain;
        let mut picture = RgbImage::new(width as u32, height as u32);
        let mut dice = seed | 1;
        let (half_width, half_height) = (width as f32 / 2.0, height as f32 / 2.0);
        let corner = 1.0 / (half_width * half_width + half_height * half_height);
        let scale = CURVE_STEPS as f32 / LIGHT_MAX.sqrt();
        let (shot, read) = (style.shot_noise * style.shot_noise, style.read_noise * style.read_noise);
        for (y, (row, bytes)) in light.chunks(width).zip(picture.pixels_mut().chunks_mut(width * 3)).enumerate() {
            let off_y = y as f32 + 0.5 - half_height;
            for (x, (light, bytes)) in row.iter().zip(bytes.chunks_mut(3)).enumerate() {
                let off_x = x as f32 + 0.5 - half_width;
                let dim = 1.0 - style.vignette * (off_x * off_x + off_y * off_y) * corner;
                let got = *light * gains * dim;
                let grey = luminance(got);
                let got = Vec3::splat(grey) + (got - Vec3::splat(grey)) * style.saturation;
                // xorshift64*, Vigna 2016: three throws of twelve bits from its upper half.
                dice ^= dice >> 12;
                dice ^= dice << 25;
                dice ^= dice >> 27;
                let bits = dice.wrapping_mul(0x2545_f491_4f6c_dd1d);
                for channel in 0..3 {
                    let throw = self.throws[(bits >> (64 - 12 * (channel + 1))) as usize & (NOISE_STEPS - 1)];
                    let value = got[channel].max(0.0);
                    let noisy = (value + throw * (shot * value + read).sqrt()).max(0.0);
                    bytes[channel] = self.curve[((noisy.sqrt() * scale) as usize).min(CURVE_STEPS)];
                }
            }
        }
        picture
    }

    /// A small binomial-like blur, rows then columns.
    fn blur(&self, light: &mut [Vec3], width: usize, height: usize) {
        let [middle, side] = self.kernel;
        if side < 1e-3 || width < 2 || height < 2 {
            return;
        }
        for row in light.chunks_mut(width) {
            let mut before = row[0];
            for x in 0..width {
                let here = row[x];
                let after = row[(x + 1).min(width - 1)];
                row[x] = here * middle + (before + after) * side;
                before = here;
            }
        }
        let mut before = light[..width].to_vec();
        for y in 0..height {
            for x in 0..width {
                let here = light[y * width + x];
                let after = light[(y + 1).min(height - 1) * width + x];
                light[y * width + x] = here * middle + (before[x] + after) * side;
                before[x] = here;
            }
        }
    }
}

/// sRGB (IEC 61966-2-1) of light, made steeper about middle grey, with a soft shoulder where it saturates.
fn code_value(step: usize, contrast: f32) -> u8 {
    let root = step as f32 / CURVE_STEPS as f32 * LIGHT_MAX.sqrt();
    let light = root * root;
    let steep = 0.18 * (light / 0.18).powf(contrast);
    let shoulder = if steep < 0.7 { steep } else { 0.7 + 0.3 * (1.0 - (-(steep - 0.7) / 0.3).exp()) };
    let value = if shoulder <= 0.003_130_8 { shoulder * 12.92 } else { 1.055 * shoulder.powf(1.0 / 2.4) - 0.055 };
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// The inverse of the normal distribution (Winitzki's approximation of the error function, 2008).
fn quantile(share: f32) -> f32 {
    let x = 2.0 * share - 1.0;
    let log = (1.0 - x * x).ln();
    let a = 0.147;
    let first = 2.0 / (std::f32::consts::PI * a) + log / 2.0;
    let root = ((first * first - log / a).sqrt() - first).max(0.0).sqrt();
    x.signum() * root * std::f32::consts::SQRT_2
}
