//! A point that knows its space.

use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A marker for a coordinate frame.
pub trait Space: Copy {}

/// The shop's frame: metres, z up, origin where the shop says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World;

/// The floor plan: the world seen from above; z is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floor;

/// The frame of one piece of furniture: x along the front to the right, y into the depth, z up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Local;

impl Space for World {}
impl Space for Floor {}
impl Space for Local {}

/// A point, or a difference of points, in metres. In JSON `[x, y, z]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<S: Space> {
    /// First coordinate, metres.
    pub x: f64,
    /// Second coordinate, metres.
    pub y: f64,
    /// Third coordinate, metres.
    pub z: f64,
    space: PhantomData<S>,
}

impl<S: Space> Point<S> {
    /// A point from its coordinates in metres.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Point { x, y, z, space: PhantomData }
    }

    /// Length of the vector from the origin.
    pub fn norm(self) -> f64 {
        (self.x * self.x + self.y * self.y + self.z * self.z).sqrt()
    }

    /// Distance between two points of one space.
    pub fn distance(self, other: Self) -> f64 {
        (self - other).norm()
    }

    /// The point `share` of the way to `other`; 0 is here, 1 is there.
    pub fn lerp(self, other: Self, share: f64) -> Self {
        self + (other - self) * share
    }

    /// Whether every coordinate is a finite number.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }
}

impl Point<World> {
    /// The point of the floor below.
    pub const fn floor(self) -> Point<Floor> {
        Point::new(self.x, self.y, 0.0)
    }
}

impl<S: Space> Add for Point<S> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Point::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl<S: Space> Sub for Point<S> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Point::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl<S: Space> Mul<f64> for Point<S> {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Point::new(self.x * factor, self.y * factor, self.z * factor)
    }
}

impl<S: Space> Serialize for Point<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        [self.x, self.y, self.z].serialize(serializer)
    }
}

impl<'de, S: Space> Deserialize<'de> for Point<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [x, y, z] = <[f64; 3]>::deserialize(deserializer)?;
        Ok(Point::new(x, y, z))
    }
}

impl<S: Space> JsonSchema for Point<S> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PointMetres".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <[f64; 3]>::json_schema(generator)
    }
}
