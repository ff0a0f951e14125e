//! `aisle simulate --live`: plays a film in real time as the devices of a shop do, to whoever listens, and keeps the truth
//! aside. Plugs are pulled by seed. What was sent, sent again and lost is told at the end.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::boards::{BoardCounts, Boards, BrokerAddress};
use super::cameras::{CameraCounts, Cameras};
use super::film::Film;
use super::folder;
use super::gates::{Entered, GateCounts, Gates};
use super::proxy::Proxy;
use crate::base::{Error, Result, ShopTime, Span};
use crate::facts::{Body, Fact, Topic};
use crate::output;
use crate::ports::{Clock, FactSource, WallClock};
use crate::recording::Reader;
use crate::sim::{Fault, FaultKind, Sending, WireCounts, Wires, moved_truth};

/// A picture that is later than this is not shown: a camera does not show the past.
const FRAME_LATE: Duration = Duration::from_millis(500);
/// Later than this is told.
const LATE: Duration = Duration::from_millis(100);
/// How long the end waits for a broker that has not acknowledged everything.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a film may wait before it begins, and how fast it is played at most.
const LEAD_SECS_MAX: f64 = 600.0;
const SPEED_MAX: f64 = 1_000.0;

/// How a film is played live.
#[derive(Args, Clone, Debug)]
pub(super) struct LiveArgs {
    /// Play the trip in real time as devices do, moved to now; it is written to `--output` first
    #[arg(long, help_heading = "Live")]
    pub(super) live: bool,
    /// Play this recording, rather than simulate one.
    #[arg(long, value_name = "RECORDING", requires = "live", conflicts_with = "output", help_heading = "Live")]
    pub(super) play: Option<PathBuf>,
    /// MQTT broker that weights, people and gate scans are sent to: mqtt://HOST:PORT
    #[arg(long, value_name = "URL", requires = "live", help_heading = "Live")]
    broker: Option<BrokerAddress>,
    /// Send the people of a film with frames too, as a tracker measures them; else cameras have to see them
    #[arg(long, requires = "broker", help_heading = "Live")]
    people: bool,
    /// Send no gate scans: everybody is a walk-in
    #[arg(long, requires = "live", conflicts_with = "api", help_heading = "Live")]
    walk_ins: bool,
    /// Address to serve cameras on as MJPEG, under /camera/NAME.mjpeg; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", requires = "live", help_heading = "Live")]
    cameras_listen: Option<SocketAddr>,
    /// API of aisle that gates ask whether the door opens, such as <http://127.0.0.1:8080>; without it scans go to the broker
    #[arg(long, value_name = "URL", requires_all = ["live", "token_file"], help_heading = "Live")]
    api: Option<String>,
    /// File with an operator's token for that API: shoppers of the film enrol with it
    #[arg(long, value_name = "FILE", requires = "api", help_heading = "Live")]
    token_file: Option<PathBuf>,
    /// Playback speed factor, for MQTT only: times in the facts run so many times faster than the clock
    #[arg(long, value_name = "FACTOR", requires = "live", default_value_t = 1.0, value_parser = parse_speed, help_heading = "Live")]
    speed: f64,
    /// How long to wait before the film begins, once all devices are there
    #[arg(long, value_name = "SECONDS", requires = "live", default_value_t = 0.0, value_parser = parse_lead, help_heading = "Live")]
    lead: f64,
    /// Pull plugs by this seed: broker, cameras, boards and their clocks, messages doubled and overtaken
    #[arg(long, value_name = "SEED", requires = "live", help_heading = "Live")]
    faults: Option<u64>,
    /// One plug is pulled in every such turn.
    #[arg(long, value_name = "SECONDS", requires = "faults", default_value_t = 60.0, value_parser = parse_turn, help_heading = "Live")]
    fault_every: f64,
    /// File to write every fault into, one JSON object a line: kind, device, from, until
    #[arg(long, value_name = "FILE", requires = "faults", help_heading = "Live")]
    fault_log: Option<PathBuf>,
    /// Address of the broker whose plug can be pulled; the shop has to speak with this one. Port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", requires = "faults", default_value = "127.0.0.1:0", help_heading = "Live")]
    broker_listen: SocketAddr,
    /// File to write the truth into, with the times of the day on which it is played.
    #[arg(long, value_name = "FILE", requires = "live", help_heading = "Live")]
    truth: Option<PathBuf>,
    /// Folder to write the shop into, with a devices.toml that names these devices: `aisle serve --shop DIR` runs it
    #[arg(long, value_name = "DIR", requires = "live", help_heading = "Live")]
    write_shop: Option<PathBuf>,
}

