use std::time::{Duration, Instant};

use super::server::{HEAD, Server};
use super::{Open, device, jpeg, left_out, picture_of};
use crate::base::{CameraId, SecretPlace, Span};
use crate::geometry::{self, CameraPose, Lens, Point};
use crate::image::{PictureFormat, RgbImage, encode_png, picture_head};
use crate::ingest::devices::CameraAddress;
use crate::ports::HealthWord;
use crate::shop::Camera;

#[test]
fn pictures_pass_as_they_are_with_their_times() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        asked.play(0, 10);
    });
    let shop = Open::at(&server.url());
    let mut last = shop.frame();
    let all: Vec<Vec<u8>> = (0..200).map(jpeg).collect();
    for _ in 0..20 {
        let fact = shop.frame();
        let frame = picture_of(&fact);
        assert_eq!((frame.camera.as_str(), fact.stamp.source.as_str()), ("left", "camera/left"));
        assert_eq!(frame.format, PictureFormat::Jpeg);
        assert!(all.iter().any(|picture| picture[..] == frame.data[..]), "it is none that was sent");
        assert!(last.stamp.sequence < fact.stamp.sequence && last.stamp.at < fact.stamp.at);
        assert!(fact.stamp.at <= fact.stamp.arrived);
        last = fact;
    }
    let health = shop.until("its rate", |health| health.health == HealthWord::Online && health.rate_hertz.is_some());
    assert_eq!((health.cause, health.remedy), (None, None));
    assert_eq!(
        shop.frames.latest(&CameraId::new("left")).map(|fact| last.stamp.sequence <= fact.stamp.sequence),
        Some(true)
    );
    shop.cameras.stop();
}

#[test]
fn frames_that_nobody_takes_are_replaced_and_counted() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        for number in 0..50 {
            asked.part(&jpeg(number));
        }
        asked.hang();
    });
    let shop = Open::at(&server.url());
    // Frames are taken while it is waited for, so that what is counted is what was not taken.
    let begun = Instant::now();
    while shop.health().counters.get("frames") != Some(&50) && begun.elapsed() < super::PATIENCE {
        std::thread::yield_now();
    }
    shop.frame();
    let health = shop.until("counters", |health| health.counters["dropped_replaced"] == 49);
    assert_eq!((health.counters["frames"], health.counters["dropped_undecodable"]), (50, 0));
}

#[test]
fn a_camera_that_ends_the_connection_is_connected_to_again() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        for number in 0..5 {
            asked.part(&jpeg(asked.number as u32 * 10 + number));
            asked.pause(5);
        }
    });
    let shop = Open::at(&server.url());
    let health = shop.until("three connections", |health| 2 <= health.counters.get("reconnects").copied().unwrap_or(0));
    assert!(10 <= health.counters["frames"] && health.counters["failed_connects"] == 0, "{health:?}");
    assert!(3 <= server.connections());
}

#[test]
fn a_silent_camera_is_given_up_and_connected_to_again() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        asked.part(&jpeg(asked.number as u32));
        match asked.number {
            0 => asked.hang(),
            // Bytes that never become a picture are silence too.
            1 => {
                while asked.say(b"-") {
                    asked.pause(10);
                }
            }
            _ => asked.play(100, 10),
        }
    });
    let shop = Open::at(&server.url());
    let begun = Instant::now();
    let health = shop.until("frames again", |health| 20 < health.counters.get("frames").copied().unwrap_or(0));
    assert_eq!((health.counters["reconnects"], health.counters["abandoned_threads"]), (2, 0), "{health:?}");
    assert!(Duration::from_millis(800) < begun.elapsed());
    assert_eq!(health.health, HealthWord::Online);
}

#[test]
fn the_same_picture_for_too_long_is_told_and_not_looked_at() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        let same = jpeg(1);
        for _ in 0..100 {
            asked.part(&same);
            asked.pause(10);
        }
        asked.play(2, 10);
    });
    let shop = Open::at(&server.url());
    let health = shop.until("frozen", |health| health.health == HealthWord::Frozen);
    assert!(health.cause.unwrap().contains("has not changed") && health.remedy.is_some());
    let health = shop.until("it moves again", |health| health.health == HealthWord::Online);
    assert!(10 < health.counters["dropped_frozen"], "{health:?}");
    assert_eq!(health.counters["reconnects"], 0);
}

#[test]
fn garbage_and_bombs_are_counted_and_the_next_picture_is_taken() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        let mut bomb = jpeg(1);
        // Its head says that it has 65,500 pixels a side.
        let size = bomb.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
        bomb[size..size + 4].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
        let broken = jpeg(2)[..200].to_vec();
        let png = encode_png(&RgbImage::new(8, 8)).unwrap();
        for odd in [bomb, broken, png, b"GET / HTTP/1.1".to_vec(), vec![0xff; 4_000]] {
            asked.part(&odd);
        }
        asked.say(b"--frame\r\nContent-Length: 99999999999\r\n\r\nnothing\r\n");
        asked.play(10, 10);
    });
    let shop = Open::at(&server.url());
    let frame = shop.frame();
    assert_eq!(picture_of(&frame).data[..], jpeg(10)[..]);
    let health = shop.until("all are counted", |health| health.counters["dropped_undecodable"] == 6);
    assert_eq!((health.health, health.counters["reconnects"]), (HealthWord::Online, 0));
}

