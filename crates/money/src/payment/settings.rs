//! Settings of a provider: checked without secrets, opened with them.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::http::is_loopback;
use super::{
    PlatformPublicKey, STRIPE_BASE_URL, Sandbox, Stripe, StripeSettings, WECHAT_BASE_URL, WechatPay, WechatSettings,
};
use crate::base::{Error, Result, Secret, SecretPlace, Span, secret};
use crate::ports::{Clock, PaymentProvider};
use crate::shop::Problem;

/// The names that a risk fund can have; with the first nothing is set aside and the shopper pays afterwards.
const RISK_FUNDS: [&str; 4] = ["ESTIMATE_ORDER_COST", "DEPOSIT", "ADVANCE", "CASH_DEPOSIT"];
/// What the shopper is shown of the service where nobody says otherwise.
const INTRODUCTION: &str = "无人便利店购物";
/// Letters that WeChat Pay takes of an introduction.
const INTRODUCTION_LETTERS_MAX: usize = 20;
/// The longest hold that can be asked for, seconds: a year.
const HOLD_SECS_MAX: f64 = 366.0 * 86_400.0;

/// The table `[payment]` as somebody wrote it. Names are those of the keys; `docs/reference/payment.md` says what they
/// mean. Secrets are never in it: only where they are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in one table, in docs/reference/payment.md")]
pub struct Draft {
    pub provider: Option<String>,
    pub journal: Option<PathBuf>,
    pub hold_secs: Option<f64>,
    pub base_url: Option<String>,
    pub secret_key_env: Option<String>,
    pub secret_key_file: Option<PathBuf>,
    pub webhook_secret_env: Option<String>,
    pub webhook_secret_file: Option<PathBuf>,
    pub merchant_id: Option<String>,
    pub app_id: Option<String>,
    pub service_id: Option<String>,
    pub merchant_serial: Option<String>,
    pub merchant_key_env: Option<String>,
    pub merchant_key_file: Option<PathBuf>,
    pub api_v3_key_env: Option<String>,
    pub api_v3_key_file: Option<PathBuf>,
    pub public_key_id: Option<String>,
    pub public_key_file: Option<PathBuf>,
    pub risk_fund: Option<String>,
    pub introduction: Option<String>,
    pub notify_url: Option<String>,
    pub confirmed_by_shopper: Option<bool>,
    pub device_id: Option<String>,
}

aisle_contract::named_enum! {
    /// The providers, by the words that a shop's file uses: one for each of [`Settings`].
    pub enum ProviderKind as "provider" {
        /// The invented provider, which moves no money.
        Sandbox = "sandbox",
        /// Stripe.
        Stripe = "stripe",
        /// WeChat Pay.
        Wechat = "wechat",
    }
}

/// A provider's settings, checked; the secrets are still where they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Settings {
    /// The invented provider.
    Sandbox {
        /// Its journal; without one it forgets with the process.
        journal: Option<PathBuf>,
        /// How long its holds last; without it seven days.
        hold: Option<Span>,
    },
    /// Stripe.
    Stripe {
        /// Where the secret API key is.
        secret_key: SecretPlace,
        /// Where the signing secret of the webhook endpoint is.
        webhook_secret: SecretPlace,
        /// The server.
        base_url: String,
    },
    /// WeChat Pay.
    Wechat(Box<WechatPlaces>),
}

/// What [`WechatSettings`] is made of.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as in `WechatSettings`")]
pub struct WechatPlaces {
    pub merchant_id: String,
    pub app_id: String,
    pub service_id: String,
    pub merchant_serial: String,
    pub merchant_key: SecretPlace,
    pub api_v3_key: SecretPlace,
    /// Id and file of the public key.
    pub public_key: Option<(String, PathBuf)>,
    pub risk_fund: String,
    pub introduction: String,
    pub notify_url: String,
    pub confirmed_by_shopper: bool,
    pub device_id: Option<String>,
    pub base_url: String,
}

