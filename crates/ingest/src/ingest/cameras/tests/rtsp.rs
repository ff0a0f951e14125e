//! `AISLE_TEST_RTSP` names the script that starts servers: `.ci/rtsp` of this repository. Each test has one of its own.

#[cfg(feature = "rtsp")]
use std::io::{Read as _, Write as _};
#[cfg(feature = "rtsp")]
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Open, device, left_out, picture_of};
use crate::base::{CameraId, Span};
use crate::image::decode_picture;
use crate::ingest::cameras::probe;
use crate::ingest::devices::{CameraDevice, RtspClient};
use crate::ports::HealthWord;

/// How a test gets a server.
const HOW: &str = "AISLE_TEST_RTSP=$PWD/.ci/rtsp";

/// A server.
struct Server {
    script: String,
    url: String,
}

impl Server {
    /// Starts one; `None`, saying so, where there is none.
    fn start() -> Option<Server> {
        let Ok(script) = std::env::var("AISLE_TEST_RTSP") else {
            left_out("an RTSP server", HOW);
            return None;
        };
        Some(Server::at(script, "0"))
    }

    fn at(script: String, port: &str) -> Server {
        let url = say(&script, &["start", port]);
        assert!(url.starts_with("rtsp://"), "{url}");
        Server { script, url }
    }

    fn port(&self) -> String {
        self.url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned()
    }

    fn signal(&self, signal: Signal) {
        let pid = say(&self.script, &["pid", &self.url]).parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        say(&self.script, &["stop", &self.url]);
    }
}

