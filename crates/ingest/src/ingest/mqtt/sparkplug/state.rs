//! The word of a host application: online while it is there, offline when it is not, retained, for nodes that wait for it. It
//! takes the time and gives messages; what it says in its will and at its birth bears the same time, as the specification
//! wants it.

use serde::Deserialize;
use serde_json::json;

use crate::ingest::devices::Sparkplug;
use crate::ingest::mqtt::boards::Moment;
use crate::ingest::mqtt::link::Manners;
use crate::ingest::mqtt::wire::Said;

/// The state of a host application.
pub(in crate::ingest::mqtt) struct StateManners {
    topic: String,
    /// Of the connection that is there or is being made, milliseconds.
    since: i64,
}

/// What stands in a message of state.
#[derive(Deserialize)]
struct State {
    online: bool,
}

impl StateManners {
    pub(in crate::ingest::mqtt) fn new(settings: &Sparkplug) -> Self {
        StateManners { topic: format!("spBv1.0/STATE/{}", settings.host), since: 0 }
    }

    /// What a host subscribes to: its own word, and its group.
    pub(in crate::ingest::mqtt) fn filters(settings: &Sparkplug) -> Vec<String> {
        vec![format!("spBv1.0/STATE/{}", settings.host), format!("spBv1.0/{}/#", settings.group)]
    }

    fn said(&self, online: bool) -> Said {
        let payload = json!({ "online": online, "timestamp": self.since }).to_string().into_bytes();
        Said { topic: self.topic.clone(), payload, is_sure: true, is_retained: true }
    }
}

impl Manners for StateManners {
    fn will(&mut self, moment: Moment) -> Said {
        self.since = moment.now.as_nanos() / 1_000_000;
        self.said(false)
    }

    fn hello(&mut self, _: Moment) -> Vec<Said> {
        vec![self.said(true)]
    }

    fn goodbye(&mut self, _: Moment) -> Said {
        self.said(false)
    }

    fn heed(&mut self, topic: &str, payload: &[u8], _: Moment) -> Option<Vec<Said>> {
        if topic != self.topic {
            return None;
        }
        // An old will may come late: whoever hears it is told at once that it is not so.
        let is_offline = serde_json::from_slice(payload).is_ok_and(|state: State| !state.online);
        Some(is_offline.then(|| self.said(true)).into_iter().collect())
    }

    fn tick(&mut self, _: Moment) -> Vec<Said> {
        Vec::new()
    }
}
