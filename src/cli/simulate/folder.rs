//! A shop folder for a film that is played: the shop as the film knows it, and where its devices are.

use std::fmt::Write as _;
use std::path::Path;

use super::boards::BrokerAddress;
use super::film::Film;
use crate::base::{Error, Result};
use crate::output::{OutputFolder, write_new};
use crate::shop::ZoneKind;

/// Writes `shop.json` and `devices.toml`.
pub(super) fn write(
    folder: &Path,
    film: &Film,
    broker: Option<&BrokerAddress>,
    camera_url: impl Fn(&str) -> Option<String>,
    with_gates: bool,
) -> Result<()> {
    let shop = serde_json::to_vec_pretty(film.shop.draft());
    let shop = shop.map_err(|error| Error::broken(format!("the shop cannot be written: {error}")))?;
    let made = OutputFolder::create(folder)?;
    write_new(&made.passing_path().join("shop.json"), &shop)?;
    write_new(&made.passing_path().join("devices.toml"), devices(film, broker, camera_url, with_gates).as_bytes())?;
    made.finish()
}

fn devices(
    film: &Film,
    broker: Option<&BrokerAddress>,
    camera_url: impl Fn(&str) -> Option<String>,
    with_gates: bool,
) -> String {
    let mut text = "# The simulated devices of this shop.\n".to_owned();
    // Writing to a string cannot fail.
    if let Some(broker) = broker {
        let host = if broker.host.contains(':') { format!("[{}]", broker.host) } else { broker.host.clone() };
        let _ = write!(text, "\n[broker]\nurl = {}\n", quoted(&format!("mqtt://{host}:{}", broker.port)));
    }
    for name in &film.cameras {
        let url = camera_url(name).unwrap_or_default();
        // Simulated sensors have noise, as real ones: the same picture twice is a frozen camera.
        let _ = write!(text, "\n[[camera]]\nname = {}\nurl = {}\nfrozen_secs = 10\n", quoted(name), quoted(&url));
    }
    for (source, heard) in film.sources.iter().filter(|(_, heard)| broker.is_some() && heard.is_board()) {
        let _ = write!(text, "\n[[board]]\nsource = {}\n", quoted(source));
        if let Some(rate) = heard.rate_hertz() {
            let _ = writeln!(text, "rate_hertz = {rate:.1}");
        }
    }
    // Scans over MQTT name carts that no book knows: without the API everybody is a walk-in.
    for zone in film.shop.zones().iter().filter(|_| with_gates) {
        let role = match zone.kind {
            ZoneKind::Entrance => "entrance",
            ZoneKind::Exit => "exit",
            _ => continue,
        };
        let _ = write!(text, "\n[[gate]]\nname = {}\nrole = \"{role}\"\n", quoted(&zone.name));
    }
    text
}

/// A text as TOML writes it, which for one line is as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
