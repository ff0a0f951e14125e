//! One route: who may take it, what it reads, what it does, and what it answers. The router, the role table and the
//! API's description are all made of these, so they cannot disagree.

use std::str::FromStr;

use axum::extract::Query;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::Api;
use super::access::{Holder, Role, deed};
use super::closing::Closing;
use super::problem::{Problem, Sort};
use super::reply::{Input, Output, Reply};
use super::shares::Class;
use crate::base::limits::{NOTICE_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX};
use crate::base::{Result as Outcome, ShopTime};
use crate::till::Till;

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// Everybody, without a token.
    Open,
    /// These roles. A shopper only where the path names themselves or a cart of theirs.
    To(&'static [Role]),
}

/// Who may take a route that is for shoppers with a pass to one stay, as far as it names that stay or whoever pays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nobody: it needs a token.
    Nobody,
    /// Whoever pays, who has the link.
    Payer,
    /// Everybody who came in together, also by code.
    Everybody,
}

/// A request that was let in.
pub(super) struct Call<'a> {
    pub(super) api: &'a Api,
    /// What the audit log calls what is done.
    action: &'static str,
    /// None on open routes.
    pub(super) holder: Option<&'a Holder>,
    pub(super) now: ShopTime,
    pub(super) headers: &'a HeaderMap,
    /// Tells when the server ends; none where the request came over no connection.
    pub(super) closing: Option<&'a Closing>,
    class: Class,
    uri: &'a Uri,
    part: &'a str,
    body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(super) fn new(
        api: &'a Api,
        route: &Route,
        holder: Option<&'a Holder>,
        (uri, headers): (&'a Uri, &'a HeaderMap),
        (part, body): (&'a str, &'a [u8]),
        now: ShopTime,
    ) -> Self {
        let class = holder.map_or(route.class, |holder| Class::of(holder.role));
        Call { api, action: route.action, holder, now, headers, closing: None, class, uri, part, body }
    }

    /// The same, over a connection that tells when it ends.
    pub(super) fn over(self, closing: Option<&'a Closing>) -> Self {
        Call { closing, ..self }
    }

    /// Whose share it takes.
    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// Reads the book.
    pub(super) fn read<T>(&self, work: impl FnOnce(&mut Till) -> Outcome<T>) -> Result<T, Problem> {
        Ok(work(&mut self.api.till())?)
    }

    /// Changes the book, or reads what is personal: the audit log says who did it to `subject`, in the same transaction.
    pub(super) fn record<T>(
        &self,
        subject: &dyn std::fmt::Display,
        detail: &str,
        work: impl FnOnce(&mut Till) -> Outcome<T>,
    ) -> Result<T, Problem> {
        let deed = deed(self.who(), self.action, subject, detail, self.now);
        Ok(self.api.till().by(deed, work)?)
    }

    /// Name and role, as the audit log writes them.
    pub(super) fn who(&self) -> (&str, &str) {
        self.holder.map_or(("aisle", "aisle"), |holder| (&holder.name, holder.role.as_str()))
    }

    /// Whether the holder has this role.
    pub(super) fn is(&self, role: Role) -> bool {
        self.holder.is_some_and(|holder| holder.role == role)
    }
}

type Handle = Box<dyn Fn(&Call<'_>) -> Result<Reply, Problem> + Send + Sync>;

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What the audit log and the description call it, such as `case.verdict`.
    pub(super) action: &'static str,
    pub(super) summary: &'static str,
    pub(super) permit: Permit,
    /// Whether a pass is enough.
    pub(super) pass: Pass,
    /// Headers that it reads besides those that all read: name, whether it must be there, what it says.
    pub(super) headers: &'static [(&'static str, bool, &'static str)],
    pub(super) media_type: Option<&'static str>,
    pub(super) body_bytes_max: usize,
    /// Whose share it takes where no token says whose.
    pub(super) class: Class,
    pub(super) describe: fn(&mut SchemaGenerator) -> Description,
    handle: Handle,
}

/// What the API's description says of a route.
pub(super) struct Description {
    pub(super) part: Schema,
    pub(super) query: Schema,
    pub(super) body: Option<Schema>,
    pub(super) status: StatusCode,
    pub(super) or_else: Option<(StatusCode, &'static str)>,
    pub(super) content: Vec<(&'static str, Schema)>,
}

impl Route {
    /// A route that reads a part of the path (the one in braces), a query and a body.
    pub(super) fn new<P, Q, B, A>(
        (method, path): (Method, &'static str),
        permit: Permit,
        (action, summary): (&'static str, &'static str),
        handle: fn(&Call<'_>, P, Q, B) -> Result<A, Problem>,
    ) -> Self
    where
        P: FromStr<Err = String> + JsonSchema + 'static,
        Q: DeserializeOwned + JsonSchema + 'static,
        B: Input + 'static,
        A: Output + 'static,
    {
        let answer = move |call: &Call<'_>| {
            let part: P = call.part.parse().map_err(|message: String| Problem::new(Sort::Malformed, message))?;
            let query = Query::<Q>::try_from_uri(call.uri);
            let query = query.map_err(|error| Problem::new(Sort::Malformed, error.body_text()))?;
            handle(call, part, query.0, B::read(call.body)?)?.reply()
        };
        Route {
            method,
            path,
            action,
            summary,
            permit,
            pass: Pass::Nobody,
            headers: &[],
            media_type: B::MEDIA_TYPE,
            body_bytes_max: REQUEST_BODY_BYTES_MAX,
            class: Class::Open,
            describe: |generator| Description {
                part: generator.subschema_for::<P>(),
                query: Q::json_schema(generator),
                body: B::schema(generator),
                status: A::STATUS,
                or_else: A::OR_ELSE,
                content: A::content(generator),
            },
            handle: Box::new(answer),
        }
    }

    /// Reads these headers besides.
    pub(super) fn with_headers(self, headers: &'static [(&'static str, bool, &'static str)]) -> Self {
        Route { headers, ..self }
    }

    /// Can be taken with a pass as well.
    pub(super) fn with_pass(self, pass: Pass) -> Self {
        Route { pass, ..self }
    }

    /// Takes a payment provider's message.
    pub(super) fn for_notices(self) -> Self {
        Route { body_bytes_max: NOTICE_BODY_BYTES_MAX, class: Class::Notices, ..self }
    }

    /// Gives a part of a page, of which a browser asks for many at once.
    pub(super) fn for_pages(self) -> Self {
        Route { class: Class::Pages, ..self }
    }

    /// Says how the shop is, however much else there is to do.
    pub(super) fn for_health(self) -> Self {
        Route { class: Class::Health, ..self }
    }

    /// Whether this role may take it.
    pub(super) fn admits(&self, role: Role) -> bool {
        match self.permit {
            Permit::Open => true,
            Permit::To(roles) => roles.contains(&role),
        }
    }

    /// The name in braces of its path, if it has one.
    pub(super) fn part_name(&self) -> Option<&'static str> {
        Some(self.path.split_once('{')?.1.split_once('}')?.0)
    }

    pub(super) fn answer(&self, call: &Call<'_>) -> Result<Reply, Problem> {
        (self.handle)(call)
    }
}
