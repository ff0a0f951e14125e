//! What went wrong with a request, as RFC 9457 writes it.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{Error, Kind, Span};

/// The media type of a problem document.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// How long somebody is asked to wait where nobody knows better.
const RETRY_SPAN: Span = Span::from_millis(5_000);

/// A sort of problem. Its `type` points to its entry in the API's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Malformed,
    Unauthenticated,
    Forbidden,
    Missing,
    Method,
    Unacceptable,
    Slow,
    Conflict,
    TooLarge,
    MediaType,
    Invalid,
    TooMany,
    HeadTooLarge,
    Expectation,
    Version,
    Broken,
    Unavailable,
}

impl Sort {
    pub(super) const ALL: [Sort; 17] = [
        Sort::Malformed,
        Sort::Unauthenticated,
        Sort::Forbidden,
        Sort::Missing,
        Sort::Method,
        Sort::Unacceptable,
        Sort::Slow,
        Sort::Conflict,
        Sort::TooLarge,
        Sort::MediaType,
        Sort::Invalid,
        Sort::TooMany,
        Sort::HeadTooLarge,
        Sort::Expectation,
        Sort::Version,
        Sort::Broken,
        Sort::Unavailable,
    ];

    /// The last part of its `type`.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Sort::Malformed => "malformed",
            Sort::Unauthenticated => "unauthenticated",
            Sort::Forbidden => "forbidden",
            Sort::Missing => "missing",
            Sort::Method => "method",
            Sort::Unacceptable => "unacceptable",
            Sort::Slow => "slow",
            Sort::Conflict => "conflict",
            Sort::TooLarge => "too-large",
            Sort::MediaType => "media-type",
            Sort::Invalid => "invalid",
            Sort::TooMany => "too-many",
            Sort::HeadTooLarge => "head-too-large",
            Sort::Expectation => "expectation",
            Sort::Version => "version",
            Sort::Broken => "broken",
            Sort::Unavailable => "unavailable",
        }
    }

    /// In a few words, the same for every problem of this sort.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Sort::Malformed => "The request cannot be read",
            Sort::Unauthenticated => "A valid token is needed",
            Sort::Forbidden => "The token's role may not do this",
            Sort::Missing => "There is no such thing",
            Sort::Method => "This cannot be done with it",
            Sort::Unacceptable => "It cannot be given in this form",
            Sort::Slow => "The request took too long to arrive",
            Sort::Conflict => "It no longer fits what is there",
            Sort::TooLarge => "The request is too large",
            Sort::MediaType => "The body is not of the right media type",
            Sort::Invalid => "The request makes no sense",
            Sort::TooMany => "Too many requests",
            Sort::HeadTooLarge => "The head of the request is too large",
            Sort::Expectation => "Nobody here can do what is expected",
            Sort::Version => "This version of HTTP is not spoken",
            Sort::Broken => "Something is wrong on this side",
            Sort::Unavailable => "It cannot be done just now",
        }
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Sort::Malformed => StatusCode::BAD_REQUEST,
            Sort::Unauthenticated => StatusCode::UNAUTHORIZED,
            Sort::Forbidden => StatusCode::FORBIDDEN,
            Sort::Missing => StatusCode::NOT_FOUND,
            Sort::Method => StatusCode::METHOD_NOT_ALLOWED,
            Sort::Unacceptable => StatusCode::NOT_ACCEPTABLE,
            Sort::Slow => StatusCode::REQUEST_TIMEOUT,
            Sort::Conflict => StatusCode::CONFLICT,
            Sort::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Sort::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Sort::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Sort::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Sort::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Sort::Expectation => StatusCode::EXPECTATION_FAILED,
            Sort::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Sort::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Sort::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The `type` of its documents.
    pub(super) fn reference(self) -> String {
        format!("/openapi.json#/x-problems/{}", self.slug())
    }
}

/// A refusal on its way to whoever asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    sort: Sort,
    detail: Option<String>,
    errors: Vec<Flaw>,
    headers: Vec<(HeaderName, HeaderValue)>,
    of_notice: bool,
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Flaw {
    /// Where, as a JSON pointer into the body.
    pub(super) pointer: String,
    /// What, and what would be right.
    pub(super) detail: String,
}

/// A problem document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Document {
    /// Which sort of problem; a reference into this description.
    r#type: String,
    /// The sort in a few words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong with this request, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The request, as the server's log calls it.
    instance: String,
    /// Everything that is wrong with the body, if it could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Flaw>,
    /// `FAIL`, to a payment provider whose message is refused; WeChat Pay expects it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same as `detail`, to such a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Problem {
    /// Its sort.
    #[cfg(test)]
    pub(super) fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) fn new(sort: Sort, detail: impl Into<String>) -> Self {
        let problem =
            Problem { sort, detail: Some(detail.into()), errors: Vec::new(), headers: Vec::new(), of_notice: false };
        match sort {
            Sort::Unauthenticated => problem.header(header::WWW_AUTHENTICATE, "Bearer realm=\"aisle\""),
            Sort::Unavailable => problem.retry_after(RETRY_SPAN),
            // The rest of the body may still be on its way.
            Sort::Slow => problem.header(header::CONNECTION, "close"),
            _ => problem,
        }
    }

    /// Something of ours is wrong; what it is, only the log says.
    pub(super) fn broken() -> Self {
        Problem { detail: None, ..Problem::new(Sort::Broken, "") }
    }

    /// A body with flaws; at least one.
    pub(super) fn flawed(errors: Vec<Flaw>) -> Self {
        let detail = match errors.as_slice() {
            [flaw] => format!("{}: {}", flaw.pointer, flaw.detail),
            _ => format!("{} things are wrong with the body", errors.len()),
        };
        Problem { errors, ..Problem::new(Sort::Invalid, detail) }
    }

    /// No method but `allowed`.
    pub(super) fn method(method: &Method) -> Self {
        Problem::new(Sort::Method, format!("{method} is not among what `Allow` lists"))
    }

    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Asks to be left alone for a while, a second at least.
    pub(super) fn retry_after(mut self, span: Span) -> Self {
        let secs = span.as_nanos().max(0).div_euclid(1_000_000_000).saturating_add(1);
        self.headers.retain(|(name, _)| name != header::RETRY_AFTER);
        self.headers.push((header::RETRY_AFTER, HeaderValue::from(secs)));
        self
    }

    /// As a payment provider wants to have it.
    pub(super) fn of_notice(self) -> Self {
        Problem { of_notice: true, ..self }
    }

    /// Writes it as the answer to the request that `instance` names.
    pub(super) fn render(self, instance: &str) -> Response {
        let document = Document {
            r#type: self.sort.reference(),
            title: self.sort.title(),
            status: self.sort.status().as_u16(),
            code: self.of_notice.then_some("FAIL"),
            message: self.of_notice.then(|| self.detail.clone()).flatten(),
            detail: self.detail,
            instance: instance.to_owned(),
            errors: self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.sort.status(), [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// On its way through the router a problem travels beside an empty answer, until somebody knows the request's name.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.sort.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Usage => Problem::new(Sort::Malformed, error.message()),
            Kind::Input => Problem::new(Sort::Invalid, error.message()),
            Kind::Missing => Problem::new(Sort::Missing, error.message()),
            Kind::Conflict | Kind::Unmet => Problem::new(Sort::Conflict, error.message()),
            Kind::Unavailable => {
                tracing::warn!(%error, "not just now");
                Problem::new(Sort::Unavailable, "the book cannot be used just now; nothing was changed")
            }
            Kind::Io | Kind::Broken => {
                tracing::error!(%error, "broken");
                Problem::broken()
            }
        }
    }
}