fn say(script: &str, arguments: &[&str]) -> String {
    let output = Command::new(script).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn camera(server: &Server, client: RtspClient) -> CameraDevice {
    CameraDevice { client, silence: Span::from_millis(1_500), ..device(&server.url) }
}

fn clients() -> impl Iterator<Item = RtspClient> {
    let retina = cfg!(feature = "rtsp").then_some(RtspClient::Retina);
    retina.into_iter().chain([RtspClient::Ffmpeg])
}

#[test]
fn an_rtsp_camera_gives_pictures_with_the_times_at_which_they_were_taken() {
    let Some(server) = Server::start() else { return };
    for client in clients() {
        let begun = Instant::now();
        let shop = Open::with(&camera(&server, client), &[]);
        let first = shop.frame();
        println!("{client}: first picture after {:?}", begun.elapsed());
        let picture = decode_picture(&picture_of(&first).data).unwrap();
        assert_eq!((picture.width(), picture.height()), (640, 360));
        // Past the two seconds in which clocks are not compared.
        let mut steps = Vec::new();
        let mut last = first;
        while begun.elapsed() < Duration::from_secs(7) {
            let next = shop.frame();
            if Duration::from_secs(3) < begun.elapsed() {
                steps.push(next.stamp.at.secs_since(last.stamp.at));
                assert!(next.stamp.at <= next.stamp.arrived);
            }
            last = next;
        }
        let mean = steps.iter().sum::<f64>() / steps.len() as f64;
        assert!((mean - 1.0 / 15.0).abs() < 0.003, "{client}: {mean}");
        let worst = steps.iter().map(|step| (step - mean).abs()).fold(0.0, f64::max);
        println!("{client}: frames are {mean:.4} s apart, at worst {worst:.4} s off");
        let health = shop.health();
        assert_eq!(health.health, HealthWord::Online, "{health:?}");
        assert_eq!((health.counters["reconnects"], health.counters["lost_packets"]), (0, 0));
        if client == RtspClient::Retina {
            assert!(worst < 0.005, "{worst}");
            let offset = health.clock_offset_secs.expect("it sends reports of its clock");
            assert!(offset.abs() < 1.0, "{offset}");
        }
        shop.cameras.stop();
    }
}

#[test]
fn a_server_that_freezes_or_dies_is_seen_again_within_two_seconds() {
    for client in clients() {
        let Some(server) = Server::start() else { return };
        let shop = Open::with(&camera(&server, client), &[]);
        shop.frame();
        let port = server.port();
        server.signal(Signal::STOP);
        let health = shop.until("offline", |health| health.health == HealthWord::Offline);
        assert!(health.cause.is_some(), "{health:?}");
        shop.until("no rate", |health| health.rate_hertz == Some(0.0));
        while shop.frames.take(Duration::ZERO).is_some() {}
        let back = Instant::now();
        server.signal(Signal::CONT);
        shop.frame();
        println!("{client}: back {:?} after it goes on", back.elapsed());
        assert!(back.elapsed() < Duration::from_secs(2), "{client}: {:?}", back.elapsed());
        let script = server.script.clone();
        drop(server);
        shop.until("offline", |health| {
            health.health == HealthWord::Offline
                && health.cause.as_deref().is_some_and(|cause| cause.contains("nobody listens"))
        });
        while shop.frames.take(Duration::ZERO).is_some() {}
        let again = Server::at(script, &port);
        let back = Instant::now();
        shop.frame();
        println!("{client}: back {:?} after a new server listens", back.elapsed());
        assert!(back.elapsed() < Duration::from_secs(2), "{client}: {:?}", back.elapsed());
        let health = shop.until("online", |health| health.health != HealthWord::Offline);
        assert!(2 <= health.counters["reconnects"] && health.counters["abandoned_threads"] == 0, "{health:?}");
        shop.cameras.stop();
        drop(again);
        let begun = Instant::now();
        while 0 < dead_children() {
            assert!(begun.elapsed() < super::PATIENCE, "children are not reaped");
            std::thread::yield_now();
        }
    }
}

/// Children of this process that ended and were not reaped, where that can be seen.
fn dead_children() -> usize {
    let own = format!(" Z {} ", std::process::id());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let states = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    states.filter(|state| state.contains(&own)).count()
}

#[test]
fn an_encoder_that_sends_the_same_picture_is_frozen() {
    let Ok(script) = std::env::var("AISLE_TEST_RTSP") else { return left_out("an RTSP server", HOW) };
    let launch = "( videotestsrc is-live=true pattern=checkers-8 ! video/x-raw,width=320,height=240,framerate=15/1 ! \
                  x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 config-interval=1 )";
    let output = Command::new(&script).arg("start").env("AISLE_RTSP_LAUNCH", launch).output().unwrap();
    let url = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let server = Server { script, url };
    for client in clients() {
        let device = CameraDevice { frozen: Span::from_millis(2_000), ..camera(&server, client) };
        let shop = Open::with(&device, &[]);
        let health = shop.until("frozen", |health| health.health == HealthWord::Frozen);
        assert_eq!(health.counters["reconnects"], 0, "{client}");
        shop.until("frames are left out", |health| 3 < health.counters["dropped_frozen"]);
    }
}

#[test]
fn what_a_camera_sends_is_told() {
    let Some(server) = Server::start() else { return };
    let sent = probe(&camera(&server, RtspClient::Retina), None, Duration::from_secs(4)).unwrap();
    println!("{sent:?}");
    if cfg!(feature = "rtsp") {
        assert_eq!((sent.codec.as_deref(), sent.size_pixels), (Some("h264"), Some([640, 360])));
        assert!((sent.key_secs.unwrap() - 1.0).abs() < 0.1 && (sent.measured_hertz.unwrap() - 15.0).abs() < 0.7);
        assert_eq!((sent.trouble, sent.dropped_undecodable), (None, 0));
    }
    let gone = probe(
        &CameraDevice { camera: CameraId::new("gone"), ..device(&format!("{}/no/such", server.url)) },
        None,
        Duration::from_secs(1),
    );
    assert!(gone.unwrap().trouble.is_some_and(|trouble| trouble.contains("404") && !trouble.contains("no/such")));
}

/// Passes a connection on and leaves out every so many packets of the pictures; answers the port.
#[cfg(feature = "rtsp")]
fn lossy(to: &str, every: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), format!("127.0.0.1:{to}"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut here, mut there) = (stream.unwrap(), TcpStream::connect(&to).unwrap());
            let (mut asks, mut hears) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            std::thread::spawn(move || drop(std::io::copy(&mut asks, &mut hears)));
            let mut packets = 0;
            let mut bytes = vec![0; 1 << 16];
            let mut held = Vec::new();
            while let Ok(read @ 1..) = there.read(&mut bytes) {
                held.extend_from_slice(&bytes[..read]);
                while let Some(length) = message(&held) {
                    let message: Vec<u8> = held.drain(..length).collect();
                    let is_picture = message.starts_with(b"$\0");
                    packets += usize::from(is_picture);
                    if !(is_picture && packets % every == 0) && here.write_all(&message).is_err() {
                        break;
                    }
                }
            }
        }
    });
    port
}

