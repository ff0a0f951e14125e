//! A calibrated camera: a pinhole with the lens distortion of Brown (1966) and Conrady (1919), as OpenCV writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pixel, Point, Space, World};

/// The frame of a camera: x to the right in its picture, y down, z along the view, metres from its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View;

impl Space for View {}

/// Nearer to the plane of the lens than this nothing is seen, metres.
const DEPTH_METRES_MIN: f64 = 0.01;
/// Steps of Newton's method by which distortion is taken off, and when they are few enough, in units of the focal length.
const UNDISTORT_STEPS_MAX: usize = 30;
const UNDISTORT_ERROR_MAX: f64 = 1e-12;

/// What the lens makes of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lens {
    /// Focal lengths `[fx, fy]`, pixels.
    pub focal_pixels: [f64; 2],
    /// Principal point `[cx, cy]`, pixels.
    pub centre_pixels: [f64; 2],
    /// Distortion `[k1, k2, p1, p2, k3]`, in OpenCV's order.
    #[serde(default)]
    pub distortion: [f64; 5],
}

/// Where a camera is and which way it looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CameraPose {
    /// Its centre in the world, metres.
    pub position: Point<World>,
    /// The rotation that takes directions of the world to directions of the view, as a Rodrigues vector: the axis,
    /// as long as the angle in radians. OpenCV's `rvec`; its `tvec` follows from the position.
    pub rotation: [f64; 3],
}

/// A camera that projects: lens and pose with the rotation worked out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    lens: Lens,
    pose: CameraPose,
    /// Rows of the rotation matrix from world to view.
    rows: [[f64; 3]; 3],
    /// Square of the distance from the axis, in focal lengths, up to which the distortion grows outwards; beyond it
    /// two directions would fall on one pixel.
    radius_squared_max: f64,
}

impl CameraPose {
    /// The pose of a camera at a point that looks at another one with its upper edge upwards, turned by `roll` radians
    /// clockwise about the view.
    pub fn look_at(position: Point<World>, target: Point<World>, roll: f64) -> Self {
        let forward = unit(components(target - position), [0.0, 1.0, 0.0]);
        // Straight down, the upper edge of the picture is +y of the world.
        let right = unit(cross(forward, [0.0, 0.0, 1.0]), [1.0, 0.0, 0.0]);
        let down = cross(forward, right);
        let (sin, cos) = roll.sin_cos();
        let mix = |a: [f64; 3], b: [f64; 3], s: f64, t: f64| [0, 1, 2].map(|axis| a[axis] * s + b[axis] * t);
        let rows = [mix(right, down, cos, sin), mix(down, right, cos, -sin), forward];
        CameraPose { position, rotation: rodrigues_of(rows) }
    }
}

impl CameraPose {
    /// The pose after the camera was turned in its place, by a Rodrigues vector in its own frame: about its right, its
    /// down and its forward direction, radians.
    pub fn turned(&self, about: [f64; 3]) -> Self {
        let (turn, rows) = (matrix_of(about), matrix_of(self.rotation));
        let column = |row: [f64; 3], axis: usize| (0..3).map(|part| row[part] * rows[part][axis]).sum::<f64>();
        let turned = turn.map(|row| [0, 1, 2].map(|axis| column(row, axis)));
        CameraPose { position: self.position, rotation: rodrigues_of(turned) }
    }
}

impl Camera {
    /// Works out a camera.
    pub fn new(lens: Lens, pose: CameraPose) -> Self {
        Camera { lens, pose, rows: matrix_of(pose.rotation), radius_squared_max: radius_squared_max(lens.distortion) }
    }

    /// What the lens does.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// Where it is.
    pub fn pose(&self) -> &CameraPose {
        &self.pose
    }

    /// Rows of the rotation matrix from world to view: right, down and forward in the world.
    pub fn rotation_rows(&self) -> [[f64; 3]; 3] {
        self.rows
    }

    /// A world point in the camera's frame; its z is the depth, metres.
    pub fn view_from_world(&self, point: Point<World>) -> Point<View> {
        let d = components(point - self.pose.position);
        let [x, y, z] = self.rows.map(|row| dot(row, d));
        Point::new(x, y, z)
    }

