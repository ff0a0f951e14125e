//! `aisle doctor --shop`: the devices of a shop as they are from here, or as the shop says that they are while it is open.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::shops;
use crate::album::check_key;
use crate::base::{Error, Result, ShopTime};
use crate::config::Trade;
use crate::ingest::cameras::{Probe, probe};
use crate::ingest::devices::{Broker, CameraDevice, Devices, PictureRule};
use crate::ingest::mqtt::{CertificateEnd, certificate_ends};
use crate::ports::{Clock as _, WallClock};

/// How long a broker may take to answer.
const BROKER: Duration = Duration::from_secs(3);
/// A certificate that ends sooner is to be renewed.
const CERTIFICATE_DAYS_MIN: f64 = 30.0;
/// How long a camera is watched.
const CAMERA: Duration = Duration::from_secs(2);
/// How long an open shop may take to answer.
const SHOP: Duration = Duration::from_secs(5);

/// What is known of a device.
pub(super) struct Finding {
    device: String,
    health: String,
    cause: Option<String>,
    remedy: Option<String>,
}

impl Finding {
    fn well(device: &str, cause: String) -> Self {
        Finding { device: device.to_owned(), health: "online".to_owned(), cause: Some(cause), remedy: None }
    }

    fn away(device: &str, cause: String, remedy: &str) -> Self {
        let remedy = Some(remedy.to_owned());
        Finding { device: device.to_owned(), health: "offline".to_owned(), cause: Some(cause), remedy }
    }

    fn is_well(&self) -> bool {
        matches!(self.health.as_str(), "online" | "disabled")
    }

    pub(super) fn as_json(&self) -> Value {
        json!({ "device": self.device, "health": self.health, "cause": self.cause, "remedy": self.remedy })
    }

    /// A line for a person.
    pub(super) fn sentence(&self) -> String {
        let because = self.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
        let remedy = self.remedy.as_ref().filter(|_| !self.is_well());
        let remedy = remedy.map_or_else(String::new, |remedy| format!("\n{:22}{remedy}", ""));
        format!("{:22}{}{because}{remedy}", self.device, self.health)
    }
}

/// Asks every device of a shop folder whether it can be reached from here. The shop may open with any of them away.
///
/// # Errors
/// When the shop's files have problems, or name no devices.
pub(super) fn examine(shop: &Path) -> Result<Vec<Finding>> {
    let Trade { shop: known, devices, .. } = shops::open_trade(shop)?;
    let Devices { broker, cameras, boards, pictures, .. } = devices.ok_or_else(|| {
        let hint = "write a devices.toml beside its shop.toml: docs/reference/live.md says how";
        Error::usage("this shop has no devices").at_path(shop).hint(hint)
    })?;
    let mut findings: Vec<Finding> = broker.iter().map(of_broker).collect();
    for broker in broker.iter().filter(|broker| broker.tls) {
        findings.extend(of_certificates(certificate_ends(broker), WallClock.now()));
    }
    for camera in &cameras {
        let view = known.cameras().iter().find(|view| view.id == camera.camera);
        findings.push(of_camera(camera, view.map(|view| view.rate_hertz)));
    }
    let unknown = |board: &crate::ingest::devices::Board| Finding {
        device: board.source.clone(),
        health: if board.enabled { "unknown" } else { "disabled" }.to_owned(),
        cause: board.enabled.then(|| "only the open shop hears it".to_owned()),
        remedy: Some("ask the open shop: --api URL --token-file FILE".to_owned()),
    };
    findings.extend(boards.iter().map(unknown));
    findings.extend(pictures.iter().map(of_pictures));
    Ok(findings)
}

/// Whether the key of pictures is there. Whether it is that of the pictures that are there only the open shop knows.
fn of_pictures(rule: &PictureRule) -> Finding {
    match check_key(&rule.key) {
        Ok(()) => Finding::well("pictures", format!("their key is in {}", rule.key)),
        Err(error) => {
            let remedy = "put it there: `openssl rand -hex 32` makes one; the shop does not open without it";
            Finding::away("pictures", error.message().to_owned(), remedy)
        }
    }
}

fn of_broker(broker: &Broker) -> Finding {
    let place = format!("{}:{}", broker.host, broker.port);
    let connected = (broker.host.as_str(), broker.port)
        .to_socket_addrs()
        .and_then(|addresses| {
            let none = || std::io::Error::other("the name has no address");
            addresses.map(|address| TcpStream::connect_timeout(&address, BROKER)).reduce(Result::or).ok_or_else(none)?
        })
        .map(drop);
    match connected {
        Ok(()) => Finding::well("broker", format!("{place} takes connections")),
        Err(error) => {
            Finding::away("broker", format!("{place}: {error}"), "start it, and check host, port and firewall")
        }
    }
}

