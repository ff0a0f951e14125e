//! People on the floor with joints in 3D, and what became of their tracks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::TrackId;
use crate::geometry::{Point, World};

/// Everybody seen at one instant, across all cameras.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeopleFrame {
    /// The people, ordered by track.
    pub people: Vec<Person>,
}

/// One person at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Who, as the tracker says.
    pub track: TrackId,
    /// Where their joints are.
    pub joints: Joints,
}

/// The joints of a person in the world; `None` where not seen. In JSON an object with only the seen ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Joints {
    /// Middle of the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Joint>,
    /// Base of the neck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neck: Option<Joint>,
    /// Left shoulder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_shoulder: Option<Joint>,
    /// Right shoulder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_shoulder: Option<Joint>,
    /// Left elbow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_elbow: Option<Joint>,
    /// Right elbow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_elbow: Option<Joint>,
    /// Left wrist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_wrist: Option<Joint>,
    /// Right wrist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_wrist: Option<Joint>,
}

/// One joint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Joint {
    /// Where, metres in the world.
    pub position: Point<World>,
    /// How sure the network was, `0..=1`, not calibrated.
    pub score: f64,
}

/// Names of the joints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JointKind {
    /// Middle of the head.
    Head,
    /// Base of the neck.
    Neck,
    /// Left shoulder.
    LeftShoulder,
    /// Right shoulder.
    RightShoulder,
    /// Left elbow.
    LeftElbow,
    /// Right elbow.
    RightElbow,
    /// Left wrist.
    LeftWrist,
    /// Right wrist.
    RightWrist,
}

/// What a track turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackVerdict {
    /// The first track of a new visit.
    NewVisit,
    /// The same shopper under another number.
    SameShopper,
    /// Nobody: a reflection, a double, a flicker.
    Ghost,
}

/// A decision about a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrackJoined {
    /// The track it is about.
    pub track: TrackId,
    /// The visit it belongs to; for a ghost, its own number.
    pub visit: crate::base::VisitId,
    /// What it is.
    pub verdict: TrackVerdict,
}

impl JointKind {
    /// All of them.
    pub const ALL: [JointKind; 8] = [
        JointKind::Head,
        JointKind::Neck,
        JointKind::LeftShoulder,
        JointKind::RightShoulder,
        JointKind::LeftElbow,
        JointKind::RightElbow,
        JointKind::LeftWrist,
        JointKind::RightWrist,
    ];
}

impl Joints {
    /// The joint of this kind, if seen.
    pub fn get(&self, kind: JointKind) -> Option<Joint> {
        match kind {
            JointKind::Head => self.head,
            JointKind::Neck => self.neck,
            JointKind::LeftShoulder => self.left_shoulder,
            JointKind::RightShoulder => self.right_shoulder,
            JointKind::LeftElbow => self.left_elbow,
            JointKind::RightElbow => self.right_elbow,
            JointKind::LeftWrist => self.left_wrist,
            JointKind::RightWrist => self.right_wrist,
        }
    }

    /// The place for the joint of this kind.
    pub fn slot(&mut self, kind: JointKind) -> &mut Option<Joint> {
        match kind {
            JointKind::Head => &mut self.head,
            JointKind::Neck => &mut self.neck,
            JointKind::LeftShoulder => &mut self.left_shoulder,
            JointKind::RightShoulder => &mut self.right_shoulder,
            JointKind::LeftElbow => &mut self.left_elbow,
            JointKind::RightElbow => &mut self.right_elbow,
            JointKind::LeftWrist => &mut self.left_wrist,
            JointKind::RightWrist => &mut self.right_wrist,
        }
    }

    /// Where the trunk is: the neck, else between the shoulders, else the head.
    pub fn trunk(&self) -> Option<Point<World>> {
        let shoulders = || match (self.left_shoulder, self.right_shoulder) {
            (Some(l), Some(r)) => Some(l.position.lerp(r.position, 0.5)),
            (one, other) => one.or(other).map(|joint| joint.position),
        };
        self.neck.map(|joint| joint.position).or_else(shoulders).or(self.head.map(|joint| joint.position))
    }
}
