//! Cameras of this machine, read by the library nokhwa (V4L2). What they send as JPEG passes as it is; YUYV is encoded once. The
//! library waits for a frame without a bound: a camera that stalls costs a thread, which is left behind and counted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nokhwa::Camera;
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution};

use super::clock::Device;
use super::session::{About, Event, Link, Picture, Session, Watches, span};
use super::trouble::Trouble;
use super::wanted::Wanted;
use crate::base::ShopTime;
use crate::image::{RgbImage, encode_jpeg};

/// What is asked for where the shop does not say: what every camera has.
const SIZE_PIXELS: [u32; 2] = [640, 480];
const RATE_HERTZ: f64 = 15.0;
/// Forms that are read, the best first.
const FORMS: [FrameFormat; 2] = [FrameFormat::MJPEG, FrameFormat::YUYV];

/// How a frame comes from a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Jpeg,
    /// Two pixels in four bytes: luma, blue difference, luma, red difference (BT.601, video range).
    Yuyv,
}

/// A frame as it comes.
struct Raw {
    data: Vec<u8>,
    form: Form,
    size_pixels: [u32; 2],
    /// Since 1970, by the clock of this machine.
    captured: Option<Duration>,
}

/// What frames come from.
trait Eye {
    /// The next frame.
    fn next(&mut self) -> Result<Raw, String>;
}

impl Eye for Camera {
    fn next(&mut self) -> Result<Raw, String> {
        let frame = self.frame().map_err(|error| error.to_string())?;
        let form = match frame.source_frame_format() {
            FrameFormat::MJPEG => Form::Jpeg,
            FrameFormat::YUYV => Form::Yuyv,
            other => return Err(format!("unsupported codec {other}")),
        };
        let size = frame.resolution();
        let captured = frame.capture_timestamp();
        Ok(Raw { data: frame.buffer().to_vec(), form, size_pixels: [size.width(), size.height()], captured })
    }
}

/// Begins to read a camera, such as `/dev/video0` or its name in `/dev/v4l/by-id`, which stays when it is plugged in elsewhere.
///
/// # Errors
/// When there is none at this path, or no thread can be started.
pub(super) fn open(path: &Path, wanted: Wanted, quality: u8, watches: &Watches) -> Result<Session, Trouble> {
    let number = number_of(path).map_err(|said| Trouble::of([said.as_str()]))?;
    let mut session = Session::new(watches);
    session.run("camera-usb", move |link| {
        let ended = match begin(number, wanted) {
            Ok(mut camera) => {
                let format = camera.camera_format();
                link.tell(Event::About(About {
                    codec: format.format().to_string().to_lowercase(),
                    size_pixels: Some([format.width(), format.height()]),
                    declared_hertz: Some(f64::from(format.frame_rate())),
                    ..About::default()
                }));
                read(&mut camera, quality, &link)
            }
            Err(said) => Some(said),
        };
        if let Some(said) = ended {
            link.tell(Event::Ended(Trouble::of([said.as_str()])));
        }
    })?;
    Ok(session.begun())
}

fn begin(number: u32, wanted: Wanted) -> Result<Camera, String> {
    let [width, height] = wanted.size_pixels.unwrap_or(SIZE_PIXELS);
    let rate = wanted.rate_hertz.unwrap_or(RATE_HERTZ).ceil() as u32;
    let closest = CameraFormat::new(Resolution::new(width, height), FrameFormat::MJPEG, rate);
    let format = RequestedFormat::with_formats(RequestedFormatType::Closest(closest), &FORMS);
    let mut camera = Camera::new(CameraIndex::Index(number), format).map_err(|error| error.to_string())?;
    camera.open_stream().map_err(|error| error.to_string())?;
    Ok(camera)
}

/// Reads frames until there are no more; why, unless nobody looks any more.
fn read(eye: &mut impl Eye, quality: u8, link: &Link) -> Option<String> {
    loop {
        let raw = match eye.next() {
            Ok(raw) => raw,
            Err(said) => return Some(said),
        };
        let arrival = link.watches.now();
        let data = match raw.form {
            Form::Jpeg => Some(raw.data),
            Form::Yuyv => rgb(&raw.data, raw.size_pixels).and_then(|picture| encode_jpeg(&picture, quality).ok()),
        };
        let captured = raw.captured.map(|captured| ShopTime::from_nanos(span(captured).as_nanos()));
        let ours = captured.map(|captured| arrival.running - (arrival.at - captured));
        let device = Device { ours, ..Device::default() };
        let told = match data {
            Some(data) => link.tell(Event::Picture(Picture { data, device, arrival })),
            None => link.tell(Event::Undecodable(1)),
        };
        if !told {
            return None;
        }
    }
}

