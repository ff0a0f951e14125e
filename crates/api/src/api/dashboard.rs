//! The dashboard: a page and the files that it asks for, which are in the program itself. It needs nothing else, and asks this API
//! for the rest.

use std::str::FromStr;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::problem::{Problem, Sort};
use super::reply::{Nothing, Output, Reply};
use super::route::Call;
use super::tagged::{SAME, is_known, tag_of};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// What a browser may do with the page: run scripts and use styles of this server, ask it, and show pictures that it gave.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page itself.
const PAGE: &str = "index.html";

/// A file of the folder: its name, what it is, what is in it.
pub(super) type Embedded = (&'static str, &'static str, &'static str);

macro_rules! embedded {
    ($folder:literal, $($name:literal: $kind:expr,)*) => {
        [$(($name, $kind, include_str!(concat!($folder, $name)))),*]
    };
}

/// The shopper's page, and its files, by name; it takes some of the dashboard's besides.
const VISIT: &str = "visit.html";
pub(super) const OF_VISIT: &[Embedded] = &embedded! { "shopper/",
    "contest.js": SCRIPT,
    "data.js": SCRIPT,
    "texts.js": SCRIPT,
    "visit.css": STYLE,
    "visit.html": HTML,
    "visitor.js": SCRIPT,
};

/// All files of the folder, by name.
const FILES: &[Embedded] = &embedded! { "dashboard/",
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "cameras.js": SCRIPT,
    "carts.js": SCRIPT,
    "charts.js": SCRIPT,
    "devices.js": SCRIPT,
    "dom.js": SCRIPT,
    "evidence.js": SCRIPT,
    "floor.js": SCRIPT,
    "index.html": HTML,
    "money.js": SCRIPT,
    "motion.js": SCRIPT,
    "parts.js": SCRIPT,
    "pictures.js": SCRIPT,
    "plan.js": SCRIPT,
    "receipts.js": SCRIPT,
    "review.js": SCRIPT,
    "shelves.js": SCRIPT,
    "shop.js": SCRIPT,
    "stage.js": SCRIPT,
    "story.js": SCRIPT,
    "stream.js": SCRIPT,
    "style.css": STYLE,
    "tabs.js": SCRIPT,
    "tags.js": SCRIPT,
    "timeline.js": SCRIPT,
    "today.js": SCRIPT,
    "visit.js": SCRIPT,
};

/// What each bears for a name for caches.
static TAGS: LazyLock<Vec<Option<HeaderValue>>> = LazyLock::new(|| {
    let tag = |(_, _, text): &Embedded| tag_of(text.as_bytes()).ok();
    FILES.iter().chain(OF_VISIT).map(tag).collect()
});

/// The name of a file of the page.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct AssetName(String);

impl FromStr for AssetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(AssetName(text.to_owned()))
    }
}

/// A file; or only its name for caches, where whoever asks has it already.
struct Given {
    kind: &'static str,
    body: Option<Bytes>,
    tag: Option<HeaderValue>,
}

/// The page.
pub(super) struct Page(Given);

/// A file that the page asks for.
pub(super) struct Asset(Given);

impl Given {
    fn new(call: &Call<'_>, name: &str) -> Option<Self> {
        let (place, (_, kind, text)) =
            FILES.iter().chain(OF_VISIT).enumerate().find(|(_, (other, _, _))| *other == name)?;
        let tag = TAGS.get(place).cloned().flatten();
        let is_known = tag.as_ref().is_some_and(|tag| is_known(call.headers, tag));
        Some(Given { kind, body: (!is_known).then(|| Bytes::from_static(text.as_bytes())), tag })
    }

    fn reply(self) -> Reply {
        let mut reply = Reply::tagged(self.kind, self.body, self.tag);
        reply.headers.push((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)));
        reply.headers.push((header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
        reply
    }
}

impl Output for Page {
    const STATUS: StatusCode = StatusCode::OK;
    const OR_ELSE: Option<(StatusCode, &'static str)> = Some(SAME);

    fn reply(self) -> Result<Reply, Problem> {
        Ok(self.0.reply())
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![("text/html", json_schema!({ "type": "string" }))]
    }
}

impl Output for Asset {
    const STATUS: StatusCode = StatusCode::OK;
    const OR_ELSE: Option<(StatusCode, &'static str)> = Some(SAME);

    fn reply(self) -> Result<Reply, Problem> {
        Ok(self.0.reply())
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        ["text/css", "text/javascript"].map(|kind| (kind, json_schema!({ "type": "string" }))).into()
    }
}

/// `GET /`
pub(super) fn page(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Page, Problem> {
    Given::new(call, PAGE).map(Page).ok_or_else(Problem::broken)
}

/// `GET /visit`
pub(super) fn visit(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Page, Problem> {
    Given::new(call, VISIT).map(Page).ok_or_else(Problem::broken)
}

/// `GET /assets/{name}`
pub(super) fn asset(call: &Call<'_>, name: AssetName, _: Nothing, _: Nothing) -> Result<Asset, Problem> {
    let given = if [PAGE, VISIT].contains(&name.0.as_str()) { None } else { Given::new(call, &name.0) };
    given.map(Asset).ok_or_else(|| Problem::new(Sort::Missing, format!("the page has no file `{}`", name.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_given_as_what_it_is() {
        for (folder, files) in [("dashboard", FILES), ("shopper", OF_VISIT)] {
            let folder = format!("{}/src/api/{folder}", env!("CARGO_MANIFEST_DIR"));
            let files_there = std::fs::read_dir(folder).unwrap();
            let mut there: Vec<String> =
                files_there.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            there.sort();
            let names: Vec<&str> = files.iter().map(|(name, _, _)| *name).collect();
            assert_eq!(names, there);
        }
        for (name, kind, text) in FILES.iter().chain(OF_VISIT) {
            let wanted = match name.rsplit_once('.').unwrap().1 {
                "html" => HTML,
                "css" => STYLE,
                "js" => SCRIPT,
                other => panic!("{name}: nobody says what .{other} is"),
            };
            assert_eq!(*kind, wanted, "{name}");
            assert!(!text.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_files_name_is_there_and_nothing_else_is_asked_of_the_policy() {
        let mut named = 0;
        for (name, _, text) in FILES.iter().chain(OF_VISIT) {
            let imported = text.split("from \"./").skip(1).chain(text.split("\"assets/").skip(1));
            for other in imported.map(|rest| rest.split('"').next().unwrap()) {
                let is_there = FILES.iter().chain(OF_VISIT).any(|(name, _, _)| *name == other);
                assert!(is_there, "{name} asks for {other}");
                named += 1;
            }
            // The policy lets no script or style stand in a document, and nothing come from elsewhere.
            for wrong in ["<script>", "<style", " style=\"", " onclick=\"", "eval(", "new Function(", "src=\"http"] {
                assert!(!text.contains(wrong), "{name} has {wrong}");
            }
        }
        assert!(10 < named);
        let bytes: usize = FILES.iter().map(|(_, _, text)| text.len()).sum();
        assert!(bytes < 300_000, "the page weighs {bytes} bytes");
        // The shopper's page, over a phone, with what it takes of the dashboard.
        let shared = ["api.js", "dom.js", "stream.js"];
        let shared = FILES.iter().filter(|(name, _, _)| shared.contains(name));
        let bytes: usize = shared.chain(OF_VISIT).map(|(_, _, text)| text.len()).sum();
        assert!(bytes < 80_000, "the shopper's page weighs {bytes} bytes");
    }
}