fn parse_speed(text: &str) -> std::result::Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| 0.0 < *speed && *speed <= SPEED_MAX);
    speed.ok_or_else(|| format!("write a number up to {SPEED_MAX}, such as 10 for ten times as fast"))
}

fn parse_lead(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (0.0..=LEAD_SECS_MAX).contains(secs));
    secs.ok_or_else(|| format!("write seconds up to {LEAD_SECS_MAX}, such as 10"))
}

fn parse_turn(text: &str) -> std::result::Result<f64, String> {
    let secs = text.parse::<f64>().ok().filter(|secs| (5.0..=3_600.0).contains(secs));
    secs.ok_or_else(|| "write seconds from 5 to 3600, such as 60".to_owned())
}

/// Everybody who says something.
pub(super) struct Devices {
    pub(super) proxy: Option<Proxy>,
    pub(super) boards: Option<Boards>,
    pub(super) cameras: Option<Cameras>,
    pub(super) gates: Option<Gates>,
}

/// What the player itself did not give on, or gave on late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PlayCounts {
    /// Facts of kinds that no device says.
    unsaid: u64,
    /// People whom only cameras may see.
    unseen: u64,
    /// Scans that were left out, because everybody is a walk-in.
    walked_in: u64,
    /// Pictures that were too late to be shown.
    dropped_late: u64,
    /// Everything else that was late.
    late: u64,
    /// The latest.
    latest: Duration,
}

/// What became of everything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    play: PlayCounts,
    wires: WireCounts,
    boards: BoardCounts,
    pub(super) cameras: CameraCounts,
    gates: GateCounts,
    refused: u64,
}

impl LiveArgs {
    /// Plays a recording.
    ///
    /// # Errors
    /// When nobody is there to whom it could be said, when an address cannot be had, and at the end when something was lost.
    pub(super) fn play(&self, path: &Path) -> Result<()> {
        let film = Film::survey(path)?;
        let with_people = self.people || film.cameras.is_empty();
        let film = if with_people { film } else { film.without_people() };
        self.check(&film)?;
        let faults = self.faults.map_or_else(Vec::new, |seed| {
            let devices = film.pluggable(self.broker.is_some(), self.cameras_listen.is_some());
            Fault::plan(&devices, self.on_the_clock(film.length), Span::from_secs(self.fault_every), seed)
        });
        let (devices, broker) = self.devices(&film)?;
        if let Some(folder) = &self.write_shop {
            let url = |name: &str| devices.cameras.as_ref().map(|cameras| cameras.url(name));
            folder::write(folder, &film, broker.as_ref(), url, self.api.is_some())?;
        }
        if let Some(broker) = &broker {
            super::super::print(&format!("broker mqtt://{}:{}\n", broker.host, broker.port))?;
        }
        for name in &film.cameras {
            let url = devices.cameras.as_ref().map(|cameras| cameras.url(name)).unwrap_or_default();
            super::super::print(&format!("camera {name} {url}\n"))?;
        }
        let lead = Duration::from_secs_f64(self.lead);
        let begins = WallClock.now() + Span::from_secs(self.lead);
        let clock = Instant::now() + lead;
        self.write_truth(&film, begins, &[])?;
        self.write_faults(&faults, begins)?;
        let secs = self.on_the_clock(film.length);
        super::super::print(&format!("playing {secs} of {} from {begins} on\n", film.shop.name()))?;
        let wires = Wires::new(stretched(&faults, self.speed), film.first, begins, self.faults.unwrap_or_default());
        let manner = Manner { speed: self.speed, with_people, with_gates: !self.walk_ins };
        let mut player = Player::new(devices, wires, clock, manner);
        player.run(&mut Reader::open(path)?, switches(&faults))?;
        let (totals, entered) = player.finish();
        self.write_truth(&film, begins, &entered)?;
        super::super::print(&totals.tell())?;
        totals.judge()
    }

