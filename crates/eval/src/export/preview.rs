//! A page that plays the pictures of all cameras in step, with the truth over them, a floor plan and the receipts:
//! `index.html` and `frames/CAMERA/000001.jpg`. The page holds its data and needs nothing from elsewhere.

use serde_json::{Value, json};

use super::folder::{PartFolder, TextFile};
use super::index::Index;
use super::{FormWriter, Spot};
use crate::base::text::plain;
use crate::base::{Result, ShopTime, SkuId};
use crate::facts::{BodyPoint, Movement, Stamp};
use crate::geometry::{Floor, Point, World};
use crate::shop::{Shop, ZoneKind};
use crate::truth::{FrameBody, FrameTruth, PointTruth, SceneBody, SceneTruth, Visibility};

/// The page around its data.
const PAGE: &str = include_str!("preview.html");
/// Where the data goes.
const DATA_MARK: &str = "/*DATA*/";
/// How far the field of view is drawn on the floor plan, metres.
const VIEW_METRES: f64 = 1.1;

pub(super) struct Preview<'a> {
    index: &'a Index,
    out: TextFile,
}

impl<'a> Preview<'a> {
    pub(super) fn begin(index: &'a Index, folder: &PartFolder) -> Result<Self> {
        for (_, camera, _) in index.cameras() {
            folder.make(&format!("frames/{}", camera.id))?;
        }
        let mut out = folder.text("index.html")?;
        let (before, _) = page();
        let title = escape(index.shop.name());
        out.put(&before.replace("/*TITLE*/", &title))?;
        let mut preview = Preview { index, out };
        preview.say("about", &about(index))?;
        Ok(preview)
    }

    /// Hands a value to the page. What could end the script is written as an escape.
    fn say(&mut self, what: &str, value: &Value) -> Result<()> {
        let text = value.to_string().replace('<', "\\u003c");
        self.out.put(&format!("{what}({text});\n"))
    }

    /// Milliseconds since the beginning.
    fn millis(&self, at: ShopTime) -> f64 {
        round(at.secs_since(self.index.begin) * 1e3, 1e1)
    }
}

impl FormWriter for Preview<'_> {
    fn picture(&self, spot: &Spot<'_>) -> String {
        format!("frames/{}/{:06}.{}", spot.name, spot.number, spot.ending)
    }

    fn frame(&mut self, spot: &Spot<'_>, stamp: &Stamp) -> Result<()> {
        let at = self.millis(stamp.at);
        self.say("frame", &json!([spot.camera, spot.number, at, spot.ending]))
    }

    fn truth(&mut self, spot: &Spot<'_>, truth: &FrameTruth) -> Result<u64> {
        let people: Vec<Value> = truth.people.iter().map(|body| seen(self.index, body)).collect();
        let at = self.millis(truth.at);
        self.say("truth", &json!([spot.camera, spot.number, at, people]))?;
        Ok(truth.people.len() as u64)
    }

    fn scene(&mut self, scene: &SceneTruth) -> Result<()> {
        let people: Vec<Value> = scene.people.iter().map(|body| stands(self.index, body)).collect();
        let at = self.millis(scene.at);
        self.say("scene", &json!([at, people]))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let (_, behind) = page();
        self.out.put(behind)?;
        self.out.finish()
    }
}

fn page() -> (&'static str, &'static str) {
    PAGE.split_once(DATA_MARK).unwrap_or((PAGE, ""))
}

