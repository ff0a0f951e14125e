//! PersonLab (Papandreou et al., 2018) as PoseNet has it: joints of all people from heat maps, put together along a
//! tree by the offsets from joint to joint.

use super::{View, hull, keypoint, sigmoid};
use crate::base::limits::PEOPLE_PER_FRAME_MAX;
use crate::facts::{BodyPoint, Detection, DetectionClass, Keypoint};
use crate::geometry::{Pixel, Point};

/// The tree of joints, parents first; the model gives offsets along each edge, forwards and backwards.
const EDGES: [(usize, usize); 16] = [
    (0, 1),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 5),
    (5, 7),
    (7, 9),
    (5, 11),
    (11, 13),
    (13, 15),
    (0, 6),
    (6, 8),
    (8, 10),
    (6, 12),
    (12, 14),
    (14, 16),
];
/// Two joints of one name nearer than this belong to one person, pixels of the input.
const SAME_JOINT_PIXELS_MAX: f64 = 20.0;
/// A joint begins a person only if it is this sure, `0..=1`.
const ROOT_SCORE_MIN: f64 = 0.5;
/// Times that a joint is moved by the offset of its cell: quantised offsets reach no further than most of a cell.
const REFINE_STEPS: usize = 3;
/// How far around a cell its score must be the highest, cells.
const PEAK_CELLS: usize = 1;

/// The outputs as maps over a grid of cells.
struct Maps<'a> {
    columns: usize,
    rows: usize,
    stride: f64,
    heat: &'a View<'a>,
    short: &'a View<'a>,
    middle: &'a View<'a>,
}

/// A joint that may begin a person.
struct Root {
    score: f64,
    joint: usize,
    column: usize,
    row: usize,
}

/// People of at least `score_min`, the mean score of their joints that no surer person has taken. `heat` are logits for
/// each joint; `short` the offsets of each joint from its cell and `middle` those along the edges, in pixels, y before x.
pub(super) fn people(
    [columns, rows]: [usize; 2],
    stride: usize,
    score_min: f64,
    heat: &View<'_>,
    short: &View<'_>,
    middle: &View<'_>,
) -> Vec<Detection> {
    let maps = Maps { columns, rows, stride: stride as f64, heat, short, middle };
    let mut found: Vec<Detection> = Vec::new();
    for root in maps.roots() {
        if found.len() == PEOPLE_PER_FRAME_MAX {
            break;
        }
        let at = maps.place(root.joint, root.column, root.row);
        if found.iter().any(|person| person.keypoints[root.joint].pixel.distance(at) <= SAME_JOINT_PIXELS_MAX) {
            continue;
        }
        let joints = maps.grow(root.joint, at, root.score);
        let is_free = |joint: usize| {
            let taken = |person: &Detection| {
                person.keypoints[joint].pixel.distance(joints[joint].pixel) <= SAME_JOINT_PIXELS_MAX
            };
            !found.iter().any(taken)
        };
        let free = (0..BodyPoint::COUNT).filter(|joint| is_free(*joint));
        let score = free.map(|joint| joints[joint].score).sum::<f64>() / BodyPoint::COUNT as f64;
        if let Some(bounds) = hull(&joints, score_min).filter(|_| score_min <= score) {
            found.push(Detection {
                class: DetectionClass::Person,
                bounds,
                score,
                keypoints: joints,
                embedding: Vec::new(),
                held: None,
            });
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

impl Maps<'_> {
    fn score(&self, joint: usize, column: usize, row: usize) -> f64 {
        sigmoid(self.heat.get((row * self.columns + column) * BodyPoint::COUNT + joint))
    }

    /// Local peaks, surest first; of equals the first in the order of rows, columns and joints.
    fn roots(&self) -> Vec<Root> {
        let mut roots = Vec::new();
        for row in 0..self.rows {
            for column in 0..self.columns {
                for joint in 0..BodyPoint::COUNT {
                    let score = self.score(joint, column, row);
                    if ROOT_SCORE_MIN <= score && self.is_peak(score, joint, column, row) {
                        roots.push(Root { score, joint, column, row });
                    }
                }
            }
        }
        roots.sort_by(|a, b| b.score.total_cmp(&a.score));
        roots
    }

    fn is_peak(&self, score: f64, joint: usize, column: usize, row: usize) -> bool {
        let near = |place: usize, count: usize| place.saturating_sub(PEAK_CELLS)..(place + PEAK_CELLS + 1).min(count);
        near(row, self.rows).all(|y| near(column, self.columns).all(|x| self.score(joint, x, y) <= score))
    }

    /// Where a joint of a cell is.
    fn place(&self, joint: usize, column: usize, row: usize) -> Point<Pixel> {
        let cell = (row * self.columns + column) * BodyPoint::COUNT * 2;
        let [down, across] = [joint, BodyPoint::COUNT + joint].map(|part| self.short.get(cell + part));
        Point::new(column as f64 * self.stride + across, row as f64 * self.stride + down, 0.0)
    }

    /// The cell nearest to a point.
    fn cell(&self, at: Point<Pixel>) -> (usize, usize) {
        let near = |place: f64, count: usize| (place / self.stride).round().clamp(0.0, (count - 1) as f64) as usize;
        (near(at.x, self.columns), near(at.y, self.rows))
    }

    /// All joints of a person from one of them: from parents to children and back until each is known.
    fn grow(&self, root: usize, at: Point<Pixel>, score: f64) -> Vec<Keypoint> {
        let mut joints: Vec<Option<Keypoint>> = vec![None; BodyPoint::COUNT];
        joints[root] = Some(Keypoint { pixel: at, score });
        // Towards the root of the tree first, then away from it: each pass in an order in which what it needs is known.
        let backwards =
            EDGES.iter().enumerate().rev().map(|(edge, (parent, child))| (edge + EDGES.len(), *child, *parent));
        let forwards = EDGES.iter().enumerate().map(|(edge, (parent, child))| (edge, *parent, *child));
        for (edge, from, to) in backwards.chain(forwards) {
            if let (Some(known), None) = (joints[from], joints[to]) {
                joints[to] = Some(self.step(edge, known.pixel, to));
            }
        }
        joints.into_iter().map(|joint| joint.unwrap_or(keypoint(at.x, at.y, 0.0))).collect()
    }

    /// Follows the offset of an edge from the cell of a joint, then those of the joint it leads to.
    fn step(&self, edge: usize, from: Point<Pixel>, to: usize) -> Keypoint {
        let (mut column, mut row) = self.cell(from);
        // Forward y, forward x, backward y, backward x, all edges each.
        let count = EDGES.len();
        let y_part = if edge < count { edge } else { count + edge };
        let cell = (row * self.columns + column) * count * 4;
        let [down, across] = [y_part, y_part + count].map(|part| self.middle.get(cell + part));
        let place = |cell: usize, offset: f64| cell as f64 * self.stride + offset;
        let mut at = Point::new(place(column, across), place(row, down), 0.0);
        for _ in 0..REFINE_STEPS {
            (column, row) = self.cell(at);
            at = self.place(to, column, row);
        }
        Keypoint { pixel: at, score: self.score(to, column, row) }
    }
}
