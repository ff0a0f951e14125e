//! The way in: from a request to the answer of its route. Async ends here: what a route does, it does on a thread that may
//! block, because databases and providers do.

use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use uuid::Uuid;

use super::access::{Holder, Key, Role, random};
use super::closing::Closing;
use super::problem::{Problem, Sort};
use super::reply::{Reply, header_text};
use super::route::{Call, Pass, Permit, Route};
use super::seats::Peer;
use super::shares::{self, Class};
use super::{Api, Shared};
use crate::base::limits::{REQUEST_BODY_SPAN_MAX, REQUEST_SPAN_MAX};
use crate::base::{CartId, Span};
use crate::db::passes::PassSort;
use crate::db::{Failure, Session, carts, companions};

/// What stands in the place of a path that is no route's, so that nobody can fill the metrics with invented ones.
const NO_ROUTE: &str = "none";

/// What a connection has to say in place of a request that never came to be one.
#[derive(Clone)]
pub(super) struct Refused(pub(super) Problem);

/// Around every request: its name, its time, its line in the log and the metrics.
pub(super) async fn around(State(api): State<Shared>, mut request: Request, next: Next) -> Response {
    let began = api.door_clock.now();
    let instance = name(&api);
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let mut response = match request.extensions_mut().remove::<Refused>() {
        Some(Refused(problem)) => problem.into_response(),
        None => {
            let late = || Problem::new(Sort::Unavailable, "it took too long; what was asked for may still happen");
            let answer = tokio::time::timeout(duration(REQUEST_SPAN_MAX), next.run(request)).await;
            answer.unwrap_or_else(|_| late().into_response())
        }
    };
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
    let took = api.door_clock.now() - began;
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

/// Brings a request to its route: who asks is known before the body is read, and only a request that is all there takes a
/// place among those that are answered.
pub(super) async fn enter(api: Shared, route: Arc<Route>, request: Request) -> Response {
    answer(api, route, request).await.map_or_else(IntoResponse::into_response, Reply::into_response)
}

async fn answer(api: Shared, route: Arc<Route>, mut request: Request) -> Result<Reply, Problem> {
    let part = part(&route, &mut request).await?;
    let peer = request.extensions_mut().remove::<Peer>();
    let closing = request.extensions_mut().remove::<Closing>();
    let (head, body) = request.into_parts();
    let (part, head) = (Arc::<str>::from(part), Arc::new(head));
    let holder = match route.permit {
        Permit::Open => None,
        Permit::To(_) => Some(look_up(&api, &route, &head, &part, peer).await?),
    };
    let class = holder.as_ref().map_or(route.class, |holder| Class::of(holder.role));
    let (body, room) = read(&api, &route, class, &head.headers, body).await?;
    let place = api.shares.place(class)?;
    let handled = tokio::task::spawn_blocking(move || {
        // Also where nobody waits for the answer any more, it takes its place until it is done.
        let _held = (place, room);
        let asked: (&Uri, &HeaderMap) = (&head.uri, &head.headers);
        let now = api.clock.now();
        let call = Call::new(&api, &route, holder.as_ref(), asked, (&part, &body), now);
        let reply = route.answer(&call.over(closing.as_ref()))?;
        if route.method != Method::GET {
            api.bell.ring();
        }
        Ok(reply)
    });
    handled.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a request was not answered");
        Err(Problem::broken())
    })
}

/// Who asks, if they may.
async fn look_up(
    api: &Shared,
    route: &Arc<Route>,
    head: &Arc<Parts>,
    part: &Arc<str>,
    peer: Option<Peer>,
) -> Result<Holder, Problem> {
    let place = api.lookups.clone().acquire_owned().await;
    let (api, route, head, part) = (api.clone(), route.clone(), head.clone(), part.clone());
    let found = tokio::task::spawn_blocking(move || {
        let _held = place;
        let authorization = header_text(&head.headers, &header::AUTHORIZATION);
        let now = api.door_clock.now();
        let find = |digest: &str| Key::find(&mut *api.till_unless_away()?, digest, now);
        let origin = peer.as_ref().map(|peer| peer.origin);
        let holder = api.door.let_in(authorization, origin, now, find)?;
        if let Some(peer) = peer {
            peer.prove();
        }
        permit(&api, &route, &holder, &part)?;
        Ok(holder)
    });
    found.await.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a token was not looked up");
        Err(Problem::broken())
    })
}

