//! WeChat Pay's pay-score over APIv3: a service order is opened at the entry and completed at the exit.
//! It takes orders and signed, sealed notices, and gives answers that say what WeChat Pay's objects say. It believes no
//! answer that is not signed, cannot charge without an open service order, and tries nothing twice by itself.

mod client;
mod goods;
mod keys;
mod notice;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::Method;

use self::client::Client;
use self::object::{Failure, Refund, ServiceOrder};
use super::Unpayable;
use super::http::{Reply, unsure};
use crate::base::{Error, Money, Result, Secret, ShopTime};
use crate::facts::{Answer, Notice, Order, Settled, Task};
use crate::ports::{Clock, PaymentProvider};

/// Where WeChat Pay is.
pub const WECHAT_BASE_URL: &str = "https://api.mch.weixin.qq.com";
/// Service orders, refunds.
const ORDERS_PATH: &str = "/v3/payscore/serviceorder";
const REFUNDS_PATH: &str = "/v3/refund/domestic/refunds";
/// Why a service order is cancelled, as the shopper is shown: no payment was needed.
const CANCEL_REASON: &str = "无需支付";

/// What WeChat Pay needs to know of a merchant.
#[derive(Clone, Debug)]
pub struct WechatSettings {
    /// The merchant's number.
    pub merchant_id: String,
    /// The app or mini program that the service belongs to.
    pub app_id: String,
    /// The pay-score service.
    pub service_id: String,
    /// Serial number of the merchant's certificate, capital hexadecimal digits.
    pub merchant_serial: String,
    /// The merchant's private key, PKCS #8 in PEM.
    pub merchant_key: Secret<String>,
    /// The APIv3 key: 32 letters and digits.
    pub api_v3_key: Secret<String>,
    /// WeChat Pay's public key; without it its certificates are downloaded.
    pub platform_public_key: Option<PlatformPublicKey>,
    /// How the shopper's obligation is called: `ESTIMATE_ORDER_COST`, `DEPOSIT`, `ADVANCE` or `CASH_DEPOSIT`.
    pub risk_fund: String,
    /// What the shopper is shown of the service, at most 20 letters.
    pub introduction: String,
    /// Where WeChat Pay sends notices, HTTPS.
    pub notify_url: String,
    /// Whether the shopper confirms each service order; going without needs a permission of WeChat Pay's.
    pub confirmed_by_shopper: bool,
    /// The device at the entry, where the service wants one.
    pub device_id: Option<String>,
    /// [`WECHAT_BASE_URL`], its standby, or another server that speaks the same.
    pub base_url: String,
}

/// A public key that WeChat Pay gave the merchant.
#[derive(Clone, Debug)]
pub struct PlatformPublicKey {
    /// Its id, `PUB_KEY_ID_…`.
    pub id: String,
    /// The key in PEM.
    pub pem: String,
}

/// WeChat Pay, for one merchant and service.
pub struct WechatPay {
    client: Client,
    settings: WechatSettings,
}

impl WechatPay {
    /// The provider; nothing is sent yet.
    ///
    /// # Errors
    /// When a key is none.
    pub fn new(settings: WechatSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(WechatPay { client: Client::new(&settings, clock)?, settings })
    }

    /// What opens the page on which the shopper confirms the service order of a hold that is pending. Good for one time;
    /// asking again gives another one.
    ///
    /// # Errors
    /// When WeChat Pay cannot be reached or refuses, or there is nothing to confirm.
    pub fn confirmation(&self, hold: &Order) -> Result<Secret<String>> {
        let refused = |answer| Error::unavailable(format!("no confirmation: {answer:?}"));
        let body = self.creation(hold).map_err(Error::input)?;
        let created: ServiceOrder = self.post(ORDERS_PATH, &body, hold).map_err(refused)?;
        created.package.map(Secret::new).ok_or_else(|| Error::input("this service order needs no confirmation"))
    }