#[test]
fn a_camera_that_sends_no_pictures_is_there_and_says_why_it_is_of_no_use() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        while asked.part(b"no picture at all") {
            asked.pause(10);
        }
    });
    let shop = Open::at(&server.url());
    let health = shop.until("a cause", |health| {
        health.cause.as_deref().is_some_and(|cause| cause.contains("no pictures that can be read"))
    });
    assert_eq!((health.health, health.counters["frames"]), (HealthWord::Degraded, 0));
    assert!(10 < health.counters["dropped_undecodable"] && health.remedy.is_some(), "{health:?}");
}

#[test]
fn a_login_is_answered_and_never_shown() {
    for scheme in ["Basic realm=\"camera\"", "Digest realm=\"camera\", nonce=\"abc\", qop=\"auth\", algorithm=MD5"] {
        let server = Server::new(move |mut asked| {
            let login = asked.head.iter().find_map(|line| line.strip_prefix("authorization: "));
            let login = login.unwrap_or_default().to_owned();
            // admin:geheim
            let is_right = login == "Basic YWRtaW46Z2VoZWlt"
                || login.contains("username=\"admin\"") && login.contains("response=");
            assert!(!asked.head[0].contains("geheim") && !asked.head[0].contains('@'));
            if !is_right {
                let head =
                    format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {scheme}\r\nContent-Length: 0\r\n\r\n");
                asked.say(head.as_bytes());
                return;
            }
            asked.say(HEAD.as_bytes());
            asked.play(0, 10);
        });
        let url = |login: &str| server.url().replace("127", &format!("{login}@127"));
        let shop = Open::at(&url("admin:geheim"));
        shop.frame();
        shop.cameras.stop();
        if scheme.starts_with("Basic") {
            // A wrong one is not tried again and again: cameras lock out who does.
            let before = server.connections();
            let shop = Open::at(&url("admin:ganzgeheim"));
            let health =
                shop.until("a cause", |health| health.cause.as_deref().is_some_and(|cause| cause.contains("401")));
            assert_eq!(health.health, HealthWord::Offline);
            assert!(!format!("{health:?}").contains("ganzgeheim") && health.remedy.is_some());
            shop.cameras.stop();
            assert!(server.connections() <= before + 2, "{} more", server.connections() - before);
        }
    }
}

#[test]
fn a_camera_of_single_pictures_is_asked_again_and_again() {
    let server = Server::new(|mut asked| {
        let picture = jpeg(asked.number as u32);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            picture.len()
        );
        asked.say(&[head.as_bytes(), &picture].concat());
    });
    let shop =
        Open::with(&crate::ingest::devices::CameraDevice { rate_hertz: Some(50.0), ..device(&server.url()) }, &[]);
    let (first, second) = (shop.frame(), shop.frame());
    assert_ne!(picture_of(&first).data, picture_of(&second).data);
    assert!(2 <= server.connections());
    assert_eq!(shop.count("reconnects"), 0);
}

#[test]
fn a_camera_that_is_back_is_seen_within_two_seconds() {
    let play = |mut asked: super::server::Asked| {
        asked.say(HEAD.as_bytes());
        asked.play(asked.number as u32, 10);
    };
    let server = Server::new(play);
    let port = server.port;
    let shop = Open::at(&server.url());
    shop.frame();
    drop(server);
    // Long enough away that waits have grown to their longest.
    let away = Instant::now();
    let health = shop.until("refused", |health| {
        let refused = health.cause.as_deref().is_some_and(|cause| cause.contains("nobody listens"));
        refused && health.health == HealthWord::Offline && Duration::from_secs(3) < away.elapsed()
    });
    assert_eq!(health.rate_hertz, Some(0.0));
    assert!(health.remedy.is_some() && 2 < health.counters["failed_connects"], "{health:?}");
    assert_eq!(health.counters["stalls"], 1);
    while shop.frames.take(Duration::ZERO).is_some() {}
    let back = Instant::now();
    let _server = Server::at(port, play);
    shop.frame();
    assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
    println!("back after {:?}", back.elapsed());
    shop.until("online", |health| health.health != HealthWord::Offline);
}

