//! From boxes in several cameras to people on the floor. Takes boxes of people and calibrated cameras, and gives points
//! of the floor with their uncertainty and the boxes behind each. It never follows anybody over time.

#[cfg(test)]
mod tests;

use nalgebra::{Matrix2, Vector2};

use crate::geometry::{Camera, Floor, Pixel, PixelBox, Point};

/// Feet further away are not placed: there a pixel is metres.
const DEVIATION_METRES_MAX: f64 = 2.0;
/// The step by which the projection is differentiated, pixels.
const STEP_PIXELS: f64 = 0.5;

/// What is known of boxes and people. The defaults are physical, not fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloorOptions {
    /// Standard deviation of where a box ends below its person, in heights of the box.
    pub foot_heights: f64,
    /// How far the middle of a body is from the foot that a camera sees lowest: standard deviation, metres.
    pub body_radius_metres: f64,
    /// People on a square metre, elsewhere than the one at hand: what decides between one person and two.
    pub people_per_square_metre: f64,
    /// Fewest cameras that must see somebody where at least so many could.
    pub cameras_min: usize,
}

impl Default for FloorOptions {
    fn default() -> Self {
        FloorOptions { foot_heights: 0.03, body_radius_metres: 0.2, people_per_square_metre: 0.1, cameras_min: 2 }
    }
}

/// A camera with the size of its pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloorCamera {
    /// What it projects.
    pub camera: Camera,
    /// Width and height of its pictures, pixels.
    pub size_pixels: [u32; 2],
}

impl FloorCamera {
    /// Whether a point of the floor is in its picture.
    fn sees(&self, point: Point<Floor>) -> bool {
        let [width, height] = self.size_pixels.map(f64::from);
        let pixel = self.camera.pixel_from_world(Point::new(point.x, point.y, 0.0));
        pixel.is_some_and(|pixel| 0.0 <= pixel.x && pixel.x < width && 0.0 <= pixel.y && pixel.y < height)
    }
}

/// Where the feet of one box are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FootPoint {
    /// Index of the camera.
    pub camera: usize,
    /// Where it stands, metres.
    pub point: Point<Floor>,
    /// Covariance, square metres.
    pub covariance: Matrix2<f64>,
}

/// Somebody on the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct FloorPerson {
    /// Where, metres.
    pub point: Point<Floor>,
    /// Covariance, square metres.
    pub covariance: Matrix2<f64>,
    /// The foot points behind it, by their index; at most one of each camera.
    pub feet: Vec<usize>,
}

/// Projects the lower edge of a box of the camera at `index` to the floor, with the noise of the box pushed through the projection. `None` where
/// the feet are cut off by the lower edge of the picture, above the horizon, or too far away to be placed.
pub fn foot_point(
    cameras: &[FloorCamera],
    index: usize,
    bounds: &PixelBox,
    options: &FloorOptions,
) -> Option<FootPoint> {
    let FloorCamera { camera, size_pixels } = cameras.get(index)?;
    if f64::from(size_pixels[1]) - 1.0 <= bounds.bottom {
        return None;
    }
    let place = |foot: Point<Pixel>| camera.world_at_height(foot, 0.0).map(|world| Vector2::new(world.x, world.y));
    let foot = bounds.foot();
    let here = place(foot)?;
    let across = (place(foot + Point::new(STEP_PIXELS, 0.0, 0.0))? - here) / STEP_PIXELS;
    let down = (place(foot + Point::new(0.0, STEP_PIXELS, 0.0))? - here) / STEP_PIXELS;
    let slope = Matrix2::from_columns(&[across, down]) * (options.foot_heights * bounds.height());
    let body = options.body_radius_metres * options.body_radius_metres;
    let covariance = slope * slope.transpose() + Matrix2::identity() * body;
    let placeable = covariance.trace() < DEVIATION_METRES_MAX * DEVIATION_METRES_MAX;
    placeable.then(|| FootPoint { camera: index, point: Point::new(here.x, here.y, 0.0), covariance })
}