    /// How long so much of the film takes.
    fn on_the_clock(&self, span: Span) -> Span {
        Span::from_secs(span.as_secs() / self.speed)
    }

    fn check(&self, film: &Film) -> Result<()> {
        let boards =
            [Topic::Plates, Topic::People, Topic::Seen, Topic::BoardEvent, Topic::Shelf, Topic::Door, Topic::Tags];
        if film.has(&boards) && self.broker.is_none() {
            let hint = "name a broker, such as `--broker mqtt://127.0.0.1:1883`";
            return Err(Error::usage("nobody would hear the weights and people of this film").hint(hint));
        }
        let is_scanned = film.has(&[Topic::Gate]) && !self.walk_ins;
        if is_scanned && self.broker.is_none() && self.api.is_none() {
            return Err(Error::usage("nobody would hear the gates of this film").hint("name a broker, or `--api`"));
        }
        if film.has(&[Topic::Frame]) && self.cameras_listen.is_none() {
            let hint = "say where cameras are, such as `--cameras-listen 127.0.0.1:8081`; `--cut tracked` needs none";
            return Err(Error::usage("nobody would see the frames of this film").hint(hint));
        }
        let is_other = self.speed != 1.0;
        if is_other && (self.cameras_listen.is_some() || self.api.is_some()) {
            let hint = "leave out `--speed`, or play with `--cut tracked` and a broker alone";
            return Err(Error::usage("cameras and HTTP gates speak at the speed of the clock").hint(hint));
        }
        let outputs = [&self.truth, &self.fault_log].map(|path| path.as_deref());
        output::check_apart(outputs.into_iter().flatten())?;
        self.write_shop.as_deref().map_or(Ok(()), output::check_folder)
    }

    /// Everybody who says something, and the broker that the shop has to listen to.
    fn devices(&self, film: &Film) -> Result<(Devices, Option<BrokerAddress>)> {
        let proxied = self.broker.as_ref().filter(|_| self.faults.is_some());
        let proxy = proxied.map(|broker| Proxy::start(self.broker_listen, broker)).transpose()?;
        let own = proxy.as_ref().map(|proxy| {
            let address = proxy.address();
            BrokerAddress { host: address.ip().to_string(), port: address.port() }
        });
        let broker = own.or_else(|| self.broker.clone());
        let boards = broker.as_ref().map(|broker| Boards::start(broker, film.shop.name())).transpose()?;
        let cameras = self.cameras_listen.map(|listen| Cameras::start(listen, &film.cameras)).transpose()?;
        let run = format!("{}-{}", WallClock.now().as_nanos(), std::process::id());
        let called = self.api.as_ref().zip(self.token_file.as_ref());
        let gates = called.map(|(api, token)| Gates::start(api, token, run, None)).transpose()?;
        Ok((Devices { proxy, boards, cameras, gates }, broker))
    }

    fn write_truth(&self, film: &Film, begins: ShopTime, entered: &[Entered]) -> Result<()> {
        let (Some(path), Some(truth)) = (&self.truth, &film.truth) else {
            return match &self.truth {
                Some(path) => Err(Error::input("the recording has no truth to write").at_path(path)),
                None => Ok(()),
            };
        };
        let truth = moved_truth(truth, begins - film.first);
        let entries: Vec<_> = entered
            .iter()
            .map(|one| json!({ "gate": one.scan.gate, "people": one.scan.people, "film": one.scan.cart, "cart": one.cart }))
            .collect();
        let document = json!({
            "shop": film.shop.name(),
            "begins": begins,
            "ends": begins + film.length,
            "entries": entries,
            "case": truth.case,
            "receipts": truth.receipts,
            "actions": truth.actions,
            "ghosts": truth.ghosts,
        });
        output::write(path, format!("{document:#}\n").as_bytes())
    }

    fn write_faults(&self, faults: &[Fault], begins: ShopTime) -> Result<()> {
        let Some(path) = &self.fault_log else { return Ok(()) };
        let line = |fault: &Fault| {
            let (from, until) = (begins + fault.from, begins + fault.until);
            let step = fault.step.as_secs();
            let line = json!({ "kind": fault.kind.name(), "device": fault.device, "from": from, "until": until, "step_secs": step });
            format!("{line}\n")
        };
        output::write(path, faults.iter().map(line).collect::<String>().as_bytes())
    }
}

