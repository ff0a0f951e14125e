//! The page for reviewers: one document that needs nothing else, and asks this API for the rest.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use schemars::{Schema, SchemaGenerator, json_schema};

use super::problem::Problem;
use super::reply::{Nothing, Output, Reply};
use super::route::Call;

const HTML: &str = include_str!("desk/review.html");
const STYLE: &str = include_str!("desk/review.css");
const SCRIPT: &str = include_str!("desk/review.js");

/// The page, and what a browser may do with it: run this script, use this style, ask this server.
static PAGE: LazyLock<(String, String)> = LazyLock::new(|| {
    let page = HTML.replace("/* style */", STYLE).replace("/* script */", SCRIPT);
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    (page, policy)
});

/// The page.
pub(super) struct Desk;

impl Output for Desk {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let (page, policy) = &*PAGE;
        let mut reply = Reply::fixed("text/html; charset=utf-8", Bytes::from_static(page.as_bytes()));
        reply.headers.extend(HeaderValue::from_str(policy).map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        reply.headers.push((header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
        Ok(reply)
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![("text/html", json_schema!({ "type": "string" }))]
    }
}

/// `GET /`
pub(super) fn page(_: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Desk, Problem> {
    Ok(Desk)
}
