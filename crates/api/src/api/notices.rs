//! Messages of payment providers. They decide nothing: what they are about is asked for again.

use std::str::FromStr;

use schemars::JsonSchema;

use super::problem::{Problem, Sort};
use super::reply::{Done, Nothing, Raw};
use super::route::Call;
use crate::base::Kind;

/// The name of a payment provider's configuration.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct ProviderName(String);

impl FromStr for ProviderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(ProviderName(text.to_owned()))
    }
}

/// `POST /v1/webhooks/{provider}`
pub(super) fn take(call: &Call<'_>, name: ProviderName, _: Nothing, Raw(body): Raw) -> Result<Done, Problem> {
    let Some(provider) = call.api.providers.get(&name.0) else {
        return Err(Problem::new(Sort::Missing, "no payment provider is set up under this name"));
    };
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers: Vec<(String, String)> =
        call.headers.iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect();
    let notice = provider.read_notice(&headers, &body, call.now).map_err(|error| {
        tracing::warn!(provider = provider.name(), %error, "a notice was refused");
        let sort = if error.kind() == Kind::Unavailable { Sort::Unavailable } else { Sort::Malformed };
        Problem::new(sort, "the notice is not signed as it should be, too old, or not to be understood").of_notice()
    })?;
    let new = call.read(|till| till.noticed(&notice, call.now)).map_err(Problem::of_notice)?;
    tracing::info!(provider = provider.name(), notice = notice.id, kind = notice.kind, new, "a notice was taken in");
    Ok(Done)
}