/// Faults are planned by the clock; facts go by the time of the film.
fn stretched(faults: &[Fault], speed: f64) -> Vec<Fault> {
    let stretch = |span: Span| Span::from_secs(span.as_secs() * speed);
    let one = |fault: &Fault| Fault { from: stretch(fault.from), until: stretch(fault.until), ..fault.clone() };
    faults.iter().map(one).collect()
}

/// What is done to broker and cameras, and when by the clock, in order of time.
fn switches(faults: &[Fault]) -> VecDeque<(Span, Fault, bool)> {
    let is_plug = |fault: &&Fault| fault.device == "broker" || fault.device.starts_with("camera/");
    let both = |fault: &Fault| [(fault.from, fault.clone(), true), (fault.until, fault.clone(), false)];
    let mut all: Vec<_> = faults.iter().filter(is_plug).flat_map(both).collect();
    all.sort_by_key(|(at, ..)| *at);
    all.into()
}

/// How a film is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Times faster than the clock.
    pub(super) speed: f64,
    /// Whether it is said where people are.
    pub(super) with_people: bool,
    /// Whether gates say who comes in.
    pub(super) with_gates: bool,
}

/// A film that is played.
pub(super) struct Player {
    devices: Devices,
    wires: Wires,
    /// When it begins.
    clock: Instant,
    manner: Manner,
    /// Whether somebody wants it to end before the film does.
    asked: Arc<AtomicBool>,
    counts: PlayCounts,
}

impl Player {
    pub(super) fn new(devices: Devices, wires: Wires, clock: Instant, manner: Manner) -> Self {
        Player { devices, wires, clock, manner, asked: Arc::default(), counts: PlayCounts::default() }
    }

    /// It ends early when this becomes true: what comes next in the film is the last that is said.
    pub(super) fn ends_when(self, asked: &Arc<AtomicBool>) -> Self {
        Player { asked: asked.clone(), ..self }
    }

    /// Says everything in its time, until the film is over or it is asked to end.
    pub(super) fn run(
        &mut self,
        facts: &mut impl FactSource,
        mut switches: VecDeque<(Span, Fault, bool)>,
    ) -> Result<()> {
        let mut ended = false;
        while !self.asked.load(Ordering::Relaxed) {
            let Some(sending) = self.wires.next_due(ended) else {
                if ended {
                    break;
                }
                match facts.next_fact()? {
                    Some(Fact { body: Body::People(_), .. }) if !self.manner.with_people => self.counts.unseen += 1,
                    Some(Fact { body: Body::Gate(_), .. }) if !self.manner.with_gates => self.counts.walked_in += 1,
                    Some(fact) if is_said(&fact) => self.wires.put(fact),
                    Some(_) => self.counts.unsaid += 1,
                    None => ended = true,
                }
                continue;
            };
            let due = Duration::from_secs_f64((sending.due.as_secs() / self.manner.speed).max(0.0));
            while let Some((at, fault, pulled)) =
                switches.pop_front_if(|(at, ..)| Duration::from_secs_f64(at.as_secs().max(0.0)) <= due)
            {
                self.wait(Duration::from_secs_f64(at.as_secs().max(0.0)));
                self.switch(&fault, pulled);
            }
            let late = self.wait(due);
            self.say(sending, late);
        }
        switches.into_iter().filter(|(.., pulled)| !pulled).for_each(|(_, fault, _)| self.switch(&fault, false));
        Ok(())
    }

    /// Waits for a time of the film; how late it is.
    fn wait(&self, due: Duration) -> Duration {
        let (at, now) = (self.clock + due, Instant::now());
        if now < at {
            thread::sleep(at - now);
        }
        Instant::now().saturating_duration_since(at)
    }

    fn switch(&self, fault: &Fault, pulled: bool) {
        let kind: Option<FaultKind> = pulled.then_some(fault.kind);
        match (fault.device.strip_prefix("camera/"), &self.devices.cameras, &self.devices.proxy) {
            (Some(name), Some(cameras), _) => cameras.set(name, kind),
            (None, _, Some(proxy)) => proxy.set(kind),
            _ => {}
        }
    }

