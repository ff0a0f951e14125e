//! Bodies in and answers out, with what the API's description says about them.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::problem::{Problem, Sort};
use crate::base::{Error, Interchange};

/// The media type of most bodies.
pub(super) const JSON: &str = "application/json";

/// An answer on its way out.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) media_type: &'static str,
    pub(super) body: Body,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    pub(super) fn text(media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Reply { status: StatusCode::OK, media_type, body: Body::from(body.into()), headers: Vec::new() }
    }

    /// What is the same for everybody, for as long as the process lives.
    pub(super) fn fixed(media_type: &'static str, body: Bytes) -> Self {
        Reply::streamed(media_type, Body::from(body))
    }

    /// What is the same until its name is another one; nothing but the name for whoever has it.
    pub(super) fn tagged(media_type: &'static str, body: Option<Bytes>, tag: Option<HeaderValue>) -> Self {
        let mut reply = match body {
            Some(body) => Reply::fixed(media_type, body),
            None => Reply::bare(StatusCode::NOT_MODIFIED),
        };
        reply.headers.extend(tag.map(|tag| (header::ETAG, tag)));
        reply.headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
        reply
    }

    /// What is given part by part.
    pub(super) fn streamed(media_type: &'static str, body: Body) -> Self {
        Reply { status: StatusCode::OK, media_type, body, headers: Vec::new() }
    }

    /// Nothing but a status.
    pub(super) fn bare(status: StatusCode) -> Self {
        Reply { status, media_type: "", body: Body::empty(), headers: Vec::new() }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        if !self.media_type.is_empty() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        }
        response.headers_mut().extend(self.headers);
        response
    }
}

/// What a request brings.
pub(super) trait Input: Sized {
    /// The media type that it has to have, if any is asked for.
    const MEDIA_TYPE: Option<&'static str>;

    /// # Errors
    /// When it is not what it should be.
    fn read(body: &[u8]) -> Result<Self, Problem>;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

/// What a request is answered with.
pub(super) trait Output {
    const STATUS: StatusCode;
    /// Another status that it may have, without a body, and what that means.
    const OR_ELSE: Option<(StatusCode, &'static str)> = None;

    /// # Errors
    /// When it cannot be written.
    fn reply(self) -> Result<Reply, Problem>;

    /// Every media type that it may have.
    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)>;
}

/// Nothing, or nothing that anybody looks at.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl std::str::FromStr for Nothing {
    type Err = String;

    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Nothing {})
    }
}

impl Input for Nothing {
    const MEDIA_TYPE: Option<&'static str> = None;

    fn read(_: &[u8]) -> Result<Self, Problem> {
        Ok(Nothing {})
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// The bytes themselves.
pub(super) struct Raw(pub(super) Vec<u8>);

impl Input for Raw {
    const MEDIA_TYPE: Option<&'static str> = None;

    fn read(body: &[u8]) -> Result<Self, Problem> {
        Ok(Raw(body.to_vec()))
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        Some(json_schema!(true))
    }
}

/// JSON, of answers with times and money as [`Interchange`] writes them.
pub(super) struct Json<T>(pub(super) T);

/// What is read of an object of JSON, and of nothing else. By itself serde reads a list too, field by field.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfFields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfFields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }
        deserializer.deserialize_map(OfFields(PhantomData))
    }
}

impl<T: DeserializeOwned + JsonSchema> Input for Json<T> {
    const MEDIA_TYPE: Option<&'static str> = Some(JSON);

    fn read(body: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(body).map(|Object(read)| Json(read)).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Problem::new(Sort::Invalid, format!("the body: {error}")),
            _ => Problem::new(Sort::Malformed, format!("the body is not JSON: {error}")),
        })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// A whole number, however it is written: JSON does not tell `3` from `3.0`, and neither do all who write it.
pub(super) struct Whole<T>(pub(super) T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Beyond it, numbers with a point are not told from their neighbours.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = serde_json::Number::deserialize(deserializer)?;
        let with_point = || number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT);
        let whole = number.as_i64().map(i128::from).or_else(|| with_point().map(|number| number as i128));
        let fits = whole.and_then(|whole| T::try_from(whole).ok());
        fits.map(Whole)
            .ok_or_else(|| D::Error::custom(format!("{number} is no whole number, or beyond what fits here")))
    }
}

impl<T: Serialize + JsonSchema> Output for Json<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        let written = serde_json::to_vec(&Interchange(&self.0));
        let body = written.map_err(|error| Error::broken(format!("an answer cannot be written as JSON: {error}")))?;
        Ok(Reply::text(JSON, body))
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![(JSON, generator.subschema_for::<T>())]
    }
}

/// JSON of something that was not there before.
pub(super) struct Created<T>(pub(super) T);

impl<T: Serialize + JsonSchema> Output for Created<T> {
    const STATUS: StatusCode = StatusCode::CREATED;

    fn reply(self) -> Result<Reply, Problem> {
        Ok(Reply { status: Self::STATUS, ..Json(self.0).reply()? })
    }

    fn content(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        Json::<T>::content(generator)
    }
}

/// It is done, and there is nothing to say about it.
pub(super) struct Done;

impl Output for Done {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn reply(self) -> Result<Reply, Problem> {
        Ok(Reply::bare(Self::STATUS))
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        Vec::new()
    }
}

/// Text of one media type, by the letters of [`Text::MEDIA_TYPE`].
pub(super) struct Text<M>(pub(super) String, pub(super) M);

/// A media type.
pub(super) trait MediaType {
    const NAME: &'static str;
}

impl<M: MediaType> Output for Text<M> {
    const STATUS: StatusCode = StatusCode::OK;

    fn reply(self) -> Result<Reply, Problem> {
        Ok(Reply::text(M::NAME, self.0))
    }

    fn content(_: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![(M::NAME, json_schema!({ "type": "string" }))]
    }
}

/// The only value of a header, where it is text.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
