//! `aisle doctor --shop`: the devices of a shop as they are from here, or as the shop says that they are while it is open.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::shops;
use crate::base::{Error, Result};
use crate::config::Trade;
use crate::ingest::cameras::{Probe, probe};
use crate::ingest::devices::{Broker, CameraDevice, Devices};

/// How long a broker may take to answer.
const BROKER: Duration = Duration::from_secs(3);
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
    let Devices { broker, cameras, boards, .. } = devices.ok_or_else(|| {
        let hint = "write a devices.toml beside its shop.toml: docs/reference/live.md says how";
        Error::usage("this shop has no devices").at_path(shop).hint(hint)
    })?;
    let mut findings: Vec<Finding> = broker.iter().map(of_broker).collect();
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
    Ok(findings)
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