    /// A point of the camera's frame in the world.
    pub fn world_from_view(&self, point: Point<View>) -> Point<World> {
        let v = components(point);
        let turned = [0, 1, 2].map(|axis| (0..3).map(|row| self.rows[row][axis] * v[row]).sum::<f64>());
        self.pose.position + Point::new(turned[0], turned[1], turned[2])
    }

    /// Where a world point falls in the picture; `None` behind the camera and beyond what the lens can see. The pixel
    /// may lie outside the picture.
    pub fn pixel_from_world(&self, point: Point<World>) -> Option<Point<Pixel>> {
        self.pixel_from_view(self.view_from_world(point))
    }

    /// Where a point of the camera's frame falls in the picture, as [`Camera::pixel_from_world`].
    pub fn pixel_from_view(&self, point: Point<View>) -> Option<Point<Pixel>> {
        if point.z < DEPTH_METRES_MIN {
            return None;
        }
        let (x, y) = (point.x / point.z, point.y / point.z);
        if self.radius_squared_max < x * x + y * y {
            return None;
        }
        let (x, y) = distort(self.lens.distortion, x, y);
        let ([fx, fy], [cx, cy]) = (self.lens.focal_pixels, self.lens.centre_pixels);
        Some(Point::new(fx * x + cx, fy * y + cy, 0.0))
    }

    /// The direction in the camera's frame from which a pixel is seen, of depth 1; `None` where the lens sees nothing.
    pub fn view_from_pixel(&self, pixel: Point<Pixel>) -> Option<Point<View>> {
        let ([fx, fy], [cx, cy]) = (self.lens.focal_pixels, self.lens.centre_pixels);
        let (x, y) = self.undistort((pixel.x - cx) / fx, (pixel.y - cy) / fy)?;
        Some(Point::new(x, y, 1.0))
    }

    /// The unit direction in the world from which a pixel is seen; the ray starts at the camera's position.
    pub fn ray_from_pixel(&self, pixel: Point<Pixel>) -> Option<Point<World>> {
        let way = self.world_from_view(self.view_from_pixel(pixel)?) - self.pose.position;
        Some(way * (1.0 / way.norm()))
    }

    /// The point at a height above the floor that falls on a pixel; `None` where the ray does not come down (or up) to
    /// it.
    pub fn world_at_height(&self, pixel: Point<Pixel>, height_metres: f64) -> Option<Point<World>> {
        let ray = self.ray_from_pixel(pixel)?;
        let steps = (height_metres - self.pose.position.z) / ray.z;
        (steps.is_finite() && 0.0 < steps).then(|| self.pose.position + ray * steps)
    }

    /// The undistorted direction that the lens bends to this one, by Newton's method.
    fn undistort(&self, bent_x: f64, bent_y: f64) -> Option<(f64, f64)> {
        let (mut x, mut y) = (bent_x, bent_y);
        let outside = |x: f64, y: f64| self.radius_squared_max < x * x + y * y;
        if outside(x, y) {
            let shrink = (self.radius_squared_max / (x * x + y * y)).sqrt() * 0.9;
            (x, y) = (x * shrink, y * shrink);
        }
        for _ in 0..UNDISTORT_STEPS_MAX {
            let (at_x, at_y) = distort(self.lens.distortion, x, y);
            let (off_x, off_y) = (at_x - bent_x, at_y - bent_y);
            if off_x * off_x + off_y * off_y < UNDISTORT_ERROR_MAX * UNDISTORT_ERROR_MAX {
                break;
            }
            let [[a, b], [c, d]] = slope(self.lens.distortion, x, y);
            let determinant = a * d - b * c;
            if determinant.abs() < 1e-9 {
                return None;
            }
            (x, y) = (x - (d * off_x - b * off_y) / determinant, y - (a * off_y - c * off_x) / determinant);
        }
        let (at_x, at_y) = distort(self.lens.distortion, x, y);
        let near = (at_x - bent_x).abs() + (at_y - bent_y).abs() < 1e-7;
        (near && !outside(x, y)).then_some((x, y))
    }
}

