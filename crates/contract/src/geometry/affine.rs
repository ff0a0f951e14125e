//! Affine maps between picture planes: crops, scales, turns.

use super::{Pixel, PixelBox, Point};

/// An affine map of one picture plane to another: `x' = a x + b y + c`, `y' = d x + e y + f`.
///
/// Values are named destination first, such as `input_from_frame`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The rows `[a, b, c]` and `[d, e, f]`.
    pub rows: [[f64; 3]; 2],
}

impl Affine {
    /// Scales along the axes, then shifts by pixels of the destination.
    pub const fn scaled(scale: [f64; 2], shift: [f64; 2]) -> Self {
        Affine { rows: [[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]] }
    }

    /// From a picture of one size, width and height in pixels, to the same picture in another size.
    pub fn resized(to: [u32; 2], from: [u32; 2]) -> Self {
        let scale = |axis: usize| f64::from(to[axis]) / f64::from(from[axis].max(1));
        Affine::scaled([scale(0), scale(1)], [0.0, 0.0])
    }

    /// Where a point goes.
    pub fn apply(&self, point: Point<Pixel>) -> Point<Pixel> {
        let [x, y] = self.rows.map(|[a, b, c]| a * point.x + b * point.y + c);
        Point::new(x, y, 0.0)
    }

    /// The upright box around a box's image.
    pub fn apply_box(&self, bounds: &PixelBox) -> PixelBox {
        let corners = [
            [bounds.left, bounds.top],
            [bounds.right, bounds.top],
            [bounds.left, bounds.bottom],
            [bounds.right, bounds.bottom],
        ];
        let corners = corners.map(|[x, y]| self.apply(Point::new(x, y, 0.0)));
        let [x, y] = [corners.map(|corner| corner.x), corners.map(|corner| corner.y)];
        PixelBox {
            left: x.into_iter().fold(f64::INFINITY, f64::min),
            top: y.into_iter().fold(f64::INFINITY, f64::min),
            right: x.into_iter().fold(f64::NEG_INFINITY, f64::max),
            bottom: y.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// The map back; `None` where everything falls on a line or a number is not finite.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let determinant = a * e - b * d;
        let inverse = Affine {
            rows: [
                [e / determinant, -b / determinant, (b * f - c * e) / determinant],
                [-d / determinant, a / determinant, (c * d - a * f) / determinant],
            ],
        };
        let finite = inverse.rows.iter().flatten().all(|entry| entry.is_finite());
        (determinant != 0.0 && finite).then_some(inverse)
    }

    /// Whether boxes stay upright boxes: no turn, no shear, no mirror.
    pub fn is_upright(&self) -> bool {
        let [[a, b, _], [d, e, _]] = self.rows;
        b == 0.0 && d == 0.0 && 0.0 < a && 0.0 < e
    }

    /// How many pixels of the destination one pixel of the source becomes, along its side, on average.
    pub fn scale(&self) -> f64 {
        let [[a, b, _], [d, e, _]] = self.rows;
        (a * e - b * d).abs().sqrt()
    }

    /// The similarity (turn, one scale, shift) that brings `from` to `to` with the least sum of squares
    /// (Umeyama, 1991); `None` when there are fewer than two pairs or `from` is one point.
    pub fn similarity(from: &[[f64; 2]], to: &[[f64; 2]]) -> Option<Self> {
        let count = from.len().min(to.len());
        if count < 2 {
            return None;
        }
        let mean = |points: &[[f64; 2]]| {
            let sum = points[..count].iter().fold([0.0, 0.0], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
            sum.map(|sum| sum / count as f64)
        };
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (point, goal) in from.iter().zip(to) {
            let [x, y] = [point[0] - from_mean[0], point[1] - from_mean[1]];
            let [u, v] = [goal[0] - to_mean[0], goal[1] - to_mean[1]];
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        // In the plane the singular value decomposition of Umeyama's method comes to these two quotients.
        let (cosine, sine) = (along / spread, across / spread);
        let shift = [
            to_mean[0] - cosine * from_mean[0] + sine * from_mean[1],
            to_mean[1] - sine * from_mean[0] - cosine * from_mean[1],
        ];
        let map = Affine { rows: [[cosine, -sine, shift[0]], [sine, cosine, shift[1]]] };
        (0.0 < spread && map.rows.iter().flatten().all(|entry| entry.is_finite())).then_some(map)
    }
}
