//! A server that keeps to what WeChat Pay documents of pay-score, as far as the calls of this room go. It checks every
//! signature and signs every answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use x509_cert::der::Decode;

use super::super::super::tests::Standing;
use super::super::super::tests::server::{Call, Reaction, Server};
use super::super::keys::MerchantKey;
use crate::base::{Secret, ShopTime, Span};
use crate::ports::Clock;

pub(super) const API_V3_KEY: &str = "0123456789abcdef0123456789abcdef";
pub(super) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const SERIALS: [&str; 2] = ["5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "70A3F09EFDC096DE15EBE81A47057A7232F1B8E2"];

/// What goes wrong with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection breaks before anything is done.
    HangUpBefore,
    /// It is done, and the connection breaks.
    HangUpAfter,
    /// The answer has no signature.
    Unsigned,
    /// The signature is of another body.
    Forged,
    /// The probe that WeChat Pay sends on purpose.
    Probe,
    /// The answer is as old as this.
    Old(Span),
    /// The answer names a key that nobody has.
    UnknownKey,
    /// An error with a status, a code and an inner code; nothing is done.
    Error(u16, &'static str, &'static str),
    /// It is done, and this error comes.
    ErrorAfter(u16, &'static str),
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    First,
    Second,
    /// The second key, named as a public key.
    PublicKey,
}

pub(super) struct Books {
    clock: Arc<Standing>,
    pub(super) orders: BTreeMap<String, Value>,
    pub(super) refunds: BTreeMap<String, Value>,
    created: BTreeMap<String, Value>,
    pub(super) faults: VecDeque<Fault>,
    /// Path and body of every call that was carried out.
    pub(super) log: Vec<(String, Value)>,
    pub(super) signer: Signer,
    /// Which certificates are listed.
    pub(super) listed: Vec<usize>,
    pub(super) downloads: usize,
}

pub(super) struct FakeWechat {
    pub(super) server: Server,
    books: Arc<Mutex<Books>>,
}

pub(super) fn test_key(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/wechat");
    std::fs::read_to_string(format!("{folder}/{name}.pem")).unwrap()
}

/// The three headers and the signature that WeChat Pay puts on a body.
pub(super) fn signed(signer: Signer, at: ShopTime, body: &[u8]) -> Vec<(String, String)> {
    let (key, serial) = match signer {
        Signer::First => ("platform-1.key", SERIALS[0]),
        Signer::Second => ("platform-2.key", SERIALS[1]),
        Signer::PublicKey => ("platform-2.key", PUBLIC_KEY_ID),
    };
    let key = MerchantKey::parse(&Secret::new(test_key(key))).unwrap();
    let secs = (at.as_nanos() / 1_000_000_000).to_string();
    let text = [secs.as_bytes(), b"\nnonce\n", body, b"\n"].concat();
    let headers = [
        ("Wechatpay-Timestamp", secs.as_str()),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Serial", serial),
        ("Wechatpay-Signature", &key.sign(&text).unwrap()),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"),
    ];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Seals a text with the merchant's key.
pub(super) fn sealed(text: &[u8], associated: &str) -> Value {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).unwrap());
    let mut bytes = text.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(b"abcdefghijkl").unwrap();
    key.seal_in_place_append_tag(nonce, Aad::from(associated.as_bytes()), &mut bytes).unwrap();
    json!({ "algorithm": "AEAD_AES_256_GCM", "nonce": "abcdefghijkl", "associated_data": associated,
        "ciphertext": BASE64_STANDARD.encode(bytes) })
}

