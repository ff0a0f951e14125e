//! Pictures around the changes of a case, where the shop keeps them. Whoever looks is written down before anything is given.
//!
//! Of a case only what its own evidence names is given, and what shows its shopper at a shelf; the faces of others who may have
//! taken the goods are made unknowable on the way out, as those of everybody else were before they were kept.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing, Output, Reply};
use super::route::Call;
use crate::base::{CameraId, CaseId, Error, ShopTime, ShopperId, SkuId, VisitId};
use crate::db::{Session, carts, cases};
use crate::facts::{FactRef, Grounds, Movement};
use crate::ports::{KeptPicture, KeptPictures, PicturesOf};

const JPEG: &str = "image/jpeg";
/// Hexadecimal digits of the name of a sequence of pictures.
const HEX_DIGITS: usize = 32;
/// Stays of a shopper whose pictures are deleted with what is personal.
const STAYS_MAX: u32 = 100_000;

/// The pictures of a case.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CasePictures")]
pub(super) struct PicturesView {
    /// The pictures, those of lines first, change by change.
    items: Vec<PictureView>,
    /// Why there are none; null where there are some.
    why: Option<String>,
}

/// A picture of a case.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CasePicture")]
struct PictureView {
    /// Where it is.
    url: String,
    /// The product of the line that the change belongs to; null where it belongs to none, and the shopper was only near.
    line: Option<SkuId>,
    /// Whether that was taken or returned there; null where it belongs to no line.
    movement: Option<Movement>,
    /// The change on a shelf that it was kept for.
    event: FactRef,
    /// Which camera took it.
    camera: CameraId,
    /// When.
    at: ShopTime,
    /// Width and height, pixels.
    size: [u32; 2],
    /// How large it is, bytes.
    bytes: u64,
}

/// The name of a picture, as the list of a case has it.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct PictureName(String);

impl FromStr for PictureName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(PictureName(text.to_owned()))
    }
}

impl PictureName {
    /// Whether any picture can be called so: 32 hexadecimal digits, `-` and a number. Nothing else gets into the audit log.
    fn is_well_formed(&self) -> bool {
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let parts = self.0.split_once('-');
        parts.is_some_and(|(hex, number)| hex.len() == HEX_DIGITS && is_hex(hex) && is_number(number))
    }
}

/// For which case a picture is looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseQuery {
    /// The case that it belongs to.
    case: CaseId,
}

/// A picture, which nobody on the way may keep.
pub(super) struct Still(Vec<u8>);

impl Output for Still {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let mut reply = Reply::text(JPEG, self.0);
        reply.headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        Ok(reply)
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![(JPEG, json_schema!({ "type": "string", "contentMediaType": JPEG }))]
    }
}

/// `GET /v1/cases/{case}/pictures`
pub(super) fn of_case(call: &Call<'_>, id: CaseId, _: Nothing, _: Nothing) -> Result<Json<PicturesView>, Problem> {
    let (of, grounds) = call.record(&id, "", |till| till.with(|session| wanted(session, id)))?;
    let Some(kept) = &call.api.kept else {
        let why = "this shop keeps no pictures: its devices.toml has no [pictures]";
        return Ok(Json(PicturesView { items: Vec::new(), why: Some(why.to_owned()) }));
    };
    let found = kept.about(&of);
    let none = if grounds.is_none() {
        "the evidence of this case is kept no longer, and neither are its pictures"
    } else {
        "no pictures of it are there: no camera saw these shelves, or their time is over"
    };
    let why = found.is_empty().then(|| none.to_owned());
    let grounds = grounds.unwrap_or_default();
    // Lines first; what belongs to none may not be of interest.
    let is_of_line = |picture: &KeptPicture| grounds.iter().any(|one| one.attribution.evidence.event == picture.event);
    let (mut found, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_of_line);
    found.extend(others);
    let items = found.into_iter().map(|picture| PictureView::new(picture, id, &grounds)).collect();
    Ok(Json(PicturesView { items, why }))
}

/// `GET /v1/pictures/{picture}`
pub(super) fn get(call: &Call<'_>, name: PictureName, query: CaseQuery, _: Nothing) -> Result<Still, Problem> {
    let missing =
        || Problem::new(Sort::Missing, "this case has no such picture; it may have been deleted since it was listed");
    if !name.is_well_formed() {
        return Err(missing());
    }
    let PictureName(name) = name;
    let (of, _) = call.record(&query.case, &name, |till| till.with(|session| wanted(session, query.case)))?;
    let Some(kept) = &call.api.kept else { return Err(missing()) };
    let broken = |error: Error| {
        tracing::error!(%error, "a picture cannot be read");
        Problem::broken()
    };
    kept.read(&name, &of).map_err(broken)?.map(Still).ok_or_else(missing)
}

/// Deletes the pictures of a shopper, of whom what is personal was erased. What could not be deleted is when the shop forgets next.
pub(super) fn forget_of(call: &Call<'_>, shopper: ShopperId) {
    let Some(kept) = call.api.kept.clone() else { return };
    let stays = |session: &mut dyn Session| carts::of_shopper(session, shopper, (ShopTime::MAX, ""), STAYS_MAX);
    let forgotten = call.read(|till| till.with(stays)).map(|stays| {
        let visits: BTreeSet<VisitId> = stays.into_iter().filter_map(|cart| cart.visit).collect();
        kept.forget(call.now, &visits)
    });
    match forgotten {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "pictures could not be deleted; it is tried again"),
        Err(_) => tracing::warn!("the book did not say whose pictures are to be deleted; it is tried again"),
    }
}

/// Which pictures are of a case, and its evidence while it is kept.
fn wanted(session: &mut dyn Session, id: CaseId) -> Result<(PicturesOf, Option<Vec<Grounds>>), crate::db::Failure> {
    let case = cases::get(session, id)?.ok_or_else(|| Error::missing(format!("there is no {id}")))?;
    let evidence = carts::evidence(session, case.cart)?;
    let Some(grounds) = evidence else { return Ok((PicturesOf::default(), None)) };
    let visit = carts::get(session, case.cart)?.and_then(|cart| cart.visit);
    let event = |grounds: &Grounds| (grounds.attribution.evidence.event.clone(), grounds.attribution.evidence.span);
    let of = PicturesOf { visit, events: grounds.iter().map(event).collect() };
    Ok((of, Some(grounds)))
}

impl PictureView {
    fn new(picture: KeptPicture, case: CaseId, grounds: &[Grounds]) -> Self {
        let KeptPicture { name, event, camera, at, size_pixels, bytes } = picture;
        let of = grounds.iter().map(|grounds| &grounds.attribution).find(|found| found.evidence.event == event);
        PictureView {
            url: format!("/v1/pictures/{name}?case={case}"),
            line: of.map(|found| found.sku.clone()),
            movement: of.map(|found| found.movement),
            event,
            camera,
            at,
            size: size_pixels,
            bytes,
        }
    }
}

/// What a shop keeps, shared.
pub(super) type Kept = Arc<dyn KeptPictures>;