/// Whether the holder's role may take the route, and a shopper with what the path names. Here and nowhere else.
fn permit(api: &Api, route: &Route, holder: &Holder, part: &str) -> Result<(), Problem> {
    if !route.admits(holder.role) {
        return Err(Problem::new(Sort::Forbidden, format!("{} is not for the role {}", route.action, holder.role)));
    }
    if holder.role != Role::Shopper {
        return Ok(());
    }
    if let Some(stay) = &holder.stay {
        let is_enough = match route.pass {
            Pass::Nobody => false,
            Pass::Payer => stay.sort == PassSort::Link,
            Pass::Everybody => true,
        };
        if !is_enough {
            let detail = format!("{} is not for a pass that is a {}", route.action, stay.sort);
            return Err(Problem::new(Sort::Forbidden, detail));
        }
    }
    let is_own = match route.part_name() {
        // It tells of the holder and of nobody else.
        None => true,
        Some("shopper") => part.parse().ok().is_some_and(|shopper| holder.shopper == Some(shopper)),
        Some("cart") => match part.parse() {
            Ok(cart) => api.till().with(|session| is_own_cart(session, holder, cart))?,
            Err(_) => false,
        },
        Some(_) => false,
    };
    match is_own {
        true => Ok(()),
        // Whether somebody else has such a thing is none of their business.
        false => Err(Problem::new(Sort::Missing, format!("nothing of yours is called `{part}`"))),
    }
}

/// Whether a cart is a shopper's own, or of somebody whom they let in and pay for; with a pass, whether it is of that stay.
fn is_own_cart(session: &mut dyn Session, holder: &Holder, cart: CartId) -> Result<bool, Failure> {
    let host = companions::host_of(session, cart)?;
    if let Some(stay) = &holder.stay {
        return Ok(host.unwrap_or(cart) == stay.cart);
    }
    let Some(own) = holder.shopper else { return Ok(false) };
    for cart in std::iter::once(cart).chain(host) {
        if carts::get(session, cart)?.is_some_and(|cart| cart.shopper == Some(own)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn part(route: &Route, request: &mut Request) -> Result<String, Problem> {
    if route.part_name().is_none() {
        return Ok(String::new());
    }
    let parts = request.extract_parts::<RawPathParams>().await;
    let parts = parts.map_err(|error| Problem::new(Sort::Malformed, error.body_text()))?;
    Ok(parts.iter().next().map(|(_, part)| part.to_owned()).unwrap_or_default())
}

/// The body, if it is of the right sort and not too large, and the room that it takes.
async fn read(
    api: &Api,
    route: &Route,
    class: Class,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Vec<u8>, Option<shares::Part>), Problem> {
    if let Some(wanted) = route.media_type {
        let given = header_text(headers, &header::CONTENT_TYPE).unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(wanted) {
            return Err(Problem::new(Sort::MediaType, format!("write `Content-Type: {wanted}`")));
        }
    }
    let length = header_text(headers, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| route.body_bytes_max < length) {
        return Err(too_large(route));
    }
    let late = |_| Problem::new(Sort::Slow, "the body did not arrive in time");
    tokio::time::timeout(duration(REQUEST_BODY_SPAN_MAX), collect(api, route, class, body)).await.map_err(late)?
}

async fn collect(
    api: &Api,
    route: &Route,
    class: Class,
    mut body: Body,
) -> Result<(Vec<u8>, Option<shares::Part>), Problem> {
    let (mut whole, mut room) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let broken = |_| Problem::new(Sort::Malformed, "the body did not arrive as a whole, or is no body in chunks");
        // What stands behind a body in chunks is nobody's here.
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if route.body_bytes_max < whole.len() + data.len() {
            return Err(too_large(route));
        }
        api.shares.room(class, data.len(), &mut room)?;
        whole.extend_from_slice(&data);
    }
    Ok((whole, room))
}

fn too_large(route: &Route) -> Problem {
    Problem::new(Sort::TooLarge, format!("a body of this has at most {} bytes", route.body_bytes_max))
}

/// A new name for a request.
fn name(api: &Api) -> String {
    let dice = random().unwrap_or_default();
    let millis = u64::try_from(api.door_clock.now().as_nanos() / 1_000_000).unwrap_or(0);
    format!("urn:uuid:{}", uuid::Builder::from_unix_timestamp_millis(millis, &dice).into_uuid() as Uuid)
}

pub(super) fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.as_nanos()).unwrap_or(0))
}
