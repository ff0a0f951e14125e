//! Cameras against servers: one over HTTP in this process that breaks in every way, and RTSP by GStreamer where that is.

mod find;
mod fuzz;
mod http;
mod rtsp;
mod server;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Cameras, Frames};
use crate::base::{CameraId, Span};
use crate::facts::{Body, Fact, Frame};
use crate::image::{RgbImage, encode_jpeg};
use crate::ingest::devices::{CameraAddress, CameraDevice, RtspClient};
use crate::ports::{DeviceHealth, HealthBoard, WallClock};
use crate::shop::Camera;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A camera at this address that may be silent for 0.4 s, and show the same for half a second.
fn device(url: &str) -> CameraDevice {
    CameraDevice {
        camera: CameraId::new("left"),
        address: CameraAddress::Url(url.to_owned()),
        client: RtspClient::Retina,
        hardware: None,
        rate_hertz: None,
        silence: Span::from_millis(400),
        frozen: Span::from_millis(500),
        quality: 90,
        repeat: false,
        enabled: true,
    }
}

/// A shop with one camera.
struct Open {
    cameras: Cameras,
    frames: Frames,
    health: HealthBoard,
}

impl Open {
    fn with(device: &CameraDevice, views: &[Camera]) -> Open {
        let (frames, health) = (Frames::default(), HealthBoard::default());
        let devices = std::slice::from_ref(device);
        let cameras = Cameras::start(devices, views, frames.clone(), health.clone(), Arc::new(WallClock)).unwrap();
        Open { cameras, frames, health }
    }

    fn at(url: &str) -> Open {
        Open::with(&device(url), &[])
    }

    fn health(&self) -> DeviceHealth {
        self.health.get("camera/left").unwrap()
    }

    fn count(&self, what: &str) -> u64 {
        self.health().counters[what]
    }

    /// The next frame.
    fn frame(&self) -> Fact {
        self.frames.take(PATIENCE).expect("a frame comes")
    }

    /// Waits until something is so, taking frames meanwhile.
    fn until(&self, what: &str, is: impl Fn(&DeviceHealth) -> bool) -> DeviceHealth {
        let begun = Instant::now();
        loop {
            let health = self.health();
            if is(&health) {
                return health;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: {health:?}");
            self.frames.take(Duration::from_millis(5));
        }
    }
}

fn picture_of(fact: &Fact) -> &Frame {
    let Body::Frame(frame) = &fact.body else { panic!("{fact:?}") };
    frame
}

/// A JPEG of 32x24 pixels that differs from those of other numbers.
fn jpeg(number: u32) -> Vec<u8> {
    let mut picture = RgbImage::new(32, 24);
    for (place, byte) in picture.pixels_mut().iter_mut().enumerate() {
        *byte = (place as u32 * 7).wrapping_add(number.wrapping_mul(2_654_435_761) >> (place % 5)) as u8;
    }
    encode_jpeg(&picture, 90).unwrap()
}

/// Says that a test leaves something out, and how to get that; `.ci/run` counts it.
fn left_out(want: &str, how: &str) {
    eprintln!("left out for want of {want}: {how}");
    let Some(path) = std::env::var_os("AISLE_SKIPPED") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let line = format!("{}\t{want}\n", std::thread::current().name().unwrap_or("a test"));
    file.write_all(line.as_bytes()).unwrap();
}
