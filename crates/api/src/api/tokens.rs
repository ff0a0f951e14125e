//! Keys to the API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Grant, HOLDER_CHARS_MAX, Role, create_token, revoke_token};
use super::checks::NAME;
use super::page::{AfterRow, Page, PageQuery, row};
use super::problem::Problem;
use super::reply::{Created, Done, Json, Nothing, Whole};
use super::route::Call;
use crate::base::{ShopTime, ShopperId, TokenId};
use crate::db::access::{self, Token};

/// A token to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {
        "required": ["shopper"],
        "properties": { "role": { "const": "shopper" }, "shopper": { "type": "string" }, "holder": { "type": "null" } },
    },
    {
        "required": ["holder"],
        "properties": {
            "role": { "enum": ["operator", "reviewer", "gate", "screen", "staff", "restock"] },
            "holder": { "type": "string" },
            "shopper": { "type": "null" },
        },
    },
]))]
pub(super) struct TokenBody {
    /// What its holder may do.
    role: Role,
    /// Who holds it, 1 to 100 letters; for a shopper's token, nothing.
    #[serde(default)]
    #[schemars(length(min = 1, max = HOLDER_CHARS_MAX), regex(pattern = NAME))]
    holder: Option<String>,
    /// Whom it speaks for; for the role `shopper`, and only for it.
    #[serde(default)]
    shopper: Option<ShopperId>,
    /// Days that it is valid, 1 to 3,650; none for ever.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = 3_650))]
    days: Option<Whole<u32>>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(super) struct TokenView {
    /// Its name.
    token: TokenId,
    /// What its holder may do.
    role: String,
    /// Who holds it.
    holder: String,
    /// Whom it speaks for.
    shopper: Option<ShopperId>,
    /// Since when.
    created_at: ShopTime,
    /// Until when.
    expires_at: Option<ShopTime>,
    /// When it was taken back.
    revoked_at: Option<ShopTime>,
}

/// A token that was just made.
#[derive(Serialize, JsonSchema)]
pub(super) struct NewToken {
    /// The token.
    #[serde(flatten)]
    token: TokenView,
    /// What goes behind `Authorization: Bearer`. It is said here once.
    secret: String,
}

fn view(token: Token) -> TokenView {
    TokenView {
        token: token.id,
        role: token.role,
        holder: token.holder,
        shopper: token.shopper,
        created_at: token.created_at,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}

/// `GET /v1/tokens`
pub(super) fn list(
    call: &Call<'_>,
    _: Nothing,
    query: PageQuery<AfterRow>,
    _: Nothing,
) -> Result<Json<Page<TokenView>>, Problem> {
    let (rows, (at, name)) = (query.rows()?, query.row(ShopTime::MIN));
    let found = call.read(|till| till.with(|session| access::tokens(session, (at, &name), rows)))?;
    Page::of(&query, found, |token| row(token.created_at, &token.id), view).map(Json)
}

/// `POST /v1/tokens`
pub(super) fn create(
    call: &Call<'_>,
    _: Nothing,
    _: Nothing,
    Json(body): Json<TokenBody>,
) -> Result<Created<NewToken>, Problem> {
    let days = body.days.map(|Whole(days)| days);
    let grant = Grant { role: body.role, holder: body.holder, shopper: body.shopper, days };
    let (token, secret) = call.read(|till| create_token(till, &grant, call.who(), call.now))?;
    Ok(Created(NewToken { token: view(token), secret: secret.reveal().clone() }))
}

/// `DELETE /v1/tokens/{token}`
pub(super) fn revoke(call: &Call<'_>, id: TokenId, _: Nothing, _: Nothing) -> Result<Done, Problem> {
    call.read(|till| revoke_token(till, id, call.who(), call.now)).map(|()| Done)
}
