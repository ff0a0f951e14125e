//! The way in: from a request to the answer of its route. Async ends here: what a route does, it does on a thread that may
//! block, because databases and providers do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::access::{Holder, Role, random};
use super::problem::{Problem, Sort};
use super::reply::header_text;
use super::route::{Call, Permit, Route};
use super::{Api, Shared};
use crate::base::limits::{REQUEST_SPAN_MAX, REQUESTS_MAX};
use crate::base::{CartId, Span};
use crate::db::{access, carts};

/// What stands in the place of a path that is no route's, so that nobody can fill the metrics with invented ones.
const NO_ROUTE: &str = "none";

/// Around every request: its name, its share of the machine, its line in the log and the metrics.
pub(super) async fn around(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let began = api.clock.now();
    let instance = name(&api);
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    // Whether the process lives must be seen also when it has too much to do.
    let admitted = api.requests.clone().try_acquire_owned().ok();
    let answered = match admitted.is_none() && path != "/healthz" {
        true => Problem::new(Sort::Unavailable, format!("{REQUESTS_MAX} requests are being answered; come again"))
            .retry_after(Span::ZERO)
            .into_response(),
        false => {
            let late = || Problem::new(Sort::Unavailable, "it took too long; what was asked for may still happen");
            let answer = tokio::time::timeout(duration(REQUEST_SPAN_MAX), next.run(request)).await;
            answer.unwrap_or_else(|_| late().into_response())
        }
    };
    let mut response = answered;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allowed = response.headers_mut().remove(header::ALLOW);
        response = problem.render(&instance);
        response.headers_mut().extend(allowed.map(|allowed| (header::ALLOW, allowed)));
    }
    let headers = response.headers_mut();
    headers.insert("X-Content-Type-Options", HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(instance) = HeaderValue::from_str(&instance) {
        headers.insert("X-Request-Id", instance);
    }
    let took = api.clock.now() - began;
    let status = response.status().as_u16();
    api.metrics.answered(&method, &path, status, took);
    tracing::info!(%method, path, status, millis = took.as_nanos() / 1_000_000, request = instance, "answered");
    response
}

/// No route has this path.
pub(super) async fn no_route() -> Problem {
    Problem::new(Sort::Missing, "there is nothing under this path; /openapi.json lists everything that there is")
}

/// The path has routes, but not with this method.
pub(super) async fn no_method(method: Method) -> Problem {
    Problem::method(&method)
}

/// Brings a request to its route.
pub(super) async fn enter(api: Shared, route: Arc<Route>, mut request: Request) -> Response {
    let part = match part(&route, &mut request).await {
        Ok(part) => part,
        Err(problem) => return problem.into_response(),
    };
    let address = request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
    let (head, body) = request.into_parts();
    let body = match read(&route, &head.headers, body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let handled = tokio::task::spawn_blocking(move || {
        let now = api.clock.now();
        let authorization = header_text(&head.headers, &header::AUTHORIZATION);
        let holder = match route.permit {
            Permit::Open => None,
            Permit::To(_) => {
                let find = |digest: &str| api.till().with(|session| access::token_by_digest(session, digest));
                Some(api.door.let_in(authorization, address, now, find)?)
            }
        };
        permit(&api, &route, holder.as_ref(), &part)?;
        let asked: (&Uri, &HeaderMap) = (&head.uri, &head.headers);
        let reply = route.answer(&Call::new(&api, &route, holder.as_ref(), asked, (&part, &body), now))?;
        if route.method != Method::GET {
            api.bell.ring();
        }
        Ok::<_, Problem>(reply)
    });
    match handled.await {
        Ok(Ok(reply)) => reply.into_response(),
        Ok(Err(problem)) => problem.into_response(),
        Err(panic) => {
            tracing::error!(%panic, "a request was not answered");
            Problem::broken().into_response()
        }
    }
}

/// Whether the holder's role may take the route, and a shopper with what the path names. Here and nowhere else.
fn permit(api: &Api, route: &Route, holder: Option<&Holder>, part: &str) -> Result<(), Problem> {
    let Some(holder) = holder else { return Ok(()) };
    if !route.admits(holder.role) {
        return Err(Problem::new(Sort::Forbidden, format!("{} is not for the role {}", route.action, holder.role)));
    }
    if holder.role != Role::Shopper {
        return Ok(());
    }
    let own = holder.shopper;
    let owner = match route.part_name() {
        Some("shopper") => part.parse().ok(),
        Some("cart") => match part.parse::<CartId>() {
            Ok(cart) => api.till().with(|session| carts::get(session, cart))?.and_then(|cart| cart.shopper),
            Err(_) => None,
        },
        _ => None,
    };
    match owner.is_some() && owner == own {
        true => Ok(()),
        // Whether somebody else has such a thing is none of their business.
        false => Err(Problem::new(Sort::Missing, format!("nothing of yours is called `{part}`"))),
    }
}

async fn part(route: &Route, request: &mut Request) -> Result<String, Problem> {
    if route.part_name().is_none() {
        return Ok(String::new());
    }
    let parts = request.extract_parts::<RawPathParams>().await;
    let parts = parts.map_err(|error| Problem::new(Sort::Malformed, error.body_text()))?;
    Ok(parts.iter().next().map(|(_, part)| part.to_owned()).unwrap_or_default())
}

/// The body, if it is of the right sort and not too large.
async fn read(route: &Route, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    if let Some(wanted) = route.media_type {
        let given = header_text(headers, &header::CONTENT_TYPE).unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(wanted) {
            return Err(Problem::new(Sort::MediaType, format!("write `Content-Type: {wanted}`")));
        }
    }
    let most = route.body_bytes_max;
    let too_large = || Problem::new(Sort::TooLarge, format!("a body of this has at most {most} bytes"));
    let length = header_text(headers, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| most < length) {
        return Err(too_large());
    }
    match to_bytes(body, most).await {
        Ok(body) => Ok(body.into()),
        Err(error) if is_length(&error) => Err(too_large()),
        Err(_) => Err(Problem::new(Sort::Slow, "the body did not arrive as a whole")),
    }
}

fn is_length(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// A new name for a request.
fn name(api: &Api) -> String {
    let dice = random().unwrap_or_default();
    let millis = u64::try_from(api.clock.now().as_nanos() / 1_000_000).unwrap_or(0);
    format!("urn:uuid:{}", uuid::Builder::from_unix_timestamp_millis(millis, &dice).into_uuid() as Uuid)
}

pub(super) fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.as_nanos()).unwrap_or(0))
}