/// Until when the certificates hold with which a broker is spoken to.
fn of_certificates(ends: std::result::Result<Vec<CertificateEnd>, String>, now: ShopTime) -> Vec<Finding> {
    let remedy = "put a new one in its place: it is read at the next connection";
    let ends = match ends {
        Ok(ends) => ends,
        Err(why) => return vec![Finding::away("broker/certificates", why, "see [broker] in devices.toml")],
    };
    let finding = |CertificateEnd { key, file, until }: CertificateEnd| {
        let (device, days) = (format!("broker/{key}"), until.secs_since(now) / 86_400.0);
        let file = file.display();
        if days < 0.0 {
            return Finding::away(&device, format!("the certificate in {file} ended {until}"), remedy);
        }
        let well = Finding::well(&device, format!("the certificate in {file} ends in {} days", days.floor()));
        let is_soon = days < CERTIFICATE_DAYS_MIN;
        let worse = |well| Finding { health: "degraded".to_owned(), remedy: Some(remedy.to_owned()), ..well };
        if is_soon { worse(well) } else { well }
    };
    ends.into_iter().map(finding).collect()
}

fn of_camera(camera: &CameraDevice, rate_hertz: Option<f64>) -> Finding {
    let device = format!("camera/{}", camera.camera);
    if !camera.enabled {
        return Finding { device, health: "disabled".to_owned(), cause: None, remedy: None };
    }
    match probe(camera, rate_hertz, CAMERA) {
        Ok(Probe { frames: 0, trouble, remedy, .. }) => {
            let cause = trouble.unwrap_or_else(|| "it sends no pictures".to_owned());
            let remedy = remedy.unwrap_or_else(|| "`aisle cameras test` says more".to_owned());
            Finding::away(&device, cause, &remedy)
        }
        Ok(Probe { frames, .. }) => Finding::well(&device, format!("{frames} pictures in {} s", CAMERA.as_secs())),
        Err(error) => Finding::away(&device, error.message().to_owned(), "`aisle cameras test` says more"),
    }
}

/// Asks an open shop how its devices are.
///
/// # Errors
/// When it cannot be reached, or refuses the token.
pub(super) fn ask(api: &str, token_file: &PathBuf) -> Result<Vec<Finding>> {
    let token = std::fs::read_to_string(token_file).map_err(|error| Error::io("read", token_file, &error))?;
    let config = ureq::Agent::config_builder().timeout_global(Some(SHOP)).build();
    let url = format!("{}/v1/devices", api.trim_end_matches('/'));
    let answer = ureq::Agent::new_with_config(config)
        .get(&url)
        .header("Authorization", format!("Bearer {}", token.trim()))
        .call()
        .and_then(|mut answer| answer.body_mut().read_json::<Value>());
    let answer =
        answer.map_err(|error| Error::unavailable(format!("the shop does not say how its devices are: {error}")))?;
    let text = |item: &Value, key: &str| item[key].as_str().map(str::to_owned);
    let finding = |item: &Value| Finding {
        device: text(item, "device").unwrap_or_default(),
        health: text(item, "health").unwrap_or_default(),
        cause: text(item, "cause"),
        remedy: text(item, "remedy"),
    };
    Ok(answer["items"].as_array().map(|items| items.iter().map(finding).collect()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn a_certificate_that_ends_soon_is_told_with_what_to_do() {
        let now = ShopTime::from_nanos(1_780_000_000_000_000_000);
        let end = |days: f64| CertificateEnd {
            key: "ca_file",
            file: PathBuf::from("ca.pem"),
            until: now + Span::from_secs(days * 86_400.0),
        };
        let told = |days: f64| of_certificates(Ok(vec![end(days)]), now)[0].sentence();
        assert_eq!(told(30.5), "broker/ca_file        online: the certificate in ca.pem ends in 30 days");
        let soon = told(29.5);
        assert!(
            soon.starts_with("broker/ca_file        degraded: the certificate in ca.pem ends in 29 days\n"),
            "{soon}"
        );
        assert!(soon.ends_with("put a new one in its place: it is read at the next connection"), "{soon}");
        assert!(told(-0.5).starts_with("broker/ca_file        offline: the certificate in ca.pem ended 2026-05-"));
        let wrong = of_certificates(Err("it holds none".to_owned()), now)[0].sentence();
        assert!(wrong.starts_with("broker/certificates   offline: it holds none\n"), "{wrong}");
    }
}
