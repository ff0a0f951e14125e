//! What a shop says of itself over MQTT: whether it is there, how each device is, and how Home Assistant shows that. It takes the
//! health board and the time, gives messages, and says nothing of shoppers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::boards::Moment;
use super::link::Manners;
use super::topics::{About, Topics, slug};
use super::wire::Said;
use crate::ports::{DeviceHealth, HealthBoard, HealthWord};

/// How often the health of all devices is said, changed or not.
const ALL_SPAN: Duration = Duration::from_secs(10);
/// How often changes are looked for.
const LOOK_SPAN: Duration = Duration::from_secs(1);
/// Where Home Assistant says that it has started.
pub(super) const HOME_ASSISTANT_STATUS: &str = "homeassistant/status";
/// The longest that the answer to that waits, so that not everybody answers at one moment.
const ANSWER_WAIT_MILLIS: u64 = 2_000;

/// What a shop says of itself.
pub(super) struct ShopManners {
    topics: Topics,
    shop: String,
    health: HealthBoard,
    home_assistant: bool,
    /// What was said last of each device: word and cause.
    said: BTreeMap<String, (HealthWord, Option<String>)>,
    looked: Duration,
    said_all: Option<Duration>,
    /// When Home Assistant is told again.
    introduce_at: Option<Duration>,
}

impl ShopManners {
    pub(super) fn new(topics: Topics, shop: &str, health: HealthBoard, home_assistant: bool) -> Self {
        ShopManners {
            topics,
            shop: shop.to_owned(),
            health,
            home_assistant,
            said: BTreeMap::new(),
            looked: Duration::ZERO,
            said_all: None,
            introduce_at: None,
        }
    }

    fn status(&self, word: &str) -> Said {
        Said { topic: self.topics.status(), payload: word.as_bytes().to_vec(), is_sure: true, is_retained: true }
    }

    /// The devices that changed, or all.
    fn devices(&mut self, all: bool) -> Vec<Said> {
        let mut messages = Vec::new();
        for device in self.health.all() {
            let state = (device.health, device.cause.clone());
            if !all && self.said.get(&device.device) == Some(&state) {
                continue;
            }
            if let Ok(payload) = serde_json::to_vec(&device) {
                let topic = self.topics.health(&device.device);
                messages.push(Said { topic, payload, is_sure: false, is_retained: true });
            }
            self.said.insert(device.device, state);
        }
        messages
    }

    /// What Home Assistant is told: one device with a sensor for each of ours.
    fn introduction(&self) -> Said {
        let id = format!("aisle-{}", slug(&self.shop));
        let components: Map<String, Value> =
            self.health.all().iter().map(|device| self.component(&id, device)).collect();
        let payload = json!({
            "device": { "identifiers": [id], "name": self.shop, "manufacturer": "aisle" },
            "origin": { "name": "aisle", "sw_version": env!("CARGO_PKG_VERSION"), "support_url": env!("CARGO_PKG_REPOSITORY") },
            "availability": [{ "topic": self.topics.status() }],
            "components": components,
        });
        Said {
            topic: format!("homeassistant/device/{id}/config"),
            payload: payload.to_string().into_bytes(),
            is_sure: true,
            is_retained: true,
        }
    }

    fn component(&self, id: &str, device: &DeviceHealth) -> (String, Value) {
        let key = slug(&device.device);
        let sensor = json!({
            "platform": "sensor",
            "unique_id": format!("{id}-{key}"),
            "name": device.device,
            "state_topic": self.topics.health(&device.device),
            "value_template": "{{ value_json.health }}",
            "json_attributes_topic": self.topics.health(&device.device),
            "device_class": "enum",
            "options": HealthWord::ALL.map(HealthWord::name),
        });
        (key, sensor)
    }
}

impl Manners for ShopManners {
    fn will(&mut self, _: Moment) -> Said {
        self.status("offline")
    }

    fn hello(&mut self, moment: Moment) -> Vec<Said> {
        let mut messages = vec![self.status("online")];
        messages.extend(self.home_assistant.then(|| self.introduction()));
        messages.extend(self.devices(true));
        self.said_all = Some(moment.elapsed);
        messages
    }

    fn goodbye(&mut self, _: Moment) -> Said {
        self.status("offline")
    }

    fn heed(&mut self, topic: &str, payload: &[u8], moment: Moment) -> Option<Vec<Said>> {
        if topic != HOME_ASSISTANT_STATUS {
            // What comes back of what was said here is for nobody.
            return (self.topics.about(topic) == About::Own).then(Vec::new);
        }
        if self.home_assistant && payload == b"online" {
            let wait = Duration::from_millis(moment.now.as_nanos().unsigned_abs() / 1_000 % ANSWER_WAIT_MILLIS);
            self.introduce_at = Some(moment.elapsed + wait);
        }
        Some(Vec::new())
    }

    fn tick(&mut self, moment: Moment) -> Vec<Said> {
        let mut messages = Vec::new();
        if self.introduce_at.is_some_and(|at| at <= moment.elapsed) {
            self.introduce_at = None;
            messages = vec![self.status("online"), self.introduction()];
            self.said_all = None;
        }
        if moment.elapsed < self.looked + LOOK_SPAN && self.said_all.is_some() {
            return messages;
        }
        self.looked = moment.elapsed;
        let all = self.said_all.is_none_or(|said| said + ALL_SPAN <= moment.elapsed);
        if all {
            self.said_all = Some(moment.elapsed);
        }
        messages.extend(self.devices(all));
        messages
    }
}
