//! Every kind of fact, one row each: what it says, the channel and schema of a recording, who makes it, and the cuts that
//! hold it. A kind that is missing anywhere is a compile error: all that depends on kinds is made from this table, or
//! matches it whole.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    Attribution, ClockEstimate, DoorSwitch, Frame, GateScan, PeopleFrame, PlateBatch, Receipt, ReviewVerdict,
    SeenFrame, ShelfEvent, TagReads, Tick, TrackJoined, VisitBound, VisitClosed,
};

crate::named_enum! {
    /// How deep a recording is cut: which facts it holds.
    pub enum Cut as "cut" {
        /// What devices said: plate samples, frames.
        Raw = "raw",
        /// Plate samples, and what was seen in the frames.
        Seen = "seen",
        /// Plate samples, and people on the floor with 3D joints.
        Tracked = "tracked",
        /// What was concluded: shelf events, tracks, attributions, clocks, receipts.
        Decided = "decided",
    }
}

impl Cut {
    /// Whether a recording of this cut holds facts of this topic. People are ground facts where they are measured
    /// elsewhere, so the three deep cuts hold them.
    pub fn holds(self, topic: Topic) -> bool {
        topic.cuts().contains(&self)
    }
}

/// Who makes a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Devices and people.
    Ground,
    /// A stage, from other facts.
    Derived,
}

const DEEP: &[Cut] = &[Cut::Raw, Cut::Seen, Cut::Tracked];
const RAW: &[Cut] = &[Cut::Raw];
const SEEN: &[Cut] = &[Cut::Seen];
const DECIDED: &[Cut] = &[Cut::Decided];
const EVERY: &[Cut] = &Cut::ALL;

/// What a fact of one kind says, wherever the kind does not matter.
pub trait Said: Serialize + DeserializeOwned + JsonSchema {
    /// What of it could not be read back, or means nothing.
    ///
    /// # Errors
    /// A sentence.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Something that is done alike with every kind, by its type.
pub trait EachKind {
    /// What comes of it.
    type Out;

    /// Does it for a kind that says `T`; `body` puts what is said into a body.
    fn with<T: Said>(self, body: fn(T) -> Body) -> Self::Out;
}

/// Something that is done alike with what any fact says.
pub trait EachBody {
    /// What comes of it.
    type Out;

    /// Does it.
    fn with<T: Said>(self, said: &T) -> Self::Out;
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident($said:ty), $channel:literal, $schema:literal, $origin:ident, $cuts:expr;)+) => {
        /// What a fact says.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Body {
            $($(#[$doc])+ $kind($said),)+
        }

        /// The kinds of facts, as the channels of a recording name them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic {
            $(#[doc = concat!("`", $channel, "`")] $kind,)+
        }

        impl Topic {
            /// All of them, in the order of the pipeline.
            pub const ALL: [Topic; [$($channel),+].len()] = [$(Topic::$kind),+];

            /// The channel name in a recording; of frames what it begins with, for every camera has a channel of its own.
            pub const fn name(self) -> &'static str {
                match self { $(Topic::$kind => $channel,)+ }
            }

            /// The name of the schema of its messages.
            pub const fn schema(self) -> &'static str {
                match self { $(Topic::$kind => $schema,)+ }
            }

            /// Whether devices or people make such facts; the others are derived.
            pub const fn is_ground(self) -> bool {
                matches!(match self { $(Topic::$kind => Origin::$origin,)+ }, Origin::Ground)
            }

            /// The cuts of a recording that hold such facts.
            const fn cuts(self) -> &'static [Cut] {
                match self { $(Topic::$kind => $cuts,)+ }
            }

            /// Does something by the type of what such facts say.
            pub fn with<E: EachKind>(self, each: E) -> E::Out {
                match self { $(Topic::$kind => each.with::<$said>(Body::$kind),)+ }
            }
        }

        impl Body {
            /// Which kind it is.
            pub const fn topic(&self) -> Topic {
                match self { $(Body::$kind(_) => Topic::$kind,)+ }
            }

            /// Does something with what it says.
            pub fn with<E: EachBody>(&self, each: E) -> E::Out {
                match self { $(Body::$kind(said) => each.with(said),)+ }
            }
        }
    };
}