/// The number of a device node, whatever link leads to it.
fn number_of(path: &Path) -> Result<u32, String> {
    let node = fs::canonicalize(path).map_err(|error| error.to_string())?;
    let name = node.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = name.strip_prefix("video").and_then(|number| number.parse().ok());
    number.ok_or_else(|| "No such device: a camera is called /dev/video and a number".to_owned())
}

/// A picture out of YUYV; `None` when there are fewer bytes than pixels need.
fn rgb(data: &[u8], [width, height]: [u32; 2]) -> Option<RgbImage> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width % 2 != 0 || (data.len() as u64) < pixels * 2 {
        return None;
    }
    let mut picture = RgbImage::new(width, height);
    for (pair, from) in picture.pixels_mut().chunks_exact_mut(6).zip(data.chunks_exact(4)) {
        let (blue, red) = (f32::from(from[1]) - 128.0, f32::from(from[3]) - 128.0);
        for (pixel, luma) in pair.chunks_exact_mut(3).zip([from[0], from[2]]) {
            let luma = 1.164 * (f32::from(luma) - 16.0);
            let colours = [luma + 1.596 * red, luma - 0.813 * red - 0.391 * blue, luma + 2.018 * blue];
            for (to, colour) in pixel.iter_mut().zip(colours) {
                *to = colour.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Eye, Form, Raw, number_of, read, rgb};
    use crate::base::ShopTime;
    use crate::image::decode_picture;
    use crate::ingest::cameras::session::{Event, Session, Watches};
    use crate::ports::WallClock;

    struct Fake(VecDeque<Raw>);

    impl Eye for Fake {
        fn next(&mut self) -> Result<Raw, String> {
            self.0.pop_front().ok_or_else(|| "VIDIOC_DQBUF: No such device".to_owned())
        }
    }

    #[test]
    fn frames_become_jpeg_and_what_is_too_short_is_counted() {
        let grey = [126, 128].repeat(16 * 8);
        let raw = |data: Vec<u8>, form| Raw {
            data,
            form,
            size_pixels: [16, 8],
            captured: Some(Duration::from_secs(1_800_000_000)),
        };
        let mut eye = Fake([raw(vec![1, 2, 3], Form::Jpeg), raw(grey, Form::Yuyv), raw(vec![0; 9], Form::Yuyv)].into());
        let mut session = Session::new(&Watches::new(Arc::new(WallClock)));
        let work = move |link: super::Link| {
            let said = read(&mut eye, 90, &link).unwrap();
            link.tell(Event::Lost(said.len() as u64));
        };
        session.run("test", work).unwrap();
        let session = session.begun();
        let events: Vec<Event> = session.events.iter().collect();
        let [Event::Picture(first), Event::Picture(second), Event::Undecodable(1), Event::Lost(28)] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!(first.data, [1, 2, 3]);
        // It was captured at the time that is said, by the clock of this machine.
        let ago = first.arrival.running - first.device.ours.unwrap();
        assert_eq!(first.arrival.at - ago, ShopTime::from_nanos(1_800_000_000_000_000_000));
        let picture = decode_picture(&second.data).unwrap();
        assert!(picture.pixels().iter().all(|colour| (126..=130).contains(colour)));
    }

    #[test]
    fn colours_are_those_of_video() {
        let picture = rgb(&[235, 128, 16, 128, 81, 90, 81, 240], [2, 2]).unwrap();
        assert_eq!(picture.pixels()[..6], [255, 255, 255, 0, 0, 0]);
        let [red, green, blue] = picture.pixels()[6..9] else { panic!() };
        assert!(250 < red && green < 4 && blue < 4);
        assert_eq!((rgb(&[0; 7], [2, 2]), rgb(&[], [0, 0])), (None, None));
    }

    #[test]
    fn a_path_without_a_camera_is_told() {
        assert!(number_of(Path::new("no/such/device")).unwrap_err().contains("o such file"));
        assert!(number_of(Path::new(".")).unwrap_err().contains("No such device"));
    }
}