/// A provider that is ready, under its own name.
#[derive(Clone)]
pub enum Opened {
    /// Its notices wait to be taken.
    Sandbox(Arc<Sandbox>),
    /// Cards can be enrolled with it.
    Stripe(Arc<Stripe>),
    /// Shoppers may have to confirm.
    Wechat(Arc<WechatPay>),
}

/// A provider that is ready.
///
/// # Errors
/// When secrets cannot be read or are none (all of them are named), or the sandbox's journal cannot be opened.
pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn PaymentProvider>> {
    Ok(settings.open(clock)?.provider())
}

impl Opened {
    /// As everybody else sees it.
    pub fn provider(&self) -> Arc<dyn PaymentProvider> {
        match self {
            Opened::Sandbox(sandbox) => sandbox.clone(),
            Opened::Stripe(stripe) => stripe.clone(),
            Opened::Wechat(wechat) => wechat.clone(),
        }
    }
}

impl Settings {
    /// Checks a draft. Without a provider it is the sandbox, which moves no money.
    ///
    /// # Errors
    /// Every problem found.
    pub fn check(draft: Draft) -> Result<Settings, Vec<Problem>> {
        let mut check = Check::default();
        let mut draft = draft;
        let provider = match draft.provider.take().map_or(Ok(ProviderKind::Sandbox), |name| name.parse()) {
            Ok(provider) => provider,
            Err(why) => {
                check.say(format!("`provider`: {why}"));
                return Err(check.problems);
            }
        };
        let settings = match provider {
            ProviderKind::Sandbox => check.sandbox(&mut draft),
            ProviderKind::Stripe => check.stripe(&mut draft),
            ProviderKind::Wechat => check.wechat(&mut draft),
        };
        for name in draft.left() {
            check.say(format!("`{name}` means nothing to the provider `{provider}`: take it out"));
        }
        settings.filter(|_| check.problems.is_empty()).ok_or(check.problems)
    }

    /// Reads the secrets and makes the provider.
    ///
    /// # Errors
    /// When secrets cannot be read or are none (all of them are named), or the sandbox's journal cannot be opened.
    pub fn open(&self, clock: Arc<dyn Clock>) -> Result<Opened> {
        match self {
            Settings::Sandbox { journal, hold } => {
                let sandbox = match journal {
                    Some(journal) => Sandbox::open(journal, clock)?,
                    None => Sandbox::new(clock),
                };
                let sandbox = match hold {
                    Some(hold) => sandbox.with_hold_span(*hold),
                    None => sandbox,
                };
                Ok(Opened::Sandbox(Arc::new(sandbox)))
            }
            Settings::Stripe { secret_key, webhook_secret, base_url } => {
                let [secret_key, webhook_secret] = all([
                    secret_key.read(
                        "secret_key",
                        |key| key.starts_with("sk_") || key.starts_with("rk_"),
                        "sk_… or rk_…",
                    ),
                    webhook_secret.read("webhook_secret", |key| key.starts_with("whsec_"), "whsec_…"),
                ])?;
                let settings = StripeSettings { secret_key, webhook_secret, base_url: base_url.clone() };
                Ok(Opened::Stripe(Arc::new(Stripe::new(settings, clock))))
            }
            Settings::Wechat(places) => Ok(Opened::Wechat(Arc::new(WechatPay::new(places.read()?, clock)?))),
        }
    }
}

