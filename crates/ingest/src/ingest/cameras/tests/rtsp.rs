//! `AISLE_TEST_RTSP` names the script that starts servers: `.ci/rtsp` of this repository. Each test has one of its own.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Open, device, left_out, picture_of};
use crate::base::{CameraId, Span};
use crate::image::decode_picture;
use crate::ingest::cameras::probe;
use crate::ingest::devices::{CameraDevice, RtspClient};
use crate::ports::HealthWord;

/// A server.
struct Server {
    script: String,
    url: String,
}

impl Server {
    /// Starts one; `None`, saying so, where there is none.
    fn start() -> Option<Server> {
        let Ok(script) = std::env::var("AISLE_TEST_RTSP") else {
            left_out("an RTSP server", "AISLE_TEST_RTSP=$PWD/.ci/rtsp");
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
