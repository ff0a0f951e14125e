//! Cameras as MJPEG over HTTP: `/camera/NAME.mjpeg` is a stream that never ends, one JPEG a part. Whoever is slow misses
//! pictures, which is counted; a camera whose plug is pulled ends, is silent, shows one picture for ever or sends what is none.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::{Error, Result, ShopTime};
use crate::sim::FaultKind;

/// Watchers at one time; more are refused and counted.
const WATCHERS_MAX: usize = 64;
/// Bytes of a request.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// How long a watcher may take for a request, and for a picture.
const WATCHER: Duration = Duration::from_secs(5);
/// How often a watcher to whom nothing is sent looks whether the plug was pulled.
const LOOK: Duration = Duration::from_millis(200);
/// What separates the parts of a stream.
const BOUNDARY: &str = "aisle-frame";
/// Bytes of what is no picture.
const GARBAGE_BYTES: usize = 4 << 10;

/// What became of the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CameraCounts {
    /// Taken by cameras.
    pub(super) taken: u64,
    /// Taken while nobody watched that camera.
    pub(super) unwatched: u64,
    /// Sent to watchers.
    pub(super) sent: u64,
    /// Missed by watchers who were slow.
    pub(super) missed: u64,
    /// Not sent, or sent in another form, because a plug was pulled.
    pub(super) spoilt: u64,
    /// Watchers who were not let in.
    pub(super) refused: u64,
}

/// A picture, and when the camera says that it was taken.
#[derive(Clone)]
struct Picture {
    at: ShopTime,
    jpeg: Arc<[u8]>,
}

#[derive(Default)]
struct Slot {
    /// Of the newest picture; 0 before the first.
    number: u64,
    picture: Option<Picture>,
    fault: Option<FaultKind>,
    /// What a frozen camera shows.
    frozen: Option<Picture>,
    watchers: usize,
}

