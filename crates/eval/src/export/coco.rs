//! COCO keypoints: `images/CAMERA/000001.jpg` and `person_keypoints.json`.
//!
//! Keypoints are pixel indices, as COCO has them: the middle of the top left pixel is (0, 0). Boxes are lengths from the
//! corner of the picture, whose own width and height are written beside it. A box is around the pixels that show the body, and `area` is that of the box, for there is no
//! mask. Who is not seen at all is not written down.

use serde_json::json;

use super::folder::{PartFolder, TextFile};
use super::index::Index;
use super::{FormWriter, Spot};
use crate::base::Result;
use crate::base::figures::fixed;
use crate::facts::BodyPoint;
use crate::truth::{FrameBody, FrameTruth, PointTruth, Visibility};

/// From our coordinates, in which the middle of the top left pixel is (0.5, 0.5), to pixel indices.
const PIXEL_MIDDLE: f64 = 0.5;

pub(super) struct Coco<'a> {
    index: &'a Index,
    out: TextFile,
    annotations: u64,
}

impl<'a> Coco<'a> {
    pub(super) fn begin(index: &'a Index, folder: &PartFolder) -> Result<Self> {
        let mut out = folder.text("person_keypoints.json")?;
        let info = json!({ "description": format!("{}, made by aisle", index.shop.name()), "version": "1.0" });
        let names: Vec<&str> = BodyPoint::ALL.iter().map(|point| point.name()).collect();
        let place = |point: BodyPoint| BodyPoint::ALL.iter().position(|other| *other == point).map_or(0, |at| at + 1);
        let skeleton: Vec<[usize; 2]> = BodyPoint::BONES.iter().map(|(from, to)| [place(*from), place(*to)]).collect();
        let person =
            json!({ "id": 1, "name": "person", "supercategory": "person", "keypoints": names, "skeleton": skeleton });
        out.put(&format!("{{\"info\":{info},\"licenses\":[],\"categories\":[{person}],\n\"images\":["))?;
        let mut first = true;
        for (number, camera, _) in index.cameras() {
            let name = camera.id.as_str();
            folder.make(&format!("images/{name}"))?;
            for spot in index.spots(number) {
                let (id, [width, height]) = (image_id(index, &spot), spot.size_pixels);
                let file = format!("{name}/{:06}.{}", spot.number, spot.ending);
                let image = json!({ "id": id, "file_name": file, "width": width, "height": height, "camera": name });
                out.put(&format!("{}\n{image}", if first { "" } else { "," }))?;
                first = false;
            }
        }
        out.put("\n],\n\"annotations\":[")?;
        Ok(Coco { index, out, annotations: 0 })
    }
}

/// The number of an image: frames with truth in order, the cameras side by side.
fn image_id(index: &Index, spot: &Spot<'_>) -> u64 {
    (spot.number - 1) * index.shop.cameras().len() as u64 + spot.camera as u64 + 1
}

impl FormWriter for Coco<'_> {
    fn picture(&self, spot: &Spot<'_>) -> String {
        format!("images/{}/{:06}.{}", spot.name, spot.number, spot.ending)
    }

    fn truth(&mut self, spot: &Spot<'_>, truth: &FrameTruth) -> Result<u64> {
        let before = self.annotations;
        for body in &truth.people {
            let Some(annotation) = annotation(&body.clone().mapped(&spot.picture_from_calibrated)) else { continue };
            let comma = if self.annotations == 0 { "" } else { "," };
            self.annotations += 1;
            let (id, image, who) = (self.annotations, image_id(self.index, spot), self.index.visit(body.visit));
            let head = format!("\"id\":{id},\"image_id\":{image},\"category_id\":1,\"track_id\":{who}");
            self.out.put(&format!("{comma}\n{{{head},{annotation}}}"))?;
        }
        Ok(self.annotations - before)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out.put("\n]}\n")?;
        self.out.finish()
    }
}

/// What COCO says of a body, without the braces; `None` for who is not seen.
fn annotation(body: &FrameBody) -> Option<String> {
    let bounds = body.visible_bounds?;
    let mut points = Vec::with_capacity(BodyPoint::COUNT);
    let mut labelled = 0;
    for PointTruth { pixel, visibility } in body.keypoints {
        let flag = match visibility {
            Visibility::Outside => 0,
            Visibility::Hidden => 1,
            Visibility::Visible => 2,
        };
        match pixel.filter(|_| 0 < flag) {
            Some(pixel) => {
                labelled += 1;
                points.push(format!(
                    "{},{},{flag}",
                    fixed(pixel.x - PIXEL_MIDDLE, 2),
                    fixed(pixel.y - PIXEL_MIDDLE, 2)
                ));
            }
            None => points.push("0,0,0".to_owned()),
        }
    }
    let (left, top) = (fixed(bounds.left, 2), fixed(bounds.top, 2));
    let (width, height) = (bounds.width(), bounds.height());
    let (area, points) = (bounds.area(), points.join(","));
    Some(format!(
        "\"bbox\":[{left},{top},{width:.2},{height:.2}],\"area\":{area:.2},\"iscrowd\":0,\
         \"num_keypoints\":{labelled},\"keypoints\":[{points}]"
    ))
}
