//! Which devices a shop has: `devices.toml` as somebody wrote it, checked. Secrets are never in it, only where they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::{CameraId, PlateId, SecretPlace, Span};
use crate::shop::{Problem, Shop};

/// The file as somebody wrote it. `docs/reference/live.md` says what each key means.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in one table, in docs/reference/live.md")]
pub struct DevicesDraft {
    pub broker: Option<BrokerDraft>,
    pub sparkplug: Option<SparkplugDraft>,
    pub camera: Vec<CameraDraft>,
    pub board: Vec<BoardDraft>,
    pub gate: Vec<GateDraft>,
    pub pictures: Option<PicturesDraft>,
}

/// `[broker]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct BrokerDraft {
    pub url: Option<String>,
    pub client_id: Option<String>,
    pub username: Option<String>,
    pub password_env: Option<String>,
    pub password_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub keep_alive_secs: Option<f64>,
    pub home_assistant: Option<bool>,
}

/// `[sparkplug]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct SparkplugDraft {
    pub group: Option<String>,
    pub host: Option<String>,
    pub metric: Vec<MetricDraft>,
}

/// `[[sparkplug.metric]]`: which metric of which node is which plate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct MetricDraft {
    pub node: String,
    pub device: Option<String>,
    pub name: String,
    pub plate: String,
    /// Grams that a reading of 1 means; 1 without it.
    pub grams: Option<f64>,
}

/// `[[camera]]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct CameraDraft {
    pub name: String,
    pub url: Option<String>,
    pub url_env: Option<String>,
    pub url_file: Option<PathBuf>,
    pub client: Option<String>,
    pub decoder: Option<String>,
    pub hardware: Option<String>,
    pub rate_hertz: Option<f64>,
    pub silence_secs: Option<f64>,
    pub frozen_secs: Option<f64>,
    pub quality: Option<u8>,
    pub repeat: Option<bool>,
    pub enabled: Option<bool>,
}

/// `[[board]]`: who sends weights or people.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct BoardDraft {
    pub source: String,
    pub silence_secs: Option<f64>,
    pub rate_hertz: Option<f64>,
    pub enabled: Option<bool>,
}

/// `[[gate]]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct GateDraft {
    pub name: String,
    pub role: Option<String>,
    pub offline: Option<String>,
}

/// `[pictures]`: whether pictures around changes on shelves are kept.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `DevicesDraft`")]
pub struct PicturesDraft {
    pub key_file: Option<PathBuf>,
    pub key_env: Option<String>,
    pub before_secs: Option<f64>,
    pub after_secs: Option<f64>,
    pub frames_max: Option<u64>,
    pub cameras_max: Option<u64>,
    pub days_max: Option<f64>,
    pub disk_mib: Option<u64>,
    pub faces: Option<String>,
}

/// The devices of a shop, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// The MQTT broker.
    pub broker: Option<Broker>,
    /// Shelves that speak Sparkplug B over it.
    pub sparkplug: Option<Sparkplug>,
    /// Cameras by URL, in order of the file.
    pub cameras: Vec<CameraDevice>,
    /// Who sends weights or people.
    pub boards: Vec<Board>,
    /// Gates.
    pub gates: Vec<Gate>,
    /// Which pictures around changes on shelves are kept; none where the file does not say so.
    pub pictures: Option<PictureRule>,
}

/// An MQTT broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether it is spoken to over TLS: `mqtts://`.
    pub tls: bool,
    /// Name of this client; without it one that follows from the shop's name, which stays the same over restarts.
    pub client_id: Option<String>,
    /// User name, and where the password is.
    pub login: Option<(String, SecretPlace)>,
    /// Certificates that are trusted, PEM; without it those that this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key of this client, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How often the connection is tried when nothing else is sent.
    pub keep_alive: Span,
    /// Whether Home Assistant is told of the devices.
    pub home_assistant: bool,
}

/// Shelves that speak Sparkplug B.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparkplug {
    /// The group of the nodes.
    pub group: String,
    /// The name of this host application.
    pub host: String,
    /// Which metrics are which plates.
    pub metrics: Vec<Metric>,
}

/// A metric that is a plate.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The edge node.
    pub node: String,
    /// The device of the node; none for metrics of the node itself.
    pub device: Option<String>,
    /// The metric's name.
    pub name: String,
    /// The plate.
    pub plate: PlateId,
    /// Grams that a reading of 1 means.
    pub grams: f64,
}

/// Where a camera is.
#[derive(Clone, Debug, PartialEq)]
pub enum CameraAddress {
    /// In the file, without a password.
    Url(String),
    /// It has a password in it, so it is elsewhere.
    Hidden(SecretPlace),
}