    fn say(&mut self, sending: Sending, late: Duration) {
        let Sending { fact, .. } = sending;
        self.counts.latest = self.counts.latest.max(late);
        let is_frame = matches!(fact.body, Body::Frame(_));
        if is_frame && FRAME_LATE < late {
            self.counts.dropped_late += 1;
            return;
        }
        self.counts.late += u64::from(LATE < late);
        let said = match (&fact.body, &self.devices) {
            (Body::Frame(frame), Devices { cameras: Some(cameras), .. }) => {
                cameras.show(frame.camera.as_str(), fact.stamp.at, &frame.data);
                true
            }
            (Body::Gate(scan), Devices { gates: Some(gates), .. }) => {
                gates.scan(scan);
                true
            }
            (_, Devices { boards: Some(boards), .. }) => boards.send(&fact),
            _ => false,
        };
        self.counts.unsaid += u64::from(!said);
    }

    /// Waits until everything has its answer, which takes a bounded time.
    pub(super) fn finish(self) -> (Totals, Vec<Entered>) {
        let Devices { proxy, boards, cameras, gates } = self.devices;
        let (gates, entered) = gates.map(Gates::finish).unwrap_or_default();
        let totals = Totals {
            play: self.counts,
            wires: self.wires.counts(),
            boards: boards.map(|boards| boards.finish(PATIENCE)).unwrap_or_default(),
            cameras: cameras.map(|cameras| cameras.counts()).unwrap_or_default(),
            gates,
            refused: proxy.map_or(0, |proxy| proxy.refused()),
        };
        (totals, entered)
    }
}

/// Whether devices say such a thing.
fn is_said(fact: &Fact) -> bool {
    let topic = fact.body.topic();
    // What was concluded from samples a board might have said itself.
    !matches!(topic, Topic::Tick | Topic::Verdict) && (topic.is_ground() || topic == Topic::Shelf)
}

impl Totals {
    fn tell(&self) -> String {
        let Totals { play, wires, boards, cameras, gates, refused } = self;
        format!(
            "messages: {} sent, {} acknowledged, {} sent again over {} new connections, {} never acknowledged, {} overflowed, \
             {} unwritable\n\
             faults: {} withheld, {} doubled, {} overtaken, {} misdated, {refused} connections refused\n\
             frames: {} taken, {} unwatched, {} sent, {} missed by slow watchers, {} spoilt by faults, {} too late to be shown, \
             {} watchers refused\n\
             gates: {} scans over HTTP, {} opened, {} shut, {} failed, {} overflowed, {} calls made again, {} scans left out\n\
             player: {} late by more than {} ms, the latest by {} ms, {} facts that no device says, {} of people whom only \
             cameras see\n",
            boards.sent,
            boards.acknowledged,
            boards.again,
            boards.reconnects,
            boards.unacknowledged,
            boards.overflowed,
            boards.unwritable,
            wires.withheld,
            wires.doubled,
            wires.delayed,
            wires.misdated,
            cameras.taken,
            cameras.unwatched,
            cameras.sent,
            cameras.missed,
            cameras.spoilt,
            play.dropped_late,
            cameras.refused,
            gates.scans,
            gates.opened,
            gates.shut,
            gates.failed,
            gates.overflowed,
            gates.again,
            play.walked_in,
            play.late,
            LATE.as_millis(),
            play.latest.as_millis(),
            play.unsaid,
            play.unseen,
        )
    }

    /// Whether something was lost that no fault explains.
    pub(super) fn judge(&self) -> Result<()> {
        let Totals { play, boards, gates, .. } = self;
        let lost = [
            (boards.unacknowledged, "messages were never acknowledged by the broker"),
            (boards.overflowed, "messages were lost, because the queue was full"),
            (boards.unwritable, "messages could not be written"),
            (play.dropped_late, "frames were too late to be shown"),
            (gates.failed + gates.overflowed, "gate scans got no answer"),
        ];
        let list: Vec<String> =
            lost.iter().filter(|(count, _)| *count != 0).map(|(count, what)| format!("{count} {what}")).collect();
        if list.is_empty() { Ok(()) } else { Err(Error::unavailable(list.join("; "))) }
    }
}