impl WechatPlaces {
    fn read(&self) -> Result<WechatSettings> {
        let [merchant_key, api_v3_key] = all([
            self.merchant_key.read("merchant_key", |key| key.contains("PRIVATE KEY"), "a private key as PEM"),
            self.api_v3_key.read("api_v3_key", |key| key.len() == 32, "32 letters and digits"),
        ])?;
        let public = |(id, path): &(String, PathBuf)| -> Result<PlatformPublicKey> {
            Ok(PlatformPublicKey { id: id.clone(), pem: secret::read_file(path)? })
        };
        Ok(WechatSettings {
            merchant_id: self.merchant_id.clone(),
            app_id: self.app_id.clone(),
            service_id: self.service_id.clone(),
            merchant_serial: self.merchant_serial.clone(),
            merchant_key,
            api_v3_key,
            platform_public_key: self.public_key.as_ref().map(public).transpose()?,
            risk_fund: self.risk_fund.clone(),
            introduction: self.introduction.clone(),
            notify_url: self.notify_url.clone(),
            confirmed_by_shopper: self.confirmed_by_shopper,
            device_id: self.device_id.clone(),
            base_url: self.base_url.clone(),
        })
    }
}

/// All secrets, or all that is wrong with them.
fn all<const N: usize>(read: [Result<Secret<String>, String>; N]) -> Result<[Secret<String>; N]> {
    let problems: Vec<&str> = read.iter().filter_map(|one| one.as_ref().err().map(String::as_str)).collect();
    if !problems.is_empty() {
        return Err(Error::usage(problems.join("; ")).hint("docs/reference/payment.md says how a provider is set up"));
    }
    Ok(read.map(Result::unwrap_or_default))
}

/// What is found while a draft is checked. Keys that were used are taken out of it.
#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn say(&mut self, message: String) {
        self.problems.push(Problem { item: "payment".to_owned(), line: None, message });
    }

    fn sandbox(&mut self, draft: &mut Draft) -> Option<Settings> {
        let hold = draft.hold_secs.take();
        if hold.is_some_and(|secs| !(0.0 < secs && secs <= HOLD_SECS_MAX)) {
            self.say(format!("`hold_secs` lies between 0 and {HOLD_SECS_MAX}"));
        }
        Some(Settings::Sandbox { journal: draft.journal.take(), hold: hold.map(Span::from_secs) })
    }

    fn stripe(&mut self, draft: &mut Draft) -> Option<Settings> {
        let secret_key = self.place("secret_key", draft.secret_key_env.take(), draft.secret_key_file.take());
        let secret = self.place("webhook_secret", draft.webhook_secret_env.take(), draft.webhook_secret_file.take());
        let base_url = self.base_url(draft, STRIPE_BASE_URL);
        Some(Settings::Stripe { secret_key: secret_key?, webhook_secret: secret?, base_url })
    }

    fn wechat(&mut self, draft: &mut Draft) -> Option<Settings> {
        let merchant_id = self.name("merchant_id", draft.merchant_id.take());
        let app_id = self.name("app_id", draft.app_id.take());
        let service_id = self.name("service_id", draft.service_id.take());
        let merchant_serial = self.name("merchant_serial", draft.merchant_serial.take());
        let merchant_key = self.place("merchant_key", draft.merchant_key_env.take(), draft.merchant_key_file.take());
        let api_v3_key = self.place("api_v3_key", draft.api_v3_key_env.take(), draft.api_v3_key_file.take());
        let public_key = match (draft.public_key_id.take(), draft.public_key_file.take()) {
            (Some(id), Some(file)) if id.starts_with("PUB_KEY_ID_") => Some((id, file)),
            (None, None) => None,
            _ => {
                self.say(
                    "`public_key_id`, PUB_KEY_ID_…, and `public_key_file` stand together or not at all".to_owned(),
                );
                None
            }
        };
        let risk_fund = draft.risk_fund.take().unwrap_or_else(|| RISK_FUNDS[0].to_owned());
        if !RISK_FUNDS.contains(&risk_fund.as_str()) {
            self.say(format!("`risk_fund` is one of {}", RISK_FUNDS.join(", ")));
        }
        let introduction = draft.introduction.take().unwrap_or_else(|| INTRODUCTION.to_owned());
        if !(1..=INTRODUCTION_LETTERS_MAX).contains(&introduction.chars().count()) {
            self.say(format!("`introduction` has 1 to {INTRODUCTION_LETTERS_MAX} letters"));
        }
        let notify_url = draft.notify_url.take().unwrap_or_default();
        if !notify_url.starts_with("https://") || notify_url.contains('?') || 255 < notify_url.len() {
            self.say("`notify_url` is needed: https://… without a query, up to 255 letters".to_owned());
        }
        let base_url = self.base_url(draft, WECHAT_BASE_URL);
        Some(Settings::Wechat(Box::new(WechatPlaces {
            merchant_id: merchant_id?,
            app_id: app_id?,
            service_id: service_id?,
            merchant_serial: merchant_serial?,
            merchant_key: merchant_key?,
            api_v3_key: api_v3_key?,
            public_key,
            risk_fund,
            introduction,
            notify_url,
            confirmed_by_shopper: draft.confirmed_by_shopper.take().unwrap_or(true),
            device_id: draft.device_id.take(),
            base_url,
        })))
    }

    /// A name that the provider gave.
    fn name(&mut self, key: &str, value: Option<String>) -> Option<String> {
        let fits =
            |name: &String| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let name = value.filter(fits);
        if name.is_none() {
            self.say(format!("`{key}` is needed: letters and digits, as the provider shows it"));
        }
        name
    }

    fn place(&mut self, key: &str, variable: Option<String>, file: Option<PathBuf>) -> Option<SecretPlace> {
        match (variable, file) {
            (Some(variable), None) if is_variable(&variable) => Some(SecretPlace::Variable(variable)),
            (Some(_), None) => {
                self.say(format!("`{key}_env` is the NAME of an environment variable, not the secret itself"));
                None
            }
            (None, Some(file)) => Some(SecretPlace::File(file)),
            (None, None) => {
                self.say(format!(
                    "the secret is needed: say where it is, `{key}_env = \"NAME\"` or `{key}_file = \"PATH\"`"
                ));
                None
            }
            (Some(_), Some(_)) => {
                self.say(format!("`{key}_env` and `{key}_file` exclude each other"));
                None
            }
        }
    }

    fn base_url(&mut self, draft: &mut Draft, default: &str) -> String {
        let url = draft.base_url.take().unwrap_or_else(|| default.to_owned());
        if !url.starts_with("https://") && !is_loopback(&url) {
            self.say("`base_url` begins with https://, or http:// on this machine".to_owned());
        }
        url
    }
}

