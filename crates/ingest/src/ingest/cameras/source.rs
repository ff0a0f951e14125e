//! Which kind of connection an address asks for.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::address::{Address, Place};
use super::ffmpeg;
use super::http;
use super::played::{self, Playing};
use super::session::{Session, Watches};
use super::trouble::Trouble;
use super::wanted::{Decoding, Wanted};
use crate::ingest::devices::{CameraDevice, RtspClient};

/// Whether somebody is there is found out within so long.
const REACH: Duration = Duration::from_secs(1);

/// Connects to a camera.
///
/// # Errors
/// Why it cannot be begun; what goes wrong later the connection tells.
pub(super) fn open(
    device: &CameraDevice,
    address: &Address,
    wanted: Wanted,
    watches: &Watches,
) -> Result<Session, Trouble> {
    let decoding = Decoding { quality: device.quality, hardware: device.hardware.clone() };
    let playing = Playing { repeat: device.repeat, quality: device.quality, rate_hertz: wanted.rate_hertz };
    match &address.place {
        Place::Rtsp => match device.client {
            #[cfg(feature = "rtsp")]
            RtspClient::Retina => super::rtsp::open(address, &decoding, watches),
            #[cfg(not(feature = "rtsp"))]
            RtspClient::Retina => Err(Trouble::lasting(
                "this aisle is built without RTSP of its own",
                Some("say `client = \"ffmpeg\"`, or build with the feature `rtsp`"),
            )),
            RtspClient::Ffmpeg => ffmpeg::rtsp(address, device.silence, &decoding, watches),
        },
        Place::Http => http::open(address, device.silence, wanted.rate_hertz, watches),
        Place::Film(path) => played::film(path, playing, watches),
        Place::Pictures(path) => played::folder(path, playing, watches),
        #[cfg(feature = "usb")]
        Place::Usb(path) if device.client == RtspClient::Retina => {
            super::usb::open(path, wanted, device.quality, watches)
        }
        Place::Usb(path) => ffmpeg::usb(address, &path.to_string_lossy(), wanted, &decoding, watches),
    }
}

/// Whether anybody listens where a camera should be: asked where it did not answer before, so that nobody waits long for a
/// machine that is off.
pub(super) fn is_reachable(address: &Address) -> Result<(), String> {
    let Some((host, port)) = address.host() else { return Ok(()) };
    let places =
        (host.as_str(), port).to_socket_addrs().map_err(|error| format!("failed to lookup its name: {error}"))?;
    let mut last = "failed to lookup its name".to_owned();
    for place in places {
        match TcpStream::connect_timeout(&place, REACH) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}
