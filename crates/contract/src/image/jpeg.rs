//! JPEG (ITU-T T.81).

use ::image::metadata::Orientation;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::RgbImage;
use super::broken::broken;
use crate::base::limits::{JPEG_SCANS_MAX, PICTURE_SIDE_PIXELS_MAX};
use crate::base::{Error, Result};

/// Side of the blocks in which a picture is coded, pixels.
const BLOCK_PIXELS: u64 = 8;
/// What the segment of EXIF begins with.
const EXIF_MAGIC: &[u8] = b"Exif\0\0";
/// Coefficients of a block, and components of a picture, at most.
const COEFFICIENTS: usize = 64;
const COMPONENTS_MAX: usize = 4;
/// A coefficient of which nothing came.
const NOTHING: u8 = u8::MAX;
/// More zeros than the decoder reads ahead, and fewer than a block takes.
const READ_AHEAD: [u8; 16] = [0; 16];

/// What the markers of a file say, found without decoding any of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    /// Width and height as its rows are stored.
    pub(super) size_pixels: [u32; 2],
    pub(super) orientation: Orientation,
    /// Where its data end, at the marker that says so.
    pub(super) end: usize,
    pub(super) is_progressive: bool,
    /// Numbers of its components, as many as there are.
    names: [u8; COMPONENTS_MAX],
    components: u8,
}

/// Of which bits of which coefficients there are scans: the lowest bit of each that came.
type Scanned = [[u8; COEFFICIENTS]; COMPONENTS_MAX];

impl Survey {
    /// Memory that decoding takes, bytes: pixels, and where the picture comes in several passes or in four colours, all
    /// coefficients.
    pub(super) fn decoding_bytes(&self) -> u64 {
        let pixels = self.size_pixels.map(u64::from).iter().product::<u64>();
        let whole = self.is_progressive || 3 < self.components;
        pixels * (3 + if whole { 2 * u64::from(self.components) } else { 0 })
    }
}

/// Walks through the markers of a file to its end.
///
/// # Errors
/// A sentence, when it is broken off, is of a kind that is not decoded, or claims more blocks than its bytes can hold.
pub(super) fn survey(bytes: &[u8]) -> std::result::Result<Survey, String> {
    let mut found: Option<Survey> = None;
    let (mut orientation, mut scans, mut at) = (Orientation::NoTransforms, 0, 2);
    let mut scanned: Scanned = [[NOTHING; COEFFICIENTS]; COMPONENTS_MAX];
    let end = loop {
        let (marker, begins) = next_marker(bytes, at).ok_or("it is broken off")?;
        at = begins;
        match marker {
            // These stand alone.
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => break begins - 2,
            _ => {}
        }
        let segment = segment(bytes, begins).ok_or("it is broken off")?;
        at += segment.len() + 2;
        match marker {
            0xe1 if segment.starts_with(EXIF_MAGIC) => {
                let said = Orientation::from_exif_chunk(&segment[EXIF_MAGIC.len()..]);
                orientation = said.unwrap_or(Orientation::NoTransforms);
            }
            0xc0..=0xc2 if found.is_none() => found = Some(frame_head(marker, segment)?),
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err("it is of a kind of JPEG that is not read (lossless, arithmetic or in layers)".to_owned());
            }
            0xda => {
                scans += 1;
                if JPEG_SCANS_MAX < scans {
                    return Err(format!("it comes in more than {JPEG_SCANS_MAX} passes"));
                }
                let picture = found.as_ref().ok_or("its data come before its size")?;
                note_scan(picture, segment, &mut scanned).ok_or("it is broken off")?;
            }
            _ => {}
        }
    };
    let found = found.filter(|_| 0 < scans).ok_or("there is no picture in it")?;
    let blocks = found.size_pixels.map(|side| u64::from(side) / BLOCK_PIXELS).iter().product::<u64>();
    // The first coefficient of each block has a bit at least.
    if bytes.len() as u64 * 8 < blocks {
        let [width, height] = found.size_pixels;
        return Err(format!("it claims {width}x{height} pixels, more than its {} bytes can hold", bytes.len()));
    }
    let components = usize::from(found.components).min(COMPONENTS_MAX);
    if scanned[..components].iter().flatten().any(|bit| *bit != 0) {
        return Err("it is broken off: parts of it never came".to_owned());
    }
    Ok(Survey { orientation, end, ..found })
}