    /// The body that opens a service order. The same order gives the same body, so that it can be sent again.
    fn creation(&self, order: &Order) -> Result<Value, String> {
        let settings = &self.settings;
        let mut body = json!({
            "out_order_no": order.id.hex(),
            "appid": settings.app_id,
            "service_id": settings.service_id,
            "service_introduction": goods::text(&settings.introduction, 20),
            "time_range": { "start_time": goods::beijing(order.made_at)? },
            "risk_fund": { "name": settings.risk_fund, "amount": goods::fen(order.amount)? },
            "notify_url": settings.notify_url,
            "need_user_confirm": settings.confirmed_by_shopper,
        });
        if !settings.confirmed_by_shopper {
            body["openid"] = json!(order.method.customer);
        }
        if let Some(device) = &settings.device_id {
            body["device"] = json!({ "start_device_id": device });
        }
        Ok(body)
    }

    fn authorise(&self, order: &Order) -> Answer {
        match self.creation(order) {
            Ok(body) => {
                self.post(ORDERS_PATH, &body, order).map_or_else(|answer| answer, |created| self.judge(&created, order))
            }
            Err(message) => Answer::Faulty { message },
        }
    }

    fn capture(&self, order: &Order, hold: &Settled) -> Answer {
        let body = goods::charged(order).and_then(|mut body| {
            goods::fen(order.amount)?;
            body["time_range"] = json!({ "end_time": goods::beijing(order.made_at)? });
            Ok(self.addressed(body))
        });
        match body {
            Ok(body) => self.change(order, hold, "complete", &body),
            Err(message) => Answer::Faulty { message },
        }
    }

    fn void(&self, order: &Order, hold: &Settled) -> Answer {
        self.change(order, hold, "cancel", &self.addressed(json!({ "reason": CANCEL_REASON })))
    }

    /// Completes or cancels a service order. Where it is in no state for that, what is true is looked up.
    fn change(&self, order: &Order, hold: &Settled, verb: &str, body: &Value) -> Answer {
        let reply = match self.send(Method::POST, &format!("{ORDERS_PATH}/{}/{verb}", hold.order.hex()), Some(body)) {
            Ok(reply) => reply,
            Err(answer) => return answer,
        };
        let failure = Failure::of(&reply);
        match (&order.task, reply.status) {
            (Task::Void { .. }, 200 | 204) => Answer::Done { reference: hold.order.hex(), amount: order.amount },
            (_, 200) => read(&reply).map_or_else(|answer| answer, |changed: ServiceOrder| self.judge(&changed, order)),
            _ if failure.may_be_state() => match self.service_order(&hold.order.hex(), order) {
                // It is in a state for it, so the call itself is wrong.
                Ok(found) if found.is_open() => failure.answer(order),
                Ok(found) => self.judge(&found, order),
                Err(answer) => answer,
            },
            _ => failure.answer(order),
        }
    }

    fn refund(&self, order: &Order, of: &Settled) -> Answer {
        let paid = plain(&of.reference).and_then(|number| self.service_order(number, order));
        let payment = match paid.and_then(|paid| paid.payment()) {
            Ok(payment) => payment,
            Err(answer) => return answer,
        };
        if payment.amount < order.amount.minor {
            let message = format!("more is to be given back than was paid by {}", payment.transaction_id);
            return Answer::Faulty { message };
        }
        let body = json!({
            "transaction_id": payment.transaction_id,
            "out_refund_no": order.id.hex(),
            "notify_url": self.settings.notify_url,
            "amount": { "refund": order.amount.minor, "total": payment.amount, "currency": "CNY" },
        });
        self.post(REFUNDS_PATH, &body, order).map_or_else(|answer| answer, |refund: Refund| refund.answer(order))
    }