#[derive(Default)]
struct State {
    slots: BTreeMap<String, Slot>,
    watchers: usize,
    counts: CameraCounts,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All cameras of a shop.
pub(super) struct Cameras {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Cameras {
    /// Serves cameras of these names.
    pub(super) fn start(listen: SocketAddr, names: &BTreeSet<String>) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::io("listen on", Path::new(&listen.to_string()), error);
        let listener = TcpListener::bind(listen).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let slots = names.iter().map(|name| (name.clone(), Slot::default())).collect();
        let shared = Arc::new(Shared { state: Mutex::new(State { slots, ..State::default() }), ..Shared::default() });
        let theirs = shared.clone();
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let watcher = theirs.clone();
                let spawned = thread::Builder::new().name("watcher".to_owned()).spawn(move || watch(&watcher, stream));
                theirs.lock().counts.refused += u64::from(spawned.is_err());
            }
        };
        thread::Builder::new().name("cameras".to_owned()).spawn(accept).map_err(|error| failed(&error))?;
        Ok(Cameras { shared, address })
    }

    /// Where a camera is.
    pub(super) fn url(&self, name: &str) -> String {
        format!("http://{}/camera/{name}.mjpeg", self.address)
    }

    /// A camera has taken a picture; one that is none of them takes none.
    pub(super) fn show(&self, name: &str, at: ShopTime, jpeg: &[u8]) {
        let mut state = self.shared.lock();
        let Some(slot) = state.slots.get_mut(name) else { return };
        slot.number += 1;
        slot.picture = Some(Picture { at, jpeg: jpeg.into() });
        let unwatched = u64::from(slot.watchers == 0);
        state.counts.taken += 1;
        state.counts.unwatched += unwatched;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Pulls the plug of a camera in this way, or puts it back.
    pub(super) fn set(&self, name: &str, fault: Option<FaultKind>) {
        let mut state = self.shared.lock();
        if let Some(slot) = state.slots.get_mut(name) {
            slot.fault = fault;
            slot.frozen = slot.picture.clone();
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// What became of the pictures so far.
    pub(super) fn counts(&self) -> CameraCounts {
        self.shared.lock().counts
    }
}

/// Answers one watcher until they go.
fn watch(shared: &Shared, mut stream: TcpStream) {
    let in_time = stream.set_read_timeout(Some(WATCHER)).and_then(|()| stream.set_write_timeout(Some(WATCHER)));
    let Some(path) = in_time.ok().and_then(|()| read_path(&mut stream)) else { return };
    let name = path.strip_prefix("/camera/").and_then(|rest| rest.strip_suffix(".mjpeg")).unwrap_or_default();
    let known = {
        let mut state = shared.lock();
        let full = WATCHERS_MAX <= state.watchers;
        let slot = state.slots.get_mut(name);
        let gone = slot.as_ref().is_some_and(|slot| slot.fault == Some(FaultKind::CameraGone));
        if full || gone {
            state.counts.refused += 1;
            return;
        }
        if let Some(slot) = slot {
            slot.watchers += 1;
            state.watchers += 1;
            true
        } else {
            state.counts.refused += 1;
            false
        }
    };
    if !known {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    }
    // Whoever goes away has heard enough.
    let _ = stream_pictures(shared, &mut stream, name);
    let mut state = shared.lock();
    state.watchers -= 1;
    if let Some(slot) = state.slots.get_mut(name) {
        slot.watchers -= 1;
    }
}

/// The path that a request asks for; none where it is no request, or not in time.
fn read_path(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        if REQUEST_BYTES_MAX < head.len() {
            return None;
        }
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return None,
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.lines().next()?.split(' ');
    (words.next()? == "GET").then(|| words.next().map(str::to_owned))?
}

fn stream_pictures(shared: &Shared, stream: &mut TcpStream, name: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n"
    );
    let mut last = shared.lock().slots.get(name).map_or(0, |slot| slot.number);
    stream.write_all(head.as_bytes())?;
    loop {
        let Some((number, picture, fault)) = next(shared, name, last) else { return Ok(()) };
        let missed = number.saturating_sub(last + 1);
        last = number;
        let sent = match (&picture, fault) {
            (_, Some(FaultKind::CameraGone)) => return Ok(()),
            (_, Some(FaultKind::CameraSilent)) | (None, _) => false,
            (Some(picture), Some(FaultKind::CameraGarbage)) => {
                stream.write_all(&part(&Picture { jpeg: garbage(number).into(), ..picture.clone() }))?;
                false
            }
            (Some(picture), fault) => {
                stream.write_all(&part(picture))?;
                fault.is_none()
            }
        };
        let counts = &mut shared.lock().counts;
        counts.missed += missed;
        counts.sent += u64::from(sent);
        counts.spoilt += u64::from(!sent);
    }
}

/// Waits for the next picture, or for the end of a camera; what it shows then.
fn next(shared: &Shared, name: &str, last: u64) -> Option<(u64, Option<Picture>, Option<FaultKind>)> {
    let mut state = shared.lock();
    loop {
        let slot = state.slots.get(name)?;
        if slot.number != last || slot.fault == Some(FaultKind::CameraGone) {
            let frozen = slot.fault == Some(FaultKind::CameraFrozen);
            let picture = if frozen { slot.frozen.clone() } else { slot.picture.clone() };
            let at = slot.picture.as_ref().map(|picture| picture.at);
            // A camera that hangs goes on to say what time it is.
            let picture = picture.map(|picture| Picture { at: at.unwrap_or(picture.at), ..picture });
            return Some((slot.number, picture, slot.fault));
        }
        state = shared.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn part(picture: &Picture) -> Vec<u8> {
    let secs = picture.at.as_nanos().div_euclid(1_000_000_000);
    let micros = picture.at.as_nanos().rem_euclid(1_000_000_000) / 1_000;
    let mut part = format!(
        "--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {secs}.{micros:06}\r\n\r\n",
        picture.jpeg.len()
    )
    .into_bytes();
    part.extend_from_slice(&picture.jpeg);
    part.extend_from_slice(b"\r\n");
    part
}

/// Bytes that are no picture: of every other one the beginning looks like one.
fn garbage(number: u64) -> Vec<u8> {
    let mut state = number | 1;
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(GARBAGE_BYTES)
    .collect();
    if number.is_multiple_of(2) {
        bytes[..4].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras() -> Cameras {
        Cameras::start("127.0.0.1:0".parse().unwrap(), &BTreeSet::from(["left".to_owned()])).unwrap()
    }

    fn watcher(cameras: &Cameras, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(cameras.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        stream
    }

    /// Reads up to the end of these bytes.
    fn read_to(stream: &mut TcpStream, end: &[u8]) -> String {
        let (mut text, mut byte) = (Vec::new(), [0; 1]);
        while !text.ends_with(end) {
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "the stream ended at {:?}", String::from_utf8_lossy(&text));
            text.push(byte[0]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Somebody who has read the head of a stream, and so is there when the next picture is taken.
    fn watching(cameras: &Cameras) -> TcpStream {
        let mut stream = watcher(cameras, "/camera/left.mjpeg");
        assert!(read_to(&mut stream, b"\r\n\r\n").contains("multipart/x-mixed-replace; boundary=aisle-frame"));
        stream
    }

    #[test]
    fn a_watcher_gets_pictures_with_the_time_of_the_camera() {
        let cameras = cameras();
        let mut stream = watching(&cameras);
        for (number, word) in [&b"first"[..], b"second"].into_iter().enumerate() {
            cameras.show("left", ShopTime::from_nanos(1_700_000_000_250_000_000 + number as i64), word);
            let part = read_to(&mut stream, b"\r\n\r\n");
            assert!(
                part.contains(&format!("Content-Length: {}\r\nX-Timestamp: 1700000000.250000", word.len())),
                "{part}"
            );
            read_to(&mut stream, word);
        }
        cameras.show("right", ShopTime::MIN, b"of nobody");
        assert_eq!((cameras.counts().taken, cameras.counts().unwatched, cameras.counts().missed), (2, 0, 0));
        let mut lost = watcher(&cameras, "/camera/right.mjpeg");
        assert!(read_to(&mut lost, b"\r\n").contains("404"));
        assert_eq!(cameras.counts().refused, 1);
    }

    #[test]
    fn a_camera_fails_as_it_is_told() {
        let cameras = cameras();
        let mut stream = watching(&cameras);
        let at = ShopTime::from_nanos(0);
        cameras.show("left", at, b"before");
        read_to(&mut stream, b"before\r\n");
        cameras.set("left", Some(FaultKind::CameraFrozen));
        cameras.show("left", at, b"unseen");
        assert!(!read_to(&mut stream, b"before\r\n").contains("unseen"));
        cameras.set("left", Some(FaultKind::CameraGarbage));
        cameras.show("left", at, b"unseen");
        assert!(read_to(&mut stream, b"\r\n\r\n").contains("Content-Length: 4096"));
        stream.read_exact(&mut vec![0; GARBAGE_BYTES + 2]).unwrap();
        cameras.set("left", Some(FaultKind::CameraSilent));
        cameras.show("left", at, b"unseen");
        cameras.set("left", None);
        cameras.show("left", at, b"after");
        read_to(&mut stream, b"after\r\n");
        cameras.set("left", Some(FaultKind::CameraGone));
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "the stream ends");
        assert_eq!(watcher(&cameras, "/camera/left.mjpeg").read(&mut [0; 1]).unwrap_or(0), 0, "and no new one begins");
        assert_eq!(cameras.counts().taken, 5);
    }
}
