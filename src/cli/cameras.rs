//! `aisle cameras`: which cameras there are, and what one of them sends.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::print;
use crate::base::{CameraId, Error, Result, SecretPlace, Span};
use crate::config::load_trade;
use crate::ingest::cameras::{FoundCamera, Probe, find_local, find_onvif, probe};
use crate::ingest::devices::{CameraAddress, CameraDevice, RtspClient};

/// A camera of no shop may be silent for so long.
const SILENCE: Span = Span::from_millis(5_000);
const FROZEN: Span = Span::from_millis(30_000);
/// JPEG quality of its pictures where no shop says.
const QUALITY: u8 = 90;

/// Find cameras, and see what one sends.
#[derive(Args)]
pub(super) struct CamerasCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Find(Find),
    Test(Test),
}

/// Find cameras: those that answer ONVIF's question in this network, and those of this machine
///
/// Only the network that this machine is in is asked: a container needs the network of its host. Nothing is logged into.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aisle cameras find
  aisle cameras find --seconds 10 --json")]
struct Find {
    /// How long to listen for answers
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=60))]
    seconds: u8,
    /// Print them as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Connect to a camera, watch it for a few seconds, and say what it sends and what would be better
///
/// A URL with a password stays in the history of the shell and is seen by others of this machine: put it into a file and say
/// --url-file, or name a camera of a shop. It is never printed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aisle cameras test left --shop shop
  aisle cameras test rtsp://10.0.0.5/stream1
  aisle cameras test --url-file camera-left.url --client ffmpeg
  aisle cameras test http://10.0.0.6/video.mjpg --seconds 20 --json")]
struct Test {
    /// URL of a camera (rtsp://, http://, usb:/dev/video0, a video, a folder of pictures), or the name of one of the shop's
    #[arg(value_name = "URL|NAME", required_unless_present = "url_file")]
    camera: Option<String>,
    /// File that holds the URL and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "camera")]
    url_file: Option<PathBuf>,
    /// Folder of the shop whose devices.toml has the camera
    #[arg(long, value_name = "FOLDER")]
    shop: Option<PathBuf>,
    /// Who speaks RTSP: retina or ffmpeg; without it as the shop says, else retina
    #[arg(long)]
    client: Option<RtspClient>,
    /// How long to watch after the first picture
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Print it as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl CamerasCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the network cannot be asked, or a camera does not send pictures.
    pub(super) fn run(self) -> Result<()> {
        match self.verb {
            Verb::Find(find) => find.run(),
            Verb::Test(test) => test.run(),
        }
    }
}

impl Find {
    fn run(&self) -> Result<()> {
        let local = find_local();
        let network = find_onvif(Duration::from_secs(u64::from(self.seconds)));
        if self.json {
            let network = network?;
            return print(&format!("{}\n", json!({ "network": network, "local": local })));
        }
        let network = network.unwrap_or_else(|error| {
            super::warn(error.message());
            Vec::new()
        });
        let mut text = String::new();
        for camera in network.iter().chain(&local) {
            line(&mut text, camera);
        }
        if text.is_empty() {
            text += "no camera answered, and this machine has none\n";
        }
        print(&text)
    }
}

fn line(text: &mut String, camera: &FoundCamera) {
    let about = [&camera.name, &camera.hardware].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
    let about = if about.is_empty() { "a camera".to_owned() } else { about };
    // Writing to text cannot fail.
    let _ = writeln!(text, "{}: {about}", camera.at);
    for service in &camera.services {
        let _ = writeln!(text, "  {service}");
    }
}

