//! Plugs that are pulled while a shop is played live: which device fails how, from when and until when, by seed.

use std::collections::BTreeSet;

use super::roll::Roll;
use crate::base::Span;

aisle_contract::named_enum! {
    /// How a device fails.
    pub enum FaultKind as "kind of fault" {
        /// The broker ends all connections and takes no new ones.
        BrokerCut = "broker_cut",
        /// The broker keeps its connections, and no byte moves.
        BrokerFrozen = "broker_frozen",
        /// The broker forgets its connections, and nobody tells the other side; new ones are well.
        BrokerHalfOpen = "broker_half_open",
        /// The camera ends all connections and takes no new ones.
        CameraGone = "camera_gone",
        /// The camera keeps its connections and sends nothing.
        CameraSilent = "camera_silent",
        /// The camera sends one picture again and again.
        CameraFrozen = "camera_frozen",
        /// The camera sends what is no picture.
        CameraGarbage = "camera_garbage",
        /// The board measures and sends nothing.
        BoardSilent = "board_silent",
        /// The board is silent and then counts from 0 again.
        BoardRestart = "board_restart",
        /// The clock of the board jumps, and jumps back at the end.
        BoardClock = "board_clock",
        /// Every message of the board comes twice.
        Doubled = "doubled",
        /// Messages of the board overtake each other.
        Reordered = "reordered",
    }
}

/// One fault of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How it fails.
    pub kind: FaultKind,
    /// What fails: `broker`, `camera/NAME`, or the source of a board.
    pub device: String,
    /// From when, since the beginning of the film.
    pub from: Span,
    /// Until when.
    pub until: Span,
    /// How far a clock jumps; zero for everything else.
    pub step: Span,
}

/// What can fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pluggable {
    /// Whether there is a broker that can.
    pub broker: bool,
    /// Cameras, as their facts name them: `camera/NAME`.
    pub cameras: BTreeSet<String>,
    /// Sources of weights and people.
    pub boards: BTreeSet<String>,
}

/// The part of a turn that passes before the plug is pulled, and that is left at the end of it at least.
const BEFORE: (f64, f64) = (0.25, 0.35);
const AFTER: f64 = 0.15;
/// How far a clock jumps at most, seconds.
const STEP_SECS_MAX: f64 = 120.0;

impl FaultKind {
    /// Shortest and longest, seconds. A frozen picture has to be told from a quiet room, which takes half a minute.
    const fn secs(self) -> (f64, f64) {
        match self {
            FaultKind::BrokerCut | FaultKind::CameraGone => (2.0, 8.0),
            FaultKind::BrokerFrozen => (5.0, 20.0),
            FaultKind::BrokerHalfOpen => (1.0, 2.0),
            FaultKind::CameraSilent | FaultKind::BoardSilent => (4.0, 12.0),
            FaultKind::CameraFrozen => (32.0, 40.0),
            FaultKind::CameraGarbage | FaultKind::BoardRestart => (1.0, 5.0),
            FaultKind::BoardClock | FaultKind::Doubled | FaultKind::Reordered => (5.0, 20.0),
        }
    }

    fn device(self, devices: &Pluggable, roll: &mut Roll) -> Option<String> {
        let of =
            |names: &BTreeSet<String>, roll: &mut Roll| roll.pick(&names.iter().collect::<Vec<_>>()).copied().cloned();
        match self {
            FaultKind::BrokerCut | FaultKind::BrokerFrozen | FaultKind::BrokerHalfOpen => {
                devices.broker.then(|| "broker".to_owned())
            }
            FaultKind::CameraGone | FaultKind::CameraSilent | FaultKind::CameraFrozen | FaultKind::CameraGarbage => {
                of(&devices.cameras, roll)
            }
            FaultKind::BoardSilent
            | FaultKind::BoardRestart
            | FaultKind::BoardClock
            | FaultKind::Doubled
            | FaultKind::Reordered => of(&devices.boards, roll),
        }
    }
}

impl Fault {
    /// Whether it lasts at a time since the beginning of the film.
    pub fn lasts_at(&self, at: Span) -> bool {
        self.from <= at && at < self.until
    }

    /// One fault a turn of `every`, all kinds by turns in an order that follows from the seed, until the film of this
    /// length is over. Each ends before its turn does, so that the device can come back before the next one fails.
    pub fn plan(devices: &Pluggable, length: Span, every: Span, seed: u64) -> Vec<Fault> {
        let mut roll = Roll::new(seed, "plugs");
        let turn = every.as_secs();
        let (mut faults, mut deck) = (Vec::new(), Vec::new());
        for number in 0.. {
            let begins = turn * f64::from(number);
            let from = begins + turn * roll.uniform(BEFORE.0, BEFORE.1);
            if deck.is_empty() {
                deck = FaultKind::ALL.into_iter().filter(|kind| kind.device(devices, &mut roll).is_some()).collect();
            }
            if deck.is_empty() || length <= Span::from_secs(begins + turn) || turn <= 0.0 {
                break;
            }
            let kind = deck.remove(roll.whole(0, deck.len() - 1));
            let Some(device) = kind.device(devices, &mut roll) else { continue };
            let (shortest, longest) = kind.secs();
            let until = (from + roll.uniform(shortest, longest)).min(begins + turn * (1.0 - AFTER));
            let jump = roll.sign() * roll.uniform(1.0, STEP_SECS_MAX);
            let step = if kind == FaultKind::BoardClock { Span::from_secs(jump) } else { Span::ZERO };
            faults.push(Fault { kind, device, from: Span::from_secs(from), until: Span::from_secs(until), step });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Pluggable {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Pluggable { broker: true, cameras: names(&["camera/a"]), boards: names(&["gondola/1", "people"]) }
    }

    #[test]
    fn every_kind_has_its_turn_before_one_comes_again_and_ends_before_the_next() {
        let every = Span::from_secs(60.0);
        let faults = Fault::plan(&devices(), Span::from_secs(1_441.0), every, 7);
        assert_eq!(faults.len(), 24);
        for round in faults.chunks(FaultKind::ALL.len()) {
            let kinds: BTreeSet<FaultKind> = round.iter().map(|fault| fault.kind).collect();
            assert_eq!(kinds.len(), FaultKind::ALL.len());
        }
        for (number, fault) in faults.iter().enumerate() {
            let turn = |part: f64| Span::from_secs(60.0 * (number as f64 + part));
            assert!(turn(0.2) < fault.from && fault.from < fault.until && fault.until <= turn(0.85), "{fault:?}");
            assert_eq!(fault.step != Span::ZERO, fault.kind == FaultKind::BoardClock);
        }
        assert_eq!(faults, Fault::plan(&devices(), Span::from_secs(1_441.0), every, 7));
        assert_ne!(faults, Fault::plan(&devices(), Span::from_secs(1_441.0), every, 8));
    }

    #[test]
    fn only_what_is_there_fails() {
        let boards = Pluggable { boards: devices().boards, ..Pluggable::default() };
        let faults = Fault::plan(&boards, Span::from_secs(900.0), Span::from_secs(20.0), 1);
        assert_eq!(faults.len(), 44);
        assert!(faults.iter().all(|fault| boards.boards.contains(&fault.device)));
        assert_eq!(Fault::plan(&Pluggable::default(), Span::from_secs(900.0), Span::from_secs(20.0), 1), []);
        assert_eq!(Fault::plan(&boards, Span::from_secs(900.0), Span::ZERO, 1), []);
    }
}