kinds! {
    /// Ground: samples of the weight plates of one unit.
    Plates(PlateBatch), "/plates", "aisle.Plates", Ground, DEEP;
    /// Ground: a picture of one camera.
    Frame(Frame), "/cameras/", "foxglove.CompressedImage", Ground, RAW;
    /// Ground: somebody was let in.
    Gate(GateScan), "/gates", "aisle.Gate", Ground, DEEP;
    /// Derived, or ground at the `seen` cut: what one frame shows.
    Seen(SeenFrame), "/seen", "aisle.Seen", Ground, SEEN;
    /// Ground at the `tracked` cut: everybody seen at one instant.
    People(PeopleFrame), "/people", "aisle.People", Ground, DEEP;
    /// Ground: so late is it, whether or not any sensor speaks.
    Tick(Tick), "/ticks", "aisle.Tick", Ground, DEEP;
    /// Ground: something changed on a shelf, as a board says that segments by itself.
    BoardEvent(ShelfEvent), "/board_events", "aisle.BoardEvent", Ground, DEEP;
    /// Ground: a door was opened or closed.
    Door(DoorSwitch), "/doors", "aisle.Door", Ground, DEEP;
    /// Ground: tags were read.
    Tags(TagReads), "/tags", "aisle.Tags", Ground, DEEP;
    /// Derived: something changed on a shelf.
    Shelf(ShelfEvent), "/shelf", "aisle.Shelf", Derived, DECIDED;
    /// Derived: what became of a track.
    Track(TrackJoined), "/tracks", "aisle.Track", Derived, DECIDED;
    /// Derived: which entry at a gate a visit belongs to.
    Binding(VisitBound), "/bindings", "aisle.Binding", Derived, DECIDED;
    /// Derived: who took or returned what.
    Attribution(Attribution), "/attributions", "aisle.Attribution", Derived, DECIDED;
    /// Derived: how far the clock of the people is from the clock of the plates.
    Clock(ClockEstimate), "/clock", "aisle.Clock", Derived, DECIDED;
    /// Derived: a visit is over, its attributions are final.
    Visit(VisitClosed), "/visits", "aisle.Visit", Derived, DECIDED;
    /// Derived: what one shopper owes.
    Receipt(Receipt), "/receipts", "aisle.Receipt", Derived, DECIDED;
    /// Ground: what a reviewer decided about a receipt.
    Verdict(ReviewVerdict), "/verdicts", "aisle.Verdict", Ground, EVERY;
}

impl Said for Frame {}
impl Said for GateScan {}
impl Said for Tick {}
impl Said for TrackJoined {}
impl Said for VisitBound {}
impl Said for Attribution {}
impl Said for ClockEstimate {}
impl Said for VisitClosed {}
impl Said for Receipt {}
impl Said for ReviewVerdict {}

impl Said for PlateBatch {
    fn check(&self) -> Result<(), String> {
        if self.is_well_formed() {
            return Ok(());
        }
        let (samples, plates) = (self.grams.len(), self.plates.len());
        Err(format!(
            "{samples} samples of {plates} plates, {} apart, are not whole rows at a positive period",
            self.period
        ))
    }
}

impl Said for ShelfEvent {
    fn check(&self) -> Result<(), String> {
        self.flaw()
    }
}

impl Said for DoorSwitch {
    fn check(&self) -> Result<(), String> {
        self.flaw()
    }
}

impl Said for TagReads {
    fn check(&self) -> Result<(), String> {
        self.flaw()
    }
}

impl Said for PeopleFrame {
    fn check(&self) -> Result<(), String> {
        for person in &self.people {
            for kind in super::JointKind::ALL {
                let joint = person.joints.get(kind);
                if joint.is_some_and(|joint| !joint.position.is_finite() || !joint.score.is_finite()) {
                    return Err(format!("a joint of track {} is not made of finite numbers", person.track));
                }
            }
        }
        Ok(())
    }
}

impl Said for SeenFrame {
    fn check(&self) -> Result<(), String> {
        for (number, detection) in self.detections.iter().enumerate() {
            let points = detection.keypoints.iter().all(|point| point.pixel.is_finite() && point.score.is_finite());
            let vector = detection.embedding.iter().all(|part| part.is_finite());
            if !detection.bounds.is_well_formed() || !detection.score.is_finite() || !points || !vector {
                return Err(format!(
                    "detection {} of camera {} is not made of finite numbers",
                    number + 1,
                    self.camera
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::named::listed;

    #[test]
    fn a_word_gives_its_value_and_other_words_are_told() {
        for cut in Cut::ALL {
            assert_eq!(cut.to_string().parse(), Ok(cut));
        }
        let told = "`Raw` is not a cut: write raw, seen, tracked or decided";
        assert_eq!("Raw".parse::<Cut>(), Err(told.to_owned()));
        assert_eq!((listed(&[]), listed(&["a"]), listed(&["a", "b"])), (String::new(), "a".into(), "a or b".into()));
    }

    #[test]
    fn every_kind_has_a_channel_and_a_schema_of_its_own_and_a_cut_that_holds_it() {
        for topic in Topic::ALL {
            let twins =
                Topic::ALL.into_iter().filter(|other| other.name() == topic.name() || other.schema() == topic.schema());
            assert_eq!(twins.count(), 1, "{}", topic.name());
            assert!(Cut::ALL.into_iter().any(|cut| cut.holds(topic)), "{}", topic.name());
        }
    }
}