/// Merges foot points of several cameras into people: again and again the two groups that are the likeliest to be one
/// person, as long as that is likelier than two. Nobody is seen twice by one camera. Groups of fewer cameras than asked
/// for are left out where enough cameras have that place in their picture.
pub fn merge(feet: &[FootPoint], cameras: &[FloorCamera], options: &FloorOptions) -> Vec<FloorPerson> {
    let person = |(index, foot): (usize, &FootPoint)| FloorPerson {
        point: foot.point,
        covariance: foot.covariance,
        feet: vec![index],
    };
    let mut people: Vec<Option<FloorPerson>> = feet.iter().enumerate().map(|foot| Some(person(foot))).collect();
    // What joining two would gain, by the earlier and the later one; kept up to date as groups grow.
    let gain_of = |people: &[Option<FloorPerson>], left: usize, right: usize| match (&people[left], &people[right]) {
        (Some(one), Some(other)) if apart(one, other, feet) => gain(one, other, options),
        _ => f64::NEG_INFINITY,
    };
    let row = |left: usize| {
        (0..feet.len())
            .map(|right| if left < right { gain_of(&people, left, right) } else { f64::NEG_INFINITY })
            .collect()
    };
    let mut gains: Vec<Vec<f64>> = (0..feet.len()).map(row).collect();
    loop {
        let pairs = gains
            .iter()
            .enumerate()
            .flat_map(|(left, row)| row.iter().enumerate().map(move |(right, gain)| (*gain, left, right)));
        let best = pairs.reduce(|best, next| if best.0 < next.0 { next } else { best });
        let Some((_, left, right)) = best.filter(|best| 0.0 < best.0) else { break };
        people[left] = match (people[left].take(), people[right].take()) {
            (Some(one), Some(other)) => Some(joined(&one, &other)),
            (one, other) => one.or(other),
        };
        for index in 0..feet.len() {
            for (a, b) in [(left, index), (right, index)] {
                if a != b {
                    gains[a.min(b)][a.max(b)] = gain_of(&people, a.min(b), a.max(b));
                }
            }
        }
    }
    let mut people: Vec<FloorPerson> = people.into_iter().flatten().collect();
    people.retain(|one| {
        let seeing = cameras.iter().filter(|camera| camera.sees(one.point)).count();
        options.cameras_min.min(seeing) <= one.feet.len()
    });
    people.iter_mut().for_each(|one| one.feet.sort_unstable());
    people.sort_by_key(|one| one.feet.clone());
    people
}

/// How much likelier two groups are one person than two, as the logarithm.
fn gain(one: &FloorPerson, other: &FloorPerson, options: &FloorOptions) -> f64 {
    let covariance = one.covariance + other.covariance;
    let off = vector(one.point) - vector(other.point);
    let Some(inverse) = covariance.try_inverse() else { return f64::NEG_INFINITY };
    let normal = -0.5 * (off.dot(&(inverse * off)) + (std::f64::consts::TAU.powi(2) * covariance.determinant()).ln());
    normal - options.people_per_square_metre.ln()
}

/// Whether no camera sees both.
fn apart(one: &FloorPerson, other: &FloorPerson, feet: &[FootPoint]) -> bool {
    one.feet.iter().all(|&here| other.feet.iter().all(|&there| feet[here].camera != feet[there].camera))
}

/// Two groups as one: the mean, weighted by how sure each is.
fn joined(one: &FloorPerson, other: &FloorPerson) -> FloorPerson {
    let total = (one.covariance + other.covariance).try_inverse().unwrap_or_else(Matrix2::zeros);
    let gain = one.covariance * total;
    let point = vector(one.point) + gain * (vector(other.point) - vector(one.point));
    let covariance = one.covariance - gain * one.covariance;
    let feet = one.feet.iter().chain(&other.feet).copied().collect();
    FloorPerson { point: Point::new(point.x, point.y, 0.0), covariance, feet }
}

fn vector(point: Point<Floor>) -> Vector2<f64> {
    Vector2::new(point.x, point.y)
}