aisle_contract::named_enum! {
    /// Who speaks with an RTSP camera.
    pub enum RtspClient as "RTSP client" {
        /// aisle itself, which knows when each frame was taken; pictures are decoded by ffmpeg.
        Retina = "retina",
        /// The program ffmpeg, for cameras that need it.
        Ffmpeg = "ffmpeg",
    }
}

/// A camera.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraDevice {
    /// Which of the shop's cameras.
    pub camera: CameraId,
    /// Where it is.
    pub address: CameraAddress,
    /// Who speaks with it, if it is an RTSP camera.
    pub client: RtspClient,
    /// Decoder of this machine that ffmpeg is told to use (`-hwaccel`), such as `vaapi` or `cuda`.
    pub hardware: Option<String>,
    /// Frames a second that are used of it; more are left out and counted. Without it all.
    pub rate_hertz: Option<f64>,
    /// Silent for so long it is offline, and the connection is made anew.
    pub silence: Span,
    /// The same picture for so long means that it is frozen.
    pub frozen: Span,
    /// JPEG quality of frames that come in another form, 1 to 100.
    pub quality: u8,
    /// Whether a file is played again and again.
    pub repeat: bool,
    /// Whether it is used.
    pub enabled: bool,
}

/// Who sends weights or people.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// The source of its facts.
    pub source: String,
    /// Silent for so long it is offline.
    pub silence: Span,
    /// Messages a second that it should send.
    pub rate_hertz: Option<f64>,
    /// Whether it is used.
    pub enabled: bool,
}

aisle_contract::named_enum! {
    /// What a gate is for.
    pub enum GateRole as "role of a gate" {
        /// People come in.
        Entrance = "entrance",
        /// People go out.
        Exit = "exit",
        /// Whoever stands there says that a visit begins: one at a time.
        Terminal = "terminal",
    }
}

aisle_contract::named_enum! {
    /// What a gate does when it cannot reach aisle.
    pub enum OfflineRule as "rule" {
        /// It lets everybody through.
        Open = "open",
        /// It lets nobody in.
        Shut = "shut",
    }
}

/// A gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: GateRole,
    /// What it does when it cannot reach aisle.
    pub offline: OfflineRule,
}

aisle_contract::named_enum! {
    /// Whose faces stay as they are in pictures that are kept.
    pub enum FaceRule as "rule for faces" {
        /// Those of whoever may have taken the goods; all others are made unknowable.
        Takers = "takers",
        /// Nobody's.
        Nobody = "nobody",
    }
}

/// Which pictures around changes on shelves are kept, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureRule {
    /// Where the key is that encrypts them.
    pub key: SecretPlace,
    /// How long before the change they begin.
    pub before: Span,
    /// How long behind it they end.
    pub after: Span,
    /// Pictures of one camera around one change; at least one.
    pub frames_max: usize,
    /// Cameras around one change, best first; at least one.
    pub cameras_max: usize,
    /// How long they are kept.
    pub kept: Span,
    /// Disk space of all of them; beyond it the oldest are deleted, bytes.
    pub disk_bytes: u64,
    /// Whose faces stay as they are.
    pub faces: FaceRule,
}

/// How long a broker, a camera, a board may be silent where nobody says otherwise.
const KEEP_ALIVE: Span = Span::from_millis(5_000);
const CAMERA_SILENCE: Span = Span::from_millis(3_000);
const CAMERA_FROZEN: Span = Span::from_millis(30_000);
const BOARD_SILENCE: Span = Span::from_millis(3_000);
const SPAN_SECS_MAX: f64 = 3_600.0;
/// Pictures around a change where nobody says otherwise, and the most of each.
const PICTURES_BEFORE_SECS: f64 = 2.0;
const PICTURES_AFTER_SECS: f64 = 1.5;
const PICTURES_SPAN_SECS_MAX: f64 = 5.0;
const PICTURES_FRAMES: u64 = 8;
const PICTURES_FRAMES_MAX: u64 = 20;
const PICTURES_CAMERAS: u64 = 2;
const PICTURES_CAMERAS_MAX: u64 = 4;
const PICTURES_DISK_MIB: u64 = 1_024;
const PICTURES_DISK_MIB_MAX: u64 = 1 << 20;
/// Seconds of a day.
const DAY_SECS: f64 = 86_400.0;