impl FakeWechat {
    pub(super) fn start(clock: Arc<Standing>) -> Self {
        let books = Arc::new(Mutex::new(Books {
            clock,
            orders: BTreeMap::new(),
            refunds: BTreeMap::new(),
            created: BTreeMap::new(),
            faults: VecDeque::new(),
            log: Vec::new(),
            signer: Signer::First,
            listed: vec![0],
            downloads: 0,
        }));
        let shared = books.clone();
        let server = Server::start(move |call| shared.lock().unwrap().react(call));
        FakeWechat { server, books }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub(super) fn fault(&self, fault: Fault) {
        self.books().faults.push_back(fault);
    }
}

type Said = (u16, Value, &'static str);

fn error(status: u16, code: &str, inner: &'static str) -> Said {
    (status, json!({ "code": code, "message": "said in the test" }), inner)
}

impl Books {
    fn react(&mut self, call: &Call) -> Reaction {
        // Faults are for calls about orders, not for the list of certificates.
        let listing = call.path() == "/v3/certificates";
        let fault = if listing { None } else { self.faults.pop_front() };
        let (status, body, inner) = match fault {
            Some(Fault::HangUpBefore) => return Reaction::HangUp,
            Some(Fault::Error(status, code, inner)) => error(status, code, inner),
            _ if !self.is_signed(call) => error(401, "SIGN_ERROR", "0"),
            _ => self.carry_out(call),
        };
        let (status, body) = match fault {
            Some(Fault::HangUpAfter) => return Reaction::HangUp,
            Some(Fault::ErrorAfter(status, code)) => (status, error(status, code, "0").1),
            _ => (status, body),
        };
        let bytes = if status == 204 { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let mut headers = vec![("Request-ID".to_owned(), format!("08F5-{inner}"))];
        if status < 300 {
            headers.extend(self.signature(fault, &bytes));
        }
        Reaction::Reply(status, headers, bytes)
    }

    fn signature(&self, fault: Option<Fault>, body: &[u8]) -> Vec<(String, String)> {
        let now = self.clock.now();
        let mut headers = match fault {
            Some(Fault::Unsigned) => return Vec::new(),
            Some(Fault::Forged) => signed(self.signer, now, b"another body"),
            Some(Fault::Old(age)) => signed(self.signer, now - age, body),
            _ => signed(self.signer, now, body),
        };
        for (name, value) in &mut headers {
            match (fault, name.as_str()) {
                (Some(Fault::Probe), "Wechatpay-Signature") => value.insert_str(0, "WECHATPAY/SIGNTEST/"),
                (Some(Fault::UnknownKey), "Wechatpay-Serial") => *value = "ABCDEF".to_owned(),
                _ => {}
            }
        }
        headers
    }

    /// Whether the merchant signed the call, now.
    fn is_signed(&self, call: &Call) -> bool {
        let value = call.header("Authorization").unwrap();
        let pairs = value.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").unwrap().split(',');
        let pairs: BTreeMap<&str, &str> = pairs
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name, value.strip_prefix('"').unwrap().strip_suffix('"').unwrap()))
            .collect();
        assert_eq!((pairs["mchid"], pairs["serial_no"]), ("1900000001", "3775B6A45ACD588826D15E583A95F5DD00000001"));
        let at = ShopTime::from_nanos(pairs["timestamp"].parse::<i64>().unwrap() * 1_000_000_000);
        let text = format!("{}\n{}\n{}\n{}\n", call.method, call.target, pairs["timestamp"], pairs["nonce_str"]);
        let text = [text.as_bytes(), &call.body, b"\n"].concat();
        let pem =
            rustls_pki_types::SubjectPublicKeyInfoDer::from_pem_slice(test_key("merchant.pub").as_bytes()).unwrap();
        let info = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(pem.as_ref()).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, info.subject_public_key.raw_bytes());
        let signature = BASE64_STANDARD.decode(pairs["signature"]).unwrap();
        (self.clock.now() - at).abs() < Span::from_millis(300_000) && key.verify(&text, &signature).is_ok()
    }

