//! How devices are, by every way that somebody may ask.

use std::sync::Arc;

use aisle::api::Role;
use aisle::base::Span;
use aisle::ports::{DeviceHealth, DeviceKind, HealthBoard, HealthWord};
use serde_json::json;

use super::{NOON, World};

/// A world with a camera that is well and shows a picture, one that is not, and a board that is not to be used.
fn world() -> (World, HealthBoard) {
    let board = HealthBoard::default();
    let mut left = DeviceHealth::new("camera/left", DeviceKind::Camera, NOON - Span::from_millis(60_000));
    left.say(HealthWord::Online, None, None, NOON - Span::from_millis(50_000));
    left.heard = Some(NOON - Span::from_millis(1_500));
    (left.rate_hertz, left.expected_hertz, left.clock_offset_secs) = (Some(14.5), Some(15.0), Some(-0.25));
    left.count("reconnects", 2);
    board.add(left);
    board.add(DeviceHealth::new("camera/right", DeviceKind::Camera, NOON - Span::from_millis(9_000)));
    let mut gondola = DeviceHealth::new("gondola/1", DeviceKind::Board, NOON);
    gondola.say(HealthWord::Disabled, None, None, NOON);
    board.add(gondola);
    let picture: Arc<[u8]> = Arc::from(&b"\xff\xd8\xff"[..]);
    let pictures =
        Arc::new(move |name: &str| (name == "left").then(|| (NOON - Span::from_millis(250), picture.clone())));
    let world = World::with(|api, _| api.with_health(board.clone()).with_pictures(pictures));
    (world, board)
}

#[test]
fn devices_are_listed_with_their_ages_and_one_is_asked_for_by_its_name() {
    let (world, _) = world();
    let all = world.get(Role::Screen, "/v1/devices");
    let names: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|device| device["device"].as_str().unwrap()).collect();
    assert_eq!(names, ["camera/left", "camera/right", "gondola/1"]);
    let left = world.get(Role::Operator, "/v1/devices/camera%2Fleft");
    assert_eq!(left, all["items"][0]);
    assert_eq!((&left["heard_secs_ago"], &left["counters"]["reconnects"]), (&json!(1.5), &json!(2)));
    assert_eq!(all["items"][1]["heard_secs_ago"], json!(null));
    assert_eq!(all["items"][1]["cause"], "nothing has come from it yet");
    world.ask(Role::Operator, "GET", "/v1/devices/camera%2Fthird", None).expect(404);
    assert_eq!(World::new().get(Role::Operator, "/v1/devices")["items"], json!([]), "no shop is open");
}

#[test]
fn a_shop_that_is_open_and_lacks_something_says_so() {
    let (world, board) = world();
    let ready = world.get(Role::Operator, "/readyz");
    assert_eq!((&ready["status"], ready["devices"].as_array().unwrap().len()), (&json!("degraded"), 1));
    assert_eq!(
        (&ready["devices"][0]["device"], &ready["devices"][0]["health"]),
        (&json!("camera/right"), &json!("offline"))
    );
    board.with("camera/right", |device| device.say(HealthWord::Online, None, None, NOON)).unwrap();
    assert_eq!(world.get(Role::Operator, "/readyz")["status"], "ready");
}

#[test]
fn a_camera_shows_what_it_saw_last_and_how_old_that_is() {
    let (world, _) = world();
    let shown = world.ask(Role::Operator, "GET", "/v1/cameras/left/picture", None);
    assert_eq!((shown.status.as_u16(), shown.body.as_slice()), (200, &b"\xff\xd8\xff"[..]));
    assert_eq!(shown.header("Content-Type"), "image/jpeg");
    assert_eq!((shown.header("X-Picture-Age-Seconds"), shown.header("Cache-Control")), ("0.250", "no-store"));
    assert_eq!(shown.header("X-Picture-Time"), "2025-06-15T15:06:39.750Z");
    let none = world.ask(Role::Operator, "GET", "/v1/cameras/right/picture", None).expect(503);
    assert!(none["detail"].as_str().unwrap().contains("it is offline: nothing has come from it yet"), "{none}");
    world.ask(Role::Operator, "GET", "/v1/cameras/third/picture", None).expect(404);
    world.ask(Role::Screen, "GET", "/v1/cameras/left/picture", None).expect(403);
    World::new().ask(Role::Operator, "GET", "/v1/cameras/left/picture", None).expect(404);
}

#[test]
fn metrics_tell_of_every_device_and_how_old_that_is() {
    let (world, _) = world();
    world.clock.on(Span::from_millis(500));
    let text = world.ask(Role::Operator, "GET", "/metrics", None).text();
    for line in [
        "aisle_device_up{device=\"camera/left\",kind=\"camera\"} 1",
        "aisle_device_up{device=\"camera/right\",kind=\"camera\"} 0",
        "aisle_device_last_heard_seconds{device=\"camera/left\",kind=\"camera\"} 2",
        "aisle_device_state_seconds{device=\"camera/right\",kind=\"camera\"} 9.5",
        "aisle_device_rate_hertz{device=\"camera/left\",kind=\"camera\"} 14.5",
        "aisle_device_expected_rate_hertz{device=\"camera/left\",kind=\"camera\"} 15",
        "aisle_device_clock_offset_seconds{device=\"camera/left\",kind=\"camera\"} -0.25",
        "aisle_device_health{device=\"gondola/1\",kind=\"board\",health=\"disabled\"} 1",
        "aisle_device_health{device=\"gondola/1\",kind=\"board\",health=\"online\"} 0",
        "aisle_device_events_total{device=\"camera/left\",what=\"reconnects\"} 2",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
}