#[test]
fn frames_are_thinned_out_and_those_of_another_view_are_told() {
    let server = Server::new(|mut asked| {
        asked.say(HEAD.as_bytes());
        asked.play(0, 10);
    });
    let mut device = device(&server.url());
    device.rate_hertz = Some(20.0);
    let shop = Open::with(&device, &[view([64, 64], 100.0)]);
    let health = shop.until("a cause", |health| health.cause.as_deref().is_some_and(|cause| cause.contains("32x24")));
    assert_eq!((health.health, health.expected_hertz), (HealthWord::Degraded, Some(100.0)));
    let health = shop.until("counters", |health| 100 < health.counters["frames"]);
    let thinned = health.counters["dropped_rate"] as f64 / health.counters["frames"] as f64;
    assert!((0.4..0.95).contains(&thinned) && 100 <= health.counters["wrong_size"], "{health:?}");
}

/// A camera of the shop.
fn view(size_pixels: [u32; 2], rate_hertz: f64) -> Camera {
    let lens = Lens { focal_pixels: [50.0, 50.0], centre_pixels: [32.0, 32.0], distortion: [0.0; 5] };
    let pose = CameraPose { position: Point::new(0.0, 0.0, 2.5), rotation: [0.0; 3] };
    Camera { id: CameraId::new("left"), size_pixels, rate_hertz, view: geometry::Camera::new(lens, pose) }
}

#[test]
fn a_camera_that_is_not_used_is_left_alone_and_a_secret_that_is_not_there_is_told() {
    let server = Server::new(|asked| asked.hang());
    let mut off = device(&server.url());
    off.enabled = false;
    let shop = Open::with(&off, &[]);
    assert_eq!(shop.health().health, HealthWord::Disabled);
    shop.cameras.stop();
    assert_eq!(server.connections(), 0);
    let mut hidden = device("");
    hidden.address = CameraAddress::Hidden(SecretPlace::Variable("AISLE_NO_SUCH_CAMERA".to_owned()));
    let shop = Open::with(&hidden, &[]);
    let health = shop.until("a cause", |health| health.remedy.is_some());
    assert!(health.cause.unwrap().contains("AISLE_NO_SUCH_CAMERA is not set"));
}

#[test]
fn a_shop_closes_at_once_whatever_its_cameras_do() {
    let server = Server::new(|mut asked| {
        if 0 < asked.number % 2 {
            asked.say(HEAD.as_bytes());
        }
        asked.hang();
    });
    let slow = crate::ingest::devices::CameraDevice { silence: Span::from_millis(60_000), ..device(&server.url()) };
    for _ in 0..2 {
        let asked = server.connections();
        let shop = Open::with(&slow, &[]);
        while server.connections() == asked {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        let (frames, health) = (shop.frames.clone(), shop.health.clone());
        shop.cameras.stop();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(frames.take(super::PATIENCE), None);
        assert_eq!(health.get("camera/left").unwrap().health, HealthWord::Offline);
    }
}

#[test]
fn pictures_of_a_folder_are_played_at_their_pace() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..6 {
        std::fs::write(folder.path().join(format!("{number}.jpg")), jpeg(number)).unwrap();
    }
    std::fs::write(folder.path().join("6.png"), encode_png(&RgbImage::new(8, 8)).unwrap()).unwrap();
    std::fs::write(folder.path().join("7.jpg"), b"\xff\xd8\xffbroken").unwrap();
    let mut device = device(folder.path().to_str().unwrap());
    device.rate_hertz = Some(40.0);
    let shop = Open::with(&device, &[]);
    let first = shop.frame();
    assert_eq!(picture_of(&first).data[..], jpeg(0)[..]);
    let health =
        shop.until("its end", |health| health.cause.as_deref().is_some_and(|cause| cause.contains("to its end")));
    assert_eq!((health.counters["frames"], health.counters["dropped_undecodable"]), (7, 1));
    let last = shop.frames.latest(&CameraId::new("left")).unwrap();
    // Six intervals of 25 ms lie between the first and the last one that can be read.
    assert!(
        (0.149..0.160).contains(&last.stamp.at.secs_since(first.stamp.at)),
        "{}",
        last.stamp.at.secs_since(first.stamp.at)
    );
    assert_eq!(picture_head(&picture_of(&last).data).unwrap().format, PictureFormat::Jpeg);
}

#[test]
fn a_film_is_played_at_its_pace_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.avi");
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=0.4"]).arg(&film);
    let Ok(status) = command.status() else { return left_out("ffmpeg", "install it") };
    assert!(status.success());
    let mut device = device(&format!("file:{}", film.display()));
    device.repeat = true;
    device.silence = Span::from_millis(5_000);
    let shop = Open::with(&device, &[]);
    let first = shop.frame();
    let health = shop.until("twice its length", |health| 20 < health.counters["frames"]);
    assert_eq!((health.counters["reconnects"], health.counters["dropped_undecodable"]), (0, 0));
    let passed = shop.frames.latest(&CameraId::new("left")).unwrap().stamp.at.secs_since(first.stamp.at);
    assert!((0.75..5.0).contains(&passed), "{passed}");
    // A film that is not there says so, and which remedy there is.
    let shop = Open::at("no such film.mp4");
    let health = shop.until("a cause", |health| health.remedy.is_some());
    assert_eq!(health.health, HealthWord::Offline);
}
