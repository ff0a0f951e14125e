//! What stays the same while the server runs: it is made once, given with a name, and only named to whoever has it already
//! (RFC 9110, `ETag` and `If-None-Match`).

use std::marker::PhantomData;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::problem::Problem;
use super::reply::{JSON, Json, Output, Reply};
use crate::base::{Error, sha256};

/// What the description says of the answer that has nothing but the name.
pub(super) const SAME: (StatusCode, &str) = (StatusCode::NOT_MODIFIED, "It is the one that `If-None-Match` names");

/// A JSON document of a `T`, and its name; made when somebody asks for it first.
pub(super) struct Once<T> {
    made: OnceLock<Result<(Bytes, HeaderValue), String>>,
    of: PhantomData<fn() -> T>,
}

/// The document; or only its name, where whoever asks has it already.
pub(super) struct Tagged<T> {
    body: Option<Bytes>,
    tag: HeaderValue,
    of: PhantomData<fn() -> T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once { made: OnceLock::new(), of: PhantomData }
    }
}

impl<T> Once<T> {
    /// What is answered to a request with these headers; `what` it is, and how it is written.
    pub(super) fn give(
        &self,
        headers: &HeaderMap,
        what: &str,
        write: impl FnOnce() -> serde_json::Result<Vec<u8>>,
    ) -> Result<Tagged<T>, Problem> {
        let made = self.made.get_or_init(|| {
            let body = write().map_err(|error| error.to_string())?;
            let tag = tag_of(&body).map_err(|error| error.to_string())?;
            Ok((body.into(), tag))
        });
        let (body, tag) =
            made.as_ref().map_err(|message| Error::broken(format!("the {what} cannot be written: {message}")))?;
        let body = (!is_known(headers, tag)).then(|| body.clone());
        Ok(Tagged { body, tag: tag.clone(), of: PhantomData })
    }
}

impl<T: Serialize + JsonSchema> Output for Tagged<T> {
    const STATUS: StatusCode = StatusCode::OK;
    const OR_ELSE: Option<(StatusCode, &'static str)> = Some(SAME);

    fn reply(self) -> Result<Reply, Problem> {
        Ok(Reply::tagged(JSON, self.body, Some(self.tag)))
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        Json::<T>::content(generator)
    }
}

/// The name of these bytes.
pub(super) fn tag_of(body: &[u8]) -> Result<HeaderValue, axum::http::header::InvalidHeaderValue> {
    HeaderValue::from_str(&format!("\"{}\"", sha256(body)))
}

/// Whether whoever asks has what bears this name.
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let named = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut names = named.flat_map(|names| names.split(',')).map(str::trim);
    names.any(|name| name == "*" || name.strip_prefix("W/").unwrap_or(name).as_bytes() == tag.as_bytes())
}