/// Notes what a scan brings; `None` where its head is cut off.
fn note_scan(picture: &Survey, segment: &[u8], scanned: &mut Scanned) -> Option<()> {
    let count = usize::from(*segment.first()?);
    let &[first, last, bits] = segment.get(1 + 2 * count..)?.first_chunk()?;
    // Only a progressive picture comes coefficient by coefficient, and bit by bit.
    let (first, last, lowest) = match picture.is_progressive {
        true => (usize::from(first), usize::from(last), bits & 0x0f),
        false => (0, COEFFICIENTS - 1, 0),
    };
    for name in segment[1..1 + 2 * count].iter().step_by(2) {
        let place =
            picture.names[..usize::from(picture.components).min(COMPONENTS_MAX)].iter().position(|own| own == name)?;
        scanned[place].get_mut(first..=last)?.fill(lowest);
    }
    Some(())
}

/// What the head of a frame says, the segment behind its marker.
fn frame_head(marker: u8, segment: &[u8]) -> std::result::Result<Survey, String> {
    let &[bits, high, low, wide, narrow, components, ..] = segment else { return Err("it is broken off".to_owned()) };
    if bits != 8 {
        return Err(format!("it has {bits} bits a sample, and JPEG of 8 bits is read"));
    }
    let [height, width] = [[high, low], [wide, narrow]].map(|side| u32::from(u16::from_be_bytes(side)));
    let mut names = [0; COMPONENTS_MAX];
    // Each component has a number, its sampling and its table.
    let all = segment[6..].chunks_exact(3).take(usize::from(components));
    names.iter_mut().zip(all).for_each(|(name, component)| *name = component[0]);
    Ok(Survey {
        size_pixels: [width, height],
        orientation: Orientation::NoTransforms,
        end: 0,
        is_progressive: marker == 0xc2,
        names,
        components,
    })
}

/// The next marker from here on, and where what follows it begins; data of pictures is passed over.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)? + 1;
        match *bytes.get(at)? {
            // A zero makes it a byte of data; more of its kind may fill the space before a marker.
            0x00 => at += 1,
            0xff => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

/// What a segment holds, whose length stands at its beginning; `None` where it ends too early.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    bytes.get(at + 2..at + length.max(2))
}

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

/// Decodes the rows of a JPEG whose head was read, as they are stored; grey ones and those of four colours become red,
/// green and blue. A picture whose data end too early is not taken for one that is grey below.
pub(super) fn decode_rows(bytes: &[u8], size_pixels: [u32; 2], picture: &mut RgbImage) -> Result<()> {
    let survey = survey(bytes).map_err(|reason| broken(&reason))?;
    // At the marker of the end decoders go on with zeros for what did not come. Without it they run out of data, and say so.
    let open_end = [&bytes[..survey.end], &READ_AHEAD].concat();
    let bytes = if survey.is_progressive { bytes } else { &open_end };
    // What stands between segments may be odd; data may not.
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(PICTURE_SIDE_PIXELS_MAX as usize)
        .set_max_height(PICTURE_SIDE_PIXELS_MAX as usize)
        .jpeg_set_max_scans(JPEG_SCANS_MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), lenient);
    decoder.decode_headers().map_err(|error| broken(&error))?;
    let size = decoder.dimensions().map(|(width, height)| [width as u32, height as u32]);
    if size != Some(size_pixels) {
        return Err(broken(&"it has two sizes"));
    }
    decoder.set_options(lenient.set_strict_mode(true));
    picture.resize(size_pixels[0], size_pixels[1]);
    decoder.decode_into(picture.pixels_mut()).map_err(|error| broken(&error))
}