    /// Looks up what became of an order.
    fn look(&self, order: &Order) -> Answer {
        let number = match &order.task {
            Task::Authorise => order.id,
            Task::Capture { hold } | Task::Void { hold } => hold.order,
            Task::Refund { .. } => {
                let found = self.get(&format!("{REFUNDS_PATH}/{}", order.id.hex()), order, true);
                return found.map_or_else(|answer| answer, |refund: Refund| refund.answer(order));
            }
            Task::Charge => return no_hold(),
        };
        self.service_order(&number.hex(), order).map_or_else(|answer| answer, |found| self.judge(&found, order))
    }

    fn service_order(&self, number: &str, order: &Order) -> Result<ServiceOrder, Answer> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("service_id", &self.settings.service_id).append_pair("out_order_no", number);
        query.append_pair("appid", &self.settings.app_id);
        let may_be_new = order.task == Task::Authorise;
        let found: ServiceOrder = self.get(&format!("{ORDERS_PATH}?{}", query.finish()), order, may_be_new)?;
        match found.out_order_no == number {
            true => Ok(found),
            false => Err(Answer::Unknown { message: "WeChat Pay answered about another service order".to_owned() }),
        }
    }

    fn judge(&self, found: &ServiceOrder, order: &Order) -> Answer {
        found.answer(order, self.settings.confirmed_by_shopper)
    }

    /// Adds whose service order it is.
    fn addressed(&self, mut body: Value) -> Value {
        body["appid"] = json!(self.settings.app_id);
        body["service_id"] = json!(self.settings.service_id);
        body
    }

    /// Looks something up. Where it may be that WeChat Pay never heard of it, `may_be_new` says so.
    fn get<T: DeserializeOwned>(&self, path: &str, order: &Order, may_be_new: bool) -> Result<T, Answer> {
        let reply = self.send(Method::GET, path, None).map_err(unsure)?;
        match reply.status {
            200 => read(&reply),
            404 if may_be_new => Err(Answer::Unavailable { message: Failure::of(&reply).message(), retry_after: None }),
            _ => Err(unsure(Failure::of(&reply).answer(order))),
        }
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &Value, order: &Order) -> Result<T, Answer> {
        let reply = self.send(Method::POST, path, Some(body))?;
        match reply.status {
            200 => read(&reply),
            _ => Err(Failure::of(&reply).answer(order)),
        }
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply, Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.client.call(method, path, body.as_bytes()).map_err(|trouble| trouble.answer("WeChat Pay"))
    }
}

impl PaymentProvider for WechatPay {
    fn name(&self) -> &str {
        "wechat"
    }

    fn submit(&self, order: &Order) -> Answer {
        let is_void = matches!(order.task, Task::Void { .. });
        if let Err(reason) = payable(order.amount)
            && !is_void
        {
            return Answer::Faulty { message: reason.to_string() };
        }
        match &order.task {
            Task::Authorise => self.authorise(order),
            Task::Capture { hold } => self.capture(order, hold),
            Task::Void { hold } => self.void(order, hold),
            Task::Charge => no_hold(),
            Task::Refund { of } => self.refund(order, of),
        }
    }

    fn query(&self, order: &Order, _reference: Option<&str>) -> Answer {
        self.look(order)
    }

    fn read_notice(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> Result<Notice> {
        self.client.verify(headers, body, now)?;
        notice::read(body, self.client.seal())
    }
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Answer> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Answer::Unknown { message: format!("WeChat Pay's answer cannot be read: {error}") })
}

/// A reference that can stand in an address.
fn plain(reference: &str) -> Result<&str, Answer> {
    let fits = (1..=32).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(reference)
        .ok_or_else(|| Answer::Faulty { message: "this is no reference of WeChat Pay's".to_owned() })
}

/// A hold or a charge of this amount in fen.
///
/// # Errors
/// When WeChat Pay takes no such payment, and why.
pub(super) fn payable(amount: Money) -> Result<i64, Unpayable> {
    goods::payable(amount)
}

fn no_hold() -> Answer {
    let message = "pay-score takes money only through a service order that was opened before".to_owned();
    Answer::Declined { code: "no_hold".to_owned(), message, wants_shopper: false }
}