impl Devices {
    /// Checks a draft against the shop that the devices are of. Paths of files are taken below `folder`.
    ///
    /// # Errors
    /// Every problem.
    pub fn check(draft: DevicesDraft, shop: &Shop, folder: &Path) -> Result<Devices, Vec<Problem>> {
        let mut check = Check { problems: Vec::new(), shop, folder };
        let devices = Devices {
            broker: draft.broker.and_then(|broker| check.broker(broker)),
            sparkplug: draft.sparkplug.map(|sparkplug| check.sparkplug(sparkplug)),
            cameras: draft.camera.into_iter().filter_map(|camera| check.camera(camera)).collect(),
            boards: draft.board.into_iter().filter_map(|board| check.board(board)).collect(),
            gates: draft.gate.into_iter().map(|gate| check.gate(gate)).collect(),
            pictures: draft.pictures.and_then(|pictures| check.pictures(pictures)),
        };
        check.whole(&devices);
        if check.problems.is_empty() { Ok(devices) } else { Err(check.problems) }
    }
}

struct Check<'a> {
    problems: Vec<Problem>,
    shop: &'a Shop,
    folder: &'a Path,
}

impl Check<'_> {
    fn say(&mut self, item: &str, message: impl Into<String>) {
        self.problems.push(Problem { item: item.to_owned(), line: None, message: message.into() });
    }

    fn whole(&mut self, devices: &Devices) {
        if devices.sparkplug.is_some() && devices.broker.is_none() {
            self.say("sparkplug", "there is no [broker] over which it could be spoken");
        }
        if devices.pictures.is_some() && devices.cameras.is_empty() {
            self.say("pictures", "there is no [[camera]] whose pictures could be kept");
        }
        let mut names = BTreeSet::new();
        let cameras = devices.cameras.iter().map(|camera| format!("camera {}", camera.camera));
        let boards = devices.boards.iter().map(|board| format!("board {}", board.source));
        let gates = devices.gates.iter().map(|gate| format!("gate {}", gate.name));
        for name in cameras.chain(boards).chain(gates) {
            if !names.insert(name.clone()) {
                self.say(&name, "is there twice; a device has one name, and each its own");
            }
        }
    }

    fn broker(&mut self, draft: BrokerDraft) -> Option<Broker> {
        let item = "broker";
        let Some(url) = draft.url else {
            self.say(item, "`url` is missing: mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS");
            return None;
        };
        let (tls, rest) = match (url.strip_prefix("mqtt://"), url.strip_prefix("mqtts://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => {
                self.say(item, format!("`url` is mqtt://HOST:PORT or mqtts://HOST:PORT, not {url:?}"));
                return None;
            }
        };
        if rest.contains('@') {
            // What stands before the sign may be a password.
            self.say(item, "`url` has no user in it: write `username` and `password_file` or `password_env`");
            return None;
        }
        let (host, port) = host_and_port(rest, if tls { 8883 } else { 1883 }).or_else(|| {
            self.say(item, format!("`url` is mqtt://HOST:PORT, not {url:?}"));
            None
        })?;
        let login = match (draft.username, self.secret(item, "password", draft.password_env, draft.password_file)) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) => {
                self.say(item, "a `username` needs `password_file` or `password_env`");
                None
            }
            (None, Some(_)) => {
                self.say(item, "a password needs a `username`");
                None
            }
        };
        let identity = match (draft.certificate_file, draft.key_file) {
            (Some(certificate), Some(key)) => Some((self.folder.join(certificate), self.folder.join(key))),
            (None, None) => None,
            _ => {
                self.say(item, "`certificate_file` and `key_file` belong together");
                None
            }
        };
        let ca_file = draft.ca_file.map(|file| self.folder.join(file));
        if !tls && (identity.is_some() || ca_file.is_some()) {
            self.say(item, "certificates are for mqtts://");
        }
        let keep_alive = self.span(item, "keep_alive_secs", draft.keep_alive_secs, KEEP_ALIVE);
        let home_assistant = draft.home_assistant.unwrap_or(false);
        Some(Broker {
            host,
            port,
            tls,
            client_id: draft.client_id,
            login,
            ca_file,
            identity,
            keep_alive,
            home_assistant,
        })
    }

    fn sparkplug(&mut self, draft: SparkplugDraft) -> Sparkplug {
        let group = draft.group.unwrap_or_default();
        if group.is_empty() || group.contains(['/', '+', '#']) {
            self.say("sparkplug", "`group` is missing, or has one of / + #");
        }
        let mut plates = BTreeSet::new();
        let mut metrics = Vec::new();
        for metric in draft.metric {
            let item = format!("sparkplug metric {}", metric.name);
            let Ok(plate) = metric.plate.parse::<PlateId>() else {
                self.say(&item, format!("`plate` is the name of a plate of the shop, not {:?}", metric.plate));
                continue;
            };
            let known = self.shop.shelves().iter().any(|shelf| shelf.plates.iter().any(|known| known.id == plate));
            if !known {
                self.say(&item, format!("the shop has no plate {plate}"));
            }
            if !plates.insert(plate) {
                self.say(&item, format!("plate {plate} has two metrics"));
            }
            let grams = metric.grams.unwrap_or(1.0);
            if !(grams.is_finite() && grams != 0.0) {
                self.say(&item, "`grams` is what a reading of 1 means: a number that is not zero");
            }
            metrics.push(Metric { node: metric.node, device: metric.device, name: metric.name, plate, grams });
        }
        if metrics.is_empty() {
            self.say("sparkplug", "no [[sparkplug.metric]] says which metric is which plate");
        }
        Sparkplug { group, host: draft.host.unwrap_or_else(|| "aisle".to_owned()), metrics }
    }

    fn camera(&mut self, draft: CameraDraft) -> Option<CameraDevice> {
        let item = format!("camera {}", draft.name);
        let camera = CameraId::new(&draft.name);
        if !self.shop.cameras().iter().any(|known| known.id == camera) {
            self.say(
                &item,
                "the shop's files know no camera of this name: where it stands and looks is in cameras.toml",
            );
        }
        let hidden = self.secret(&item, "url", draft.url_env, draft.url_file);
        let address = match (draft.url, hidden) {
            (Some(url), None) if has_password(&url) => {
                self.say(
                    &item,
                    "`url` has a password in it: put the whole URL into a file and say `url_file`, or `url_env`",
                );
                return None;
            }
            (Some(url), None) => CameraAddress::Url(self.below_folder(url)),
            (None, Some(place)) => CameraAddress::Hidden(place),
            (Some(_), Some(_)) => {
                self.say(&item, "`url`, `url_file` and `url_env` exclude each other");
                return None;
            }
            (None, None) => {
                self.say(&item, "`url`, `url_file` or `url_env` is missing");
                return None;
            }
        };
        let client = match draft.client.as_deref().unwrap_or("retina").parse() {
            Ok(client) => client,
            Err(message) => {
                self.say(&item, format!("`client`: {message}"));
                RtspClient::Retina
            }
        };
        if draft.decoder.as_deref().is_some_and(|decoder| decoder != "ffmpeg") {
            self.say(&item, "`decoder` is ffmpeg");
        }
        let quality = draft.quality.unwrap_or(90);
        if !(1..=100).contains(&quality) {
            self.say(&item, "`quality` is 1 to 100");
        }
        self.rate(&item, draft.rate_hertz);
        Some(CameraDevice {
            camera,
            address,
            client,
            hardware: draft.hardware,
            rate_hertz: draft.rate_hertz,
            silence: self.span(&item, "silence_secs", draft.silence_secs, CAMERA_SILENCE),
            frozen: self.span(&item, "frozen_secs", draft.frozen_secs, CAMERA_FROZEN),
            quality,
            repeat: draft.repeat.unwrap_or(false),
            enabled: draft.enabled.unwrap_or(true),
        })
    }

    /// An address whose path, of a video or a folder of pictures, is taken below the folder of the file that it stands in.
    fn below_folder(&self, url: String) -> String {
        match url.strip_prefix("file:").or_else(|| (!url.contains("://") && !url.starts_with("usb:")).then_some(&url)) {
            Some(path) if !path.starts_with("//") => self.folder.join(path).display().to_string(),
            _ => url,
        }
    }

    fn board(&mut self, draft: BoardDraft) -> Option<Board> {
        let item = format!("board {}", draft.source);
        if draft.source.is_empty() {
            self.say("board", "`source` is missing: as its facts have it");
            return None;
        }
        self.rate(&item, draft.rate_hertz);
        Some(Board {
            silence: self.span(&item, "silence_secs", draft.silence_secs, BOARD_SILENCE),
            source: draft.source,
            rate_hertz: draft.rate_hertz,
            enabled: draft.enabled.unwrap_or(true),
        })
    }

    fn gate(&mut self, draft: GateDraft) -> Gate {
        let item = format!("gate {}", draft.name);
        if draft.name.is_empty() {
            self.say("gate", "`name` is missing");
        }
        let role = draft.role.as_deref().unwrap_or("entrance").parse().unwrap_or_else(|message: String| {
            self.say(&item, format!("`role`: {message}"));
            GateRole::Entrance
        });
        let offline = draft.offline.as_deref().unwrap_or("shut").parse().unwrap_or_else(|message: String| {
            self.say(&item, format!("`offline`: {message}"));
            OfflineRule::Shut
        });
        Gate { name: draft.name, role, offline }
    }

    fn pictures(&mut self, draft: PicturesDraft) -> Option<PictureRule> {
        let item = "pictures";
        let span = |check: &mut Self, key: &str, secs: Option<f64>, usual: f64| {
            let secs = secs.unwrap_or(usual);
            if !(0.0..=PICTURES_SPAN_SECS_MAX).contains(&secs) {
                check.say(item, format!("`{key}` is 0 to {PICTURES_SPAN_SECS_MAX} seconds, not {secs}"));
            }
            Span::from_secs(secs)
        };
        let before = span(self, "before_secs", draft.before_secs, PICTURES_BEFORE_SECS);
        let after = span(self, "after_secs", draft.after_secs, PICTURES_AFTER_SECS);
        let frames_max =
            self.count(item, "frames_max", draft.frames_max.unwrap_or(PICTURES_FRAMES), PICTURES_FRAMES_MAX);
        let cameras_max =
            self.count(item, "cameras_max", draft.cameras_max.unwrap_or(PICTURES_CAMERAS), PICTURES_CAMERAS_MAX);
        let mib = self.count(item, "disk_mib", draft.disk_mib.unwrap_or(PICTURES_DISK_MIB), PICTURES_DISK_MIB_MAX);
        let kept = self.pictures_kept(draft.days_max);
        let faces = draft.faces.as_deref().unwrap_or("takers").parse().unwrap_or_else(|message: String| {
            self.say(item, format!("`faces`: {message}"));
            FaceRule::Takers
        });
        let Some(key) = self.secret(item, "key", draft.key_env, draft.key_file) else {
            self.say(item, "`key_file` or `key_env` is missing: where the key is that encrypts them");
            return None;
        };
        let disk_bytes = (mib as u64).saturating_mul(1 << 20);
        Some(PictureRule { key, before, after, frames_max, cameras_max, kept, disk_bytes, faces })
    }

    /// Never longer than the evidence that they belong to; without a word not longer than a receipt may be contested either.
    fn pictures_kept(&mut self, days: Option<f64>) -> Span {
        let policy = &self.shop.policy().payment;
        let (evidence, contest) = (policy.evidence_kept, policy.contest_max);
        let evidence_days = evidence.as_secs() / DAY_SECS;
        let Some(days) = days else {
            let usual = evidence.min(contest);
            if usual <= Span::ZERO {
                let message = "nothing would be kept: `policy.evidence_days_max` or `policy.contest_days_max` is 0; write `days_max`";
                self.say("pictures", message);
            }
            return usual;
        };
        if !(0.0 < days && days <= evidence_days) {
            let message = format!(
                "`days_max` is more than 0 and at most {evidence_days} days, for so long the shop keeps evidence \
                 (`policy.evidence_days_max`), not {days}"
            );
            self.say("pictures", message);
        }
        Span::from_secs(days * DAY_SECS)
    }

    fn count(&mut self, item: &str, key: &str, count: u64, most: u64) -> usize {
        if !(1..=most).contains(&count) {
            self.say(item, format!("`{key}` is 1 to {most}, not {count}"));
        }
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    fn secret(
        &mut self,
        item: &str,
        key: &str,
        variable: Option<String>,
        file: Option<PathBuf>,
    ) -> Option<SecretPlace> {
        match (variable, file) {
            (None, None) => None,
            (Some(variable), None) => Some(SecretPlace::Variable(variable)),
            (None, Some(file)) => Some(SecretPlace::File(self.folder.join(file))),
            (Some(_), Some(_)) => {
                self.say(item, format!("`{key}_env` and `{key}_file` exclude each other"));
                None
            }
        }
    }

    fn span(&mut self, item: &str, key: &str, secs: Option<f64>, default: Span) -> Span {
        match secs {
            None => default,
            Some(secs) if 0.0 < secs && secs <= SPAN_SECS_MAX => Span::from_secs(secs),
            Some(secs) => {
                self.say(item, format!("`{key}` is more than 0 and at most {SPAN_SECS_MAX} seconds, not {secs}"));
                default
            }
        }
    }

    fn rate(&mut self, item: &str, rate: Option<f64>) {
        if rate.is_some_and(|rate| !(0.0 < rate && rate <= 1_000.0)) {
            self.say(item, "`rate_hertz` is more than 0 and at most 1,000");
        }
    }
}

/// Whether a URL has a password, which must not stand in a file that is shown and recorded.
fn has_password(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Host and port of `HOST:PORT`, `HOST` with the usual port, `[::1]:PORT`.
pub(super) fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port != 0))?;
    (!host.is_empty() && !host.contains(['/', '?', ' '])).then(|| (host.to_owned(), port))
}