/// Where distortion moves a direction.
fn distort([k1, k2, p1, p2, k3]: [f64; 5], x: f64, y: f64) -> (f64, f64) {
    let r2 = x * x + y * y;
    let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
    let bent_x = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x);
    let bent_y = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y;
    (bent_x, bent_y)
}

/// Derivatives of [`distort`]: rows are its results, columns x and y.
fn slope([k1, k2, p1, p2, k3]: [f64; 5], x: f64, y: f64) -> [[f64; 2]; 2] {
    let r2 = x * x + y * y;
    let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
    let growth = 2.0 * (k1 + r2 * (2.0 * k2 + 3.0 * k3 * r2));
    let mixed = growth * x * y + 2.0 * (p1 * x + p2 * y);
    [
        [radial + growth * x * x + 2.0 * p1 * y + 6.0 * p2 * x, mixed],
        [mixed, radial + growth * y * y + 6.0 * p1 * y + 2.0 * p2 * x],
    ]
}

/// The first radius, squared, at which radial distortion stops growing; infinite where it never does.
fn radius_squared_max([k1, k2, _, _, k3]: [f64; 5]) -> f64 {
    let growth = |r2: f64| 1.0 + r2 * (3.0 * k1 + r2 * (5.0 * k2 + r2 * 7.0 * k3));
    // Directions further than 84 degrees off the axis are no pinhole's any more.
    let (steps, end) = (2_000, 100.0);
    let first = (1..=steps).map(|step| end * f64::from(step) / f64::from(steps)).find(|r2| growth(*r2) <= 0.0);
    let Some(above) = first else { return f64::INFINITY };
    let (mut low, mut high) = (above - end / f64::from(steps), above);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        (low, high) = if growth(middle) <= 0.0 { (low, middle) } else { (middle, high) };
    }
    low
}

/// The rotation matrix of a Rodrigues vector, by rows.
fn matrix_of(vector: [f64; 3]) -> [[f64; 3]; 3] {
    let angle = dot(vector, vector).sqrt();
    if angle < 1e-12 {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let [x, y, z] = vector.map(|part| part / angle);
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
        [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
        [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
    ]
}

/// The Rodrigues vector of a rotation matrix.
fn rodrigues_of(m: [[f64; 3]; 3]) -> [f64; 3] {
    let quaternion = [
        1.0 + m[0][0] + m[1][1] + m[2][2],
        1.0 + m[0][0] - m[1][1] - m[2][2],
        1.0 - m[0][0] + m[1][1] - m[2][2],
        1.0 - m[0][0] - m[1][1] + m[2][2],
    ]
    .map(|square| square.max(0.0).sqrt() / 2.0);
    let [skew_x, skew_y, skew_z] = [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]];
    let [sum_x, sum_y, sum_z] = [m[2][1] + m[1][2], m[0][2] + m[2][0], m[1][0] + m[0][1]];
    // The largest component is taken as it is, the others from products with it.
    let largest = (0..4).fold(0, |best, index| if quaternion[best] < quaternion[index] { index } else { best });
    let part = quaternion[largest].max(1e-12) * 4.0;
    let [w, x, y, z] = match largest {
        0 => [part / 4.0, skew_x / part, skew_y / part, skew_z / part],
        1 => [skew_x / part, part / 4.0, sum_z / part, sum_y / part],
        2 => [skew_y / part, sum_z / part, part / 4.0, sum_x / part],
        _ => [skew_z / part, sum_y / part, sum_x / part, part / 4.0],
    };
    let sine = (x * x + y * y + z * z).sqrt();
    if sine < 1e-12 {
        return [0.0; 3];
    }
    let angle = 2.0 * sine.atan2(w);
    [x, y, z].map(|axis| axis / sine * angle)
}

fn components<S: Space>(point: Point<S>) -> [f64; 3] {
    [point.x, point.y, point.z]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn unit(vector: [f64; 3], otherwise: [f64; 3]) -> [f64; 3] {
    let length = dot(vector, vector).sqrt();
    if length < 1e-9 { otherwise } else { vector.map(|part| part / length) }
}