fn escape(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What does not move: cameras, the floor plan, goods, receipts and what was done.
fn about(index: &Index) -> Value {
    let shop = &index.shop;
    let since = |at: ShopTime| round(at.secs_since(index.begin) * 1e3, 1e1);
    let cameras = index.cameras().map(|(number, camera, _)| {
        let (position, [_, _, forward]) = (camera.view.pose().position, camera.view.rotation_rows());
        let flat = forward[0].hypot(forward[1]).max(1e-9);
        let tip = [position.x + forward[0] / flat * VIEW_METRES, position.y + forward[1] / flat * VIEW_METRES];
        json!({ "number": number, "name": camera.id.as_str(), "size": camera.size_pixels, "rate": camera.rate_hertz,
                "at": [position.x, position.y], "towards": tip })
    });
    let receipts = index.truth.receipts.iter().map(|purchase| {
        let goods = purchase.products.iter().map(|item| json!([item.barcode.as_str(), item.quantity.get()]));
        json!({ "who": index.visit(purchase.target_id), "goods": goods.collect::<Vec<_>>() })
    });
    let actions = index.truth.actions.iter().map(|action| {
        json!([
            index.visit(action.visit),
            since(action.span.start),
            since(action.span.end),
            action.movement == Movement::Take,
            action.sku.as_str(),
            action.quantity.get()
        ])
    });
    let goods = shop.catalogue().products().iter();
    let goods: serde_json::Map<String, Value> =
        goods.map(|product| (product.sku.as_str().to_owned(), product.name.as_str().into())).collect();
    let place = |point: BodyPoint| BodyPoint::ALL.iter().position(|other| *other == point);
    let bones: Vec<_> = BodyPoint::BONES.iter().map(|(from, to)| [place(*from), place(*to)]).collect();
    let visits: Vec<String> = index.visits().iter().map(ToString::to_string).collect();
    json!({
        "case": index.truth.case, "cameras": cameras.collect::<Vec<_>>(), "plan": plan(shop), "goods": goods, "bones": bones,
        "visits": visits, "receipts": receipts.collect::<Vec<_>>(), "actions": actions.collect::<Vec<_>>(),
    })
}

/// The floor: walls, zones, and units with their fronts first.
fn plan(shop: &Shop) -> Value {
    let flat = |corners: &[Point<Floor>]| corners.iter().map(|corner| [corner.x, corner.y]).collect::<Vec<_>>();
    let zones = shop.zones().iter().map(|zone| {
        let kind = match zone.kind {
            ZoneKind::Entrance => "entrance",
            ZoneKind::Exit => "exit",
            ZoneKind::Closed => "closed",
        };
        json!({ "name": zone.name, "kind": kind, "corners": flat(&zone.polygon) })
    });
    let mut units: Vec<(u16, Vec<[f64; 2]>)> = Vec::new();
    for shelf in shop.shelves() {
        // Boards stand over each other; the lowest shows the unit.
        if units.last().is_none_or(|(number, _)| *number != shelf.id.gondola) {
            units.push((shelf.id.gondola, flat(&shelf.outline())));
        }
    }
    let units = units.into_iter().map(|(number, corners)| json!({ "number": number, "corners": corners }));
    let walls = shop.room().map(|room| flat(&room.polygon));
    json!({ "walls": walls, "zones": zones.collect::<Vec<_>>(), "units": units.collect::<Vec<_>>() })
}

/// A body in a picture: who, box, how much of it is seen, joints and hands as x, y, and 0 outside, 1 hidden, 2 seen.
fn seen(index: &Index, body: &FrameBody) -> Value {
    let bounds = body.bounds;
    let edges = [bounds.left, bounds.top, bounds.right, bounds.bottom].map(|edge| round(edge, 10.0));
    let joints: Vec<Value> = body.keypoints.iter().map(point).collect();
    let hands: Vec<Value> = body.hands.iter().map(|hand| json!([point(&hand.palm), names(&hand.holds)])).collect();
    json!([index.visit(body.visit), edges, round(body.visible_share, 100.0), joints, hands])
}

fn point(point: &PointTruth) -> Value {
    let flag = match point.visibility {
        Visibility::Outside => 0,
        Visibility::Hidden => 1,
        Visibility::Visible => 2,
    };
    match point.pixel {
        Some(pixel) => json!([round(pixel.x, 10.0), round(pixel.y, 10.0), flag]),
        None => Value::Null,
    }
}

/// A body on the floor: who, where its hips are, where its shoulders and hands are, what it holds and carries.
fn stands(index: &Index, body: &SceneBody) -> Value {
    let joint = |point: BodyPoint| BodyPoint::ALL.iter().position(|other| *other == point).map(|at| body.joints[at]);
    let flat = |point: Point<World>| [round(point.x, 100.0), round(point.y, 100.0)];
    let middle = |a: BodyPoint, b: BodyPoint| joint(a).zip(joint(b)).map(|(a, b)| flat(a.lerp(b, 0.5)));
    let hips = middle(BodyPoint::LeftHip, BodyPoint::RightHip);
    let shoulders = [BodyPoint::LeftShoulder, BodyPoint::RightShoulder].map(|point| joint(point).map(flat));
    let held: Vec<Value> = body.holds.iter().map(|goods| names(goods)).collect();
    json!([index.visit(body.visit), hips, shoulders, body.palms.map(flat), held, names(&body.carries)])
}

fn names(goods: &[SkuId]) -> Value {
    goods.iter().map(SkuId::as_str).collect()
}

/// Rounded to a part of a unit, so that the page stays small; what is no number is 0.
fn round(value: f64, parts: f64) -> f64 {
    let rounded = (value * parts).round() / parts;
    if rounded.is_finite() { rounded } else { 0.0 }
}
