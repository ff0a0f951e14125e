//! Which cameras there are: those that answer a question in this network (WS-Discovery, as ONVIF has it), and those of this machine
//! (V4L2). It asks once and listens for a while. It logs into nothing.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::ErrorKind;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::base::{Error, Result};

/// Where cameras listen for the question.
const GROUP: (&str, u16) = ("239.255.255.250", 3702);
/// No more answers are kept, and no larger ones read, bytes.
const ANSWERS_MAX: usize = 256;
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The list of what Linux knows as video devices.
const DEVICES: &str = "/sys/class/video4linux";

/// A camera that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FoundCamera {
    /// Where: an address in the network, or `/dev/video0`.
    pub at: String,
    /// Addresses of its service, or its stable path in `/dev/v4l/by-id`.
    pub services: Vec<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// What it is.
    pub hardware: Option<String>,
}

/// Asks who is a camera in this network, and listens for so long. Only the network that this machine is in is asked.
///
/// # Errors
/// When the question cannot be sent.
pub fn find_onvif(wait: Duration) -> Result<Vec<FoundCamera>> {
    ask(GROUP, wait)
}

fn ask(place: (&str, u16), wait: Duration) -> Result<Vec<FoundCamera>> {
    let failed = |error: std::io::Error| Error::unavailable(format!("cannot ask in this network: {error}"));
    let socket = UdpSocket::bind(("0.0.0.0", 0)).map_err(failed)?;
    let number = some_uuid();
    socket.send_to(question(&number).as_bytes(), place).map_err(failed)?;
    let until = Instant::now() + wait;
    let mut found = BTreeMap::new();
    let mut bytes = vec![0; ANSWER_BYTES_MAX];
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        socket.set_read_timeout(Some(left)).map_err(failed)?;
        match socket.recv_from(&mut bytes) {
            Ok((length, from)) => {
                if let Some(camera) = read_answer(&String::from_utf8_lossy(&bytes[..length]), from.ip()) {
                    found.insert(camera.at.clone(), camera);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => return Err(failed(error)),
        }
        if ANSWERS_MAX <= found.len() {
            break;
        }
    }
    Ok(found.into_values().collect())
}

/// A number that nobody else has: random, as version 4 of UUIDs says it (RFC 9562).
fn some_uuid() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (high, low) = (random() & !0xf000 | 0x4000, random() & !(0b11 << 62) | 0b10 << 62);
    let text = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// The question, with a number of its own.
fn question(number: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">\
         <s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
         <a:MessageID>urn:uuid:{number}</a:MessageID>\
         <a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
         <s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    )
}

/// A camera that answered from this address; `None` when it is none.
pub(super) fn read_answer(answer: &str, from: IpAddr) -> Option<FoundCamera> {
    if !answer.to_ascii_lowercase().contains("onvif") {
        return None;
    }
    let services = text_of(answer, "XAddrs")?;
    // Some do not know where they are.
    let services = services.split_whitespace().map(|url| url.replace("://0.0.0.0", &format!("://{from}")));
    let scope = |kind: &str| {
        let scopes = text_of(answer, "Scopes")?;
        let scope = scopes.split_whitespace().find_map(|scope| scope.split_once(kind))?.1;
        let words = scope.replace("%20", " ").replace('_', " ");
        (!words.trim().is_empty()).then(|| words.trim().to_owned())
    };
    Some(FoundCamera {
        at: from.to_string(),
        services: services.collect(),
        name: scope("onvif.org/name/"),
        hardware: scope("onvif.org/hardware/"),
    })
}

/// What stands in the first element of this name, whatever its prefix.
fn text_of<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = xml;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        let behind = &rest[at + name.len()..];
        if matches!(before, Some('<' | ':')) && behind.starts_with(['>', ' ', '\n', '\t', '\r']) {
            let (_, text) = behind.split_once('>')?;
            return Some(text.split('<').next().unwrap_or_default().trim());
        }
        rest = behind;
    }
    None
}

/// The cameras of this machine; none where it is no Linux or has none.
pub fn find_local() -> Vec<FoundCamera> {
    local_in(Path::new(DEVICES), Path::new("/dev/v4l/by-id"))
}

pub(super) fn local_in(devices: &Path, by_id: &Path) -> Vec<FoundCamera> {
    let Ok(entries) = fs::read_dir(devices) else { return Vec::new() };
    let mut found: Vec<FoundCamera> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let read = |file: &str| Some(fs::read_to_string(path.join(file)).ok()?.trim().to_owned());
            // The first node of a camera is the one with pictures; the others have words about them.
            if read("index").is_some_and(|index| index != "0") {
                return None;
            }
            let node = path.file_name()?.to_string_lossy().into_owned();
            let links = fs::read_dir(by_id).into_iter().flatten().flatten().map(|entry| entry.path());
            let stable = links.filter(|link| {
                fs::read_link(link).is_ok_and(|to| to.file_name().is_some_and(|name| name.to_string_lossy() == node))
            });
            let services = stable.map(|path| path.display().to_string()).collect();
            Some(FoundCamera { at: format!("/dev/{node}"), services, name: read("name"), hardware: None })
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::{ask, read_answer};

    const ANSWER: &str = "<s:Envelope xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"><d:ProbeMatch>\
        <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Door%20cam \
        onvif://www.onvif.org/hardware/IPC-1</d:Scopes>\
        <d:XAddrs>http://0.0.0.0/onvif/device_service http://10.0.0.5:8080/onvif/device_service</d:XAddrs>\
        </d:ProbeMatch></s:Envelope>";

    #[test]
    fn an_answer_says_where_a_camera_is() {
        let camera = read_answer(ANSWER, [10, 0, 0, 5].into()).unwrap();
        assert_eq!((camera.name.as_deref(), camera.hardware.as_deref()), (Some("Door cam"), Some("IPC-1")));
        assert_eq!(camera.services[0], "http://10.0.0.5/onvif/device_service");
        assert_eq!(read_answer("<d:XAddrs>http://printer/</d:XAddrs>", [10, 0, 0, 6].into()), None);
        assert_eq!(read_answer("<XAddrs onvif", [10, 0, 0, 6].into()), None);
    }

    #[test]
    fn who_answers_the_question_is_found_once() {
        let camera = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = camera.local_addr().unwrap().port();
        let answering = std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            let (length, from) = camera.recv_from(&mut bytes).unwrap();
            for answer in ["nonsense", ANSWER, ANSWER] {
                camera.send_to(answer.as_bytes(), from).unwrap();
            }
            String::from_utf8_lossy(&bytes[..length]).into_owned()
        });
        let found = ask(("127.0.0.1", port), Duration::from_millis(300)).unwrap();
        assert_eq!(found.iter().map(|camera| camera.at.as_str()).collect::<Vec<_>>(), ["127.0.0.1"]);
        let question = answering.join().unwrap();
        assert!(question.contains("discovery/Probe</a:Action>") && question.contains("NetworkVideoTransmitter"));
    }
}
