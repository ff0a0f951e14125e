//! Cameras as they speak now: RTSP, JPEG over HTTP, films and pictures that are played, cameras of this machine. They give the
//! newest frame of each as a fact whose picture is a JPEG, and say how each camera is. They never look at what it shows.
//!
//! A thread for each camera connects, watches and connects anew; readers beside it only read. A frame has three times: the one
//! that the camera says, on the axis of the connection; the corrected one, which is `stamp.at`; and the one at which its last byte
//! came, `stamp.arrived`. Health goes by when frames came, never by what a camera's clock says.

mod address;
mod backoff;
mod child;
mod clock;
#[cfg(feature = "rtsp")]
mod decoder;
mod ffmpeg;
mod find;
mod frames;
mod http;
#[cfg(feature = "rtsp")]
mod matroska;
mod multipart;
mod played;
mod probe;
#[cfg(feature = "rtsp")]
mod rtsp;
mod session;
mod source;
#[cfg(test)]
mod tests;
mod trouble;
#[cfg(feature = "usb")]
mod usb;
mod wanted;
mod watch;
mod worker;

pub use find::{FoundCamera, find_local, find_onvif};
pub use frames::Frames;
pub use probe::{Probe, probe};
pub use watch::Quality;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use self::session::{Never, Watches};
use self::worker::{Worker, device_name, expected_hertz};
use super::devices::CameraDevice;
use crate::base::{Error, Result};
use crate::ports::{Clock, DeviceHealth, DeviceKind, HealthBoard, HealthWord};
use crate::shop::Camera;

/// The cameras of an open shop.
pub struct Cameras {
    frames: Frames,
    threads: Vec<JoinHandle<()>>,
    /// Dropped, it tells all threads to end.
    open: Option<Sender<Never>>,
}

impl Cameras {
    /// Starts a thread for each camera that is used; it never waits for a camera. `views` are the cameras as the shop knows them:
    /// their rates and sizes are what is expected. All are on the board of health from now on, as `camera/NAME`.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(
        devices: &[CameraDevice],
        views: &[Camera],
        frames: Frames,
        health: HealthBoard,
        clock: Arc<dyn Clock>,
    ) -> Result<Cameras> {
        let (open, stop) = bounded(0);
        let watches = Watches::new(clock);
        let mut cameras = Cameras { frames: frames.clone(), threads: Vec::new(), open: Some(open) };
        for device in devices {
            let view = views.iter().find(|view| view.id == device.camera).cloned();
            let name = device_name(device);
            let mut begins = DeviceHealth::new(&name, DeviceKind::Camera, watches.day());
            begins.expected_hertz = expected_hertz(device, view.as_ref());
            if !device.enabled {
                begins.say(HealthWord::Disabled, Some("devices.toml says so"), None, watches.day());
                health.add(begins);
                continue;
            }
            health.add(begins);
            let (frames, board, watches) = (frames.clone(), health.clone(), watches.clone());
            let worker = Worker::new(device.clone(), view, frames, health.clone(), watches.clone(), stop.clone());
            let run = move || {
                if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                    let cause = "the thread of this camera ended by a fault of aisle";
                    let remedy = "restart aisle, and report what its log says";
                    board.with(&name, |health| {
                        health.say(HealthWord::Offline, Some(cause), Some(remedy), watches.day())
                    });
                }
            };
            let thread = std::thread::Builder::new().name(format!("camera {}", device.camera)).spawn(run);
            let failed = |error| Error::unavailable(format!("cannot start a thread for a camera: {error}"));
            cameras.threads.push(thread.map_err(failed)?);
        }
        Ok(cameras)
    }

    /// Ends all connections and waits for them, each for a bounded time; nothing is put any more, and whoever waits for a frame is
    /// woken.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.open = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
        self.frames.close();
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        self.end();
    }
}