/// The length of the first whole message of RTSP.
#[cfg(feature = "rtsp")]
fn message(held: &[u8]) -> Option<usize> {
    let length = if let [b'$', _, high, low, ..] = held {
        4 + usize::from(u16::from_be_bytes([*high, *low]))
    } else {
        let head = held.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&held[..head]).to_ascii_lowercase();
        let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        head + body.unwrap_or(0)
    };
    (0 < length && length <= held.len()).then_some(length)
}

#[test]
#[cfg(feature = "rtsp")]
fn after_a_loss_nothing_is_shown_before_the_next_key_frame() {
    let Some(server) = Server::start() else { return };
    let port = lossy(&server.port(), 40);
    let url = server.url.replace(&server.port(), &port.to_string());
    let shop = Open::with(&CameraDevice { silence: Span::from_millis(3_000), ..device(&url) }, &[]);
    let health = shop.until("losses", |health| 3 <= health.counters.get("lost_packets").copied().unwrap_or(0));
    // A key frame comes each 15 frames, so that what leans on each loss is at most that.
    let (lost, dropped) = (health.counters["lost_packets"], health.counters["dropped_undecodable"]);
    assert!(lost <= dropped && dropped <= 15 * (lost + 1), "{health:?}");
    assert_eq!((health.counters["reconnects"], health.counters["restamped"]), (0, 0));
    // What is shown has the time of its frame: none is put where a lost one was.
    let mut last = shop.frame();
    for _ in 0..40 {
        let next = shop.frame();
        let frames = next.stamp.at.secs_since(last.stamp.at) * 15.0;
        assert!((frames - frames.round()).abs() < 0.1 && 0.9 < frames, "{frames}");
        last = next;
    }
}

#[test]
#[cfg(feature = "rtsp")]
fn whatever_a_camera_answers_over_rtsp_is_no_crash() {
    let server = super::server::Server::new(|mut asked| {
        let mut noise = 1_u32;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223 + asked.number as u32);
            (noise >> 24) as u8
        })
        .take(5_000)
        .collect();
        let cseq = asked.head.iter().find(|line| line.starts_with("CSeq")).cloned().unwrap_or_default();
        let sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets=!!!\r\n";
        let answers: [Vec<u8>; 5] = [
            bytes.clone(),
            b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
            [b"$\0\xff\xff".as_slice(), &bytes].concat(),
            format!(
                "RTSP/1.0 200 OK\r\n{cseq}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                sdp.len()
            )
            .into(),
            format!("RTSP/1.0 401 Unauthorized\r\n{cseq}\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n\r\n")
                .into(),
        ];
        asked.say(&answers[asked.number % answers.len()]);
    });
    let url = format!("rtsp://admin:ganzgeheim@127.0.0.1:{}/a", server.port);
    let shop = Open::at(&url);
    // Each answer comes twice.
    let health = shop.until("ten answers", |health| health.counters.get("failed_connects") == Some(&10));
    assert_eq!((health.health, health.counters["frames"]), (HealthWord::Offline, 0));
    assert!(!format!("{health:?}").contains("ganzgeheim"));
}