    fn carry_out(&mut self, call: &Call) -> Said {
        let body: Value = match call.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&call.body).unwrap(),
        };
        if call.path() != "/v3/certificates" {
            assert!(call.header("Wechatpay-Serial").is_some(), "every call says whom it can verify");
            self.log.push((call.path().to_owned(), body.clone()));
        }
        let parts: Vec<&str> = call.path().trim_start_matches("/v3/").split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["certificates"]) => self.certificates(),
            ("POST", ["payscore", "serviceorder"]) => self.create(&body),
            ("GET", ["payscore", "serviceorder"]) => self.find(&call.query()),
            ("POST", ["payscore", "serviceorder", number, "complete"]) => self.complete(number, &body),
            ("POST", ["payscore", "serviceorder", number, "cancel"]) => self.cancel(number, &body),
            ("POST", ["refund", "domestic", "refunds"]) => self.refund(&body),
            ("GET", ["refund", "domestic", "refunds", number]) => match self.refunds.get(*number) {
                Some(refund) => (200, refund.clone(), "0"),
                None => error(404, "RESOURCE_NOT_EXISTS", "0"),
            },
            _ => panic!("no such call: {} {}", call.method, call.target),
        }
    }

    fn certificates(&mut self) -> Said {
        self.downloads += 1;
        let data: Vec<Value> = (self.listed.iter())
            .map(|index| {
                let pem = test_key(&format!("platform-{}.cert", index + 1));
                json!({ "serial_no": SERIALS[*index], "effective_time": "2023-01-01T00:00:00+08:00",
                    "expire_time": "2024-01-01T00:00:00+08:00", "encrypt_certificate": sealed(pem.as_bytes(), "certificate") })
            })
            .collect();
        (200, json!({ "data": data }), "0")
    }

    fn create(&mut self, body: &Value) -> Said {
        let number = body["out_order_no"].as_str().unwrap().to_owned();
        assert!(number.len() <= 32 && body["service_introduction"].as_str().unwrap().chars().count() <= 20);
        assert_eq!(body["time_range"]["start_time"].as_str().unwrap().len(), 14);
        match self.created.get(&number) {
            Some(before) if before != body => return error(400, "INVALID_REQUEST", "271316598"),
            Some(_) => {}
            None => {
                let confirm = body["need_user_confirm"] == true;
                assert_eq!(body.get("openid").is_some(), !confirm);
                let order = json!({ "appid": body["appid"], "mchid": "1900000001", "out_order_no": number,
                    "service_id": body["service_id"], "order_id": "15646546545165651651", "time_range": body["time_range"],
                    "risk_fund": body["risk_fund"], "state": if confirm { "CREATED" } else { "DOING" },
                    "state_description": if confirm { Value::Null } else { json!("USER_CONFIRM") } });
                self.created.insert(number.clone(), body.clone());
                self.orders.insert(number.clone(), without_null(order));
            }
        }
        let mut order = self.orders[&number].clone();
        if order["state"] == "CREATED" {
            order["package"] = json!("package-of-one-use");
        }
        (200, order, "0")
    }

    /// The shopper confirms.
    pub(super) fn confirm(&mut self, number: &str) {
        self.orders.get_mut(number).unwrap()["state"] = json!("DOING");
        self.orders.get_mut(number).unwrap()["state_description"] = json!("USER_CONFIRM");
    }

    /// The money is debited.
    pub(super) fn pay(&mut self, number: &str) {
        let order = self.orders.get_mut(number).unwrap();
        let total = order["total_amount"].clone();
        order["state"] = json!("DONE");
        order["collection"] = json!({ "state": "USER_PAID", "total_amount": total, "paid_amount": total, "paying_amount": 0,
            "details": [{ "seq": 1, "amount": total, "paid_type": "NEWTON", "paid_time": "20231115061320",
                "transaction_id": format!("4200{number}") }] });
    }

    fn find(&self, query: &[(String, String)]) -> Said {
        let asked = |name: &str| query.iter().find(|(other, _)| other == name).unwrap().1.as_str();
        assert_eq!((asked("service_id"), asked("appid")), ("500001", "wxd678efh567hg6787"));
        match self.orders.get(asked("out_order_no")) {
            Some(order) => (200, order.clone(), "0"),
            None => error(404, "ORDER_NOT_EXIST", "271317510"),
        }
    }

    fn complete(&mut self, number: &str, body: &Value) -> Said {
        let Some(order) = self.orders.get_mut(number) else { return error(404, "ORDER_NOT_EXIST", "271317510") };
        if (&order["state"], &order["state_description"]) != (&json!("DOING"), &json!("USER_CONFIRM")) {
            return error(400, "INVALID_REQUEST", "271302262");
        }
        assert_eq!((&body["appid"], &body["service_id"]), (&order["appid"], &order["service_id"]));
        let lines = body["post_payments"].as_array().unwrap();
        let plain = |line: &Value| {
            line["name"] == "商品信息"
                && line["description"].as_str().is_some_and(|text| (1..=30).contains(&text.chars().count()))
                && line["count"].as_i64().is_some_and(|count| (1..=100).contains(&count))
        };
        let sum = |lines: &[Value]| lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum::<i64>();
        let discounts = body["post_discounts"].as_array().cloned().unwrap_or_default();
        let total = sum(lines) - sum(&discounts);
        let ends =
            body["time_range"]["end_time"].as_str().unwrap() > order["time_range"]["start_time"].as_str().unwrap();
        if !(1..=100).contains(&lines.len()) || !lines.iter().all(plain) || total != body["total_amount"] || !ends {
            return error(400, "PARAM_ERROR", "1");
        }
        order["state_description"] = json!("MCH_COMPLETE");
        order["total_amount"] = json!(total);
        order["need_collection"] = json!(true);
        order["collection"] =
            json!({ "state": "USER_PAYING", "total_amount": total, "paying_amount": total, "paid_amount": 0 });
        (200, order.clone(), "0")
    }

    fn cancel(&mut self, number: &str, body: &Value) -> Said {
        let Some(order) = self.orders.get_mut(number) else { return error(404, "ORDER_NOT_EXIST", "271317510") };
        let open = order["state"] == "CREATED" || order["state_description"] == "USER_CONFIRM";
        if !open || body["reason"].as_str().unwrap().is_empty() {
            return error(400, "INVALID_REQUEST", "271302332");
        }
        order["state"] = json!("REVOKED");
        order["state_description"] = Value::Null;
        *order = without_null(order.take());
        (200, json!({ "appid": body["appid"], "mchid": "1900000001", "out_order_no": number }), "0")
    }

    fn refund(&mut self, body: &Value) -> Said {
        let transaction = &body["transaction_id"];
        let paid =
            self.orders.values().find(|order| order["collection"]["details"][0]["transaction_id"] == *transaction);
        let Some(paid) = paid else { return error(404, "RESOURCE_NOT_EXISTS", "0") };
        assert_eq!(body["amount"]["total"], paid["total_amount"]);
        let number = body["out_refund_no"].as_str().unwrap().to_owned();
        let refund = json!({ "refund_id": format!("5030{number}"), "out_refund_no": number, "transaction_id": transaction,
            "status": "PROCESSING", "amount": { "refund": body["amount"]["refund"], "total": paid["total_amount"] } });
        (200, self.refunds.entry(number).or_insert(refund).clone(), "0")
    }
}

fn without_null(mut object: Value) -> Value {
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}