impl Draft {
    /// The keys that are set.
    fn left(&self) -> Vec<&'static str> {
        let keys = [
            ("journal", self.journal.is_some()),
            ("hold_secs", self.hold_secs.is_some()),
            ("base_url", self.base_url.is_some()),
            ("secret_key_env", self.secret_key_env.is_some()),
            ("secret_key_file", self.secret_key_file.is_some()),
            ("webhook_secret_env", self.webhook_secret_env.is_some()),
            ("webhook_secret_file", self.webhook_secret_file.is_some()),
            ("merchant_id", self.merchant_id.is_some()),
            ("app_id", self.app_id.is_some()),
            ("service_id", self.service_id.is_some()),
            ("merchant_serial", self.merchant_serial.is_some()),
            ("merchant_key_env", self.merchant_key_env.is_some()),
            ("merchant_key_file", self.merchant_key_file.is_some()),
            ("api_v3_key_env", self.api_v3_key_env.is_some()),
            ("api_v3_key_file", self.api_v3_key_file.is_some()),
            ("public_key_id", self.public_key_id.is_some()),
            ("public_key_file", self.public_key_file.is_some()),
            ("risk_fund", self.risk_fund.is_some()),
            ("introduction", self.introduction.is_some()),
            ("notify_url", self.notify_url.is_some()),
            ("confirmed_by_shopper", self.confirmed_by_shopper.is_some()),
            ("device_id", self.device_id.is_some()),
        ];
        keys.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }
}

/// Whether a text can be the name of an environment variable, in the customary way; secrets mostly cannot.
fn is_variable(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain) && !text.as_bytes()[0].is_ascii_digit()
}