impl Test {
    fn run(&self) -> Result<()> {
        let (mut device, rate_hertz) = self.device()?;
        if let Some(client) = self.client {
            device.client = client;
        }
        let probe = probe(&device, rate_hertz, Duration::from_secs(u64::from(self.seconds)))?;
        if self.json {
            print(&format!("{}\n", json!(probe)))?;
        } else if 0 < probe.frames {
            print(&sentences(&probe))?;
        }
        match probe.trouble {
            None => Ok(()),
            Some(trouble) => {
                let error = Error::unavailable(format!("{}: {trouble}", probe.address));
                Err(match probe.remedy {
                    Some(remedy) => error.hint(remedy),
                    None => error,
                })
            }
        }
    }

    /// The camera that is meant, and the rate that the shop says of it.
    fn device(&self) -> Result<(CameraDevice, Option<f64>)> {
        if let Some(file) = &self.url_file {
            return Ok((some_device(CameraAddress::Hidden(SecretPlace::File(file.clone()))), None));
        }
        let camera = self.camera.clone().unwrap_or_default();
        let Some(folder) = &self.shop else { return Ok((some_device(CameraAddress::Url(camera)), None)) };
        let trade = load_trade(folder)?;
        let devices = trade.devices.map(|devices| devices.cameras).unwrap_or_default();
        let id = CameraId::new(&camera);
        let names = devices.iter().map(|device| device.camera.as_str()).collect::<Vec<_>>().join(", ");
        let missing = || {
            let error = Error::missing(format!("devices.toml has no camera {camera:?}")).at_path(folder);
            error.hint(if names.is_empty() { "it has none".to_owned() } else { format!("it has {names}") })
        };
        let device = devices.iter().find(|device| device.camera == id).cloned().ok_or_else(missing)?;
        Ok((device, trade.shop.camera(&id).map(|view| view.rate_hertz)))
    }
}

/// A camera of no shop.
fn some_device(address: CameraAddress) -> CameraDevice {
    CameraDevice {
        camera: CameraId::new("camera"),
        address,
        client: RtspClient::Retina,
        hardware: None,
        rate_hertz: None,
        silence: SILENCE,
        frozen: FROZEN,
        quality: QUALITY,
        repeat: false,
        enabled: true,
    }
}

/// What a camera sends, for people.
fn sentences(probe: &Probe) -> String {
    let number = |value: Option<f64>, decimals: usize| value.map(|value| format!("{value:.decimals$}"));
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let codec: Vec<&str> =
        [&probe.codec, &probe.profile, &probe.program].into_iter().flatten().map(String::as_str).collect();
    let size = probe.size_pixels.map(|[width, height]| format!("{width}x{height}"));
    let bytes = probe.jpeg_bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes as JPEG"));
    let millis = |secs: f64| format!("{:.1} ms", secs * 1e3);
    let late = probe.late_secs.map(|[half, most]| format!("{}, {} for one in twenty", millis(half), millis(most)));
    let rows = [
        ("camera", probe.address.clone()),
        ("codec", if codec.is_empty() { "unknown".to_owned() } else { codec.join(", ") }),
        ("picture", or_unknown(size) + &bytes),
        (
            "rate",
            format!(
                "{} a second, {} declared",
                or_unknown(number(probe.measured_hertz, 1)),
                or_unknown(number(probe.declared_hertz, 1))
            ),
        ),
        (
            "first",
            probe.first_secs.map_or_else(|| "no picture came".to_owned(), |secs| format!("{secs:.2} s after asking")),
        ),
        ("decoding", or_unknown(probe.decode_secs.map(millis))),
        ("lateness", or_unknown(late)),
        (
            "key frames",
            probe.key_secs.map_or_else(|| "unknown".to_owned(), |secs| format!("{secs:.2} s apart at most")),
        ),
        (
            "clock",
            probe
                .clock_offset_secs
                .map_or_else(|| "it does not say".to_owned(), |secs| format!("{secs:+.3} s from ours")),
        ),
        ("lost", format!("{} packets, {} frames", probe.lost_packets, probe.dropped_undecodable)),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{:<11} {value}", format!("{name}:"));
    }
    for advice in &probe.advice {
        let _ = writeln!(text, "advice:     {advice}");
    }
    text
}
