mod server;

use std::panic::AssertUnwindSafe;

use serde_json::json;

use self::server::{API_V3_KEY, FakeWechat, Fault, PUBLIC_KEY_ID, Signer, sealed, signed, test_key};
use super::super::tests::{Standing, declined, done, order};
use super::keys::{SealKey, Sealed};
use super::*;
use crate::base::{Money, Quantity, Span, TransferId};
use crate::facts::{About, OrderLine, PaymentMethod};

struct Shop {
    wechat: WechatPay,
    fake: FakeWechat,
    clock: Arc<Standing>,
}

fn settings(base_url: String) -> WechatSettings {
    WechatSettings {
        merchant_id: "1900000001".into(),
        app_id: "wxd678efh567hg6787".into(),
        service_id: "500001".into(),
        merchant_serial: "3775B6A45ACD588826D15E583A95F5DD00000001".into(),
        merchant_key: Secret::new(test_key("merchant.key")),
        api_v3_key: Secret::new(API_V3_KEY.to_owned()),
        platform_public_key: None,
        risk_fund: "ESTIMATE_ORDER_COST".into(),
        introduction: "无人便利店购物".into(),
        notify_url: "https://shop.example/v1/notices/wechat".into(),
        confirmed_by_shopper: false,
        device_id: Some("gate-1".into()),
        base_url,
    }
}

fn shop_with(change: impl FnOnce(&mut WechatSettings)) -> Shop {
    let clock = Standing::new();
    let fake = FakeWechat::start(clock.clone());
    let mut settings = settings(fake.server.url());
    change(&mut settings);
    Shop { wechat: WechatPay::new(settings, clock.clone()).unwrap(), fake, clock }
}

fn shop() -> Shop {
    shop_with(|_| {})
}

/// Orders are a second apart from those they build on.
fn cny(name: &str, task: Task, minor: i64) -> Order {
    let method = PaymentMethod {
        provider: "wechat".into(),
        customer: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into(),
        token: String::new(),
    };
    let builds_on = !matches!(task, Task::Authorise);
    let made = order(name, &method, task, minor, "CNY");
    let later = if builds_on { Span::from_millis(1_000) } else { Span::ZERO };
    Order { made_at: made.made_at + later, ..made }
}

fn line(name: &str, units: u32, minor: i64) -> OrderLine {
    OrderLine { name: name.into(), quantity: Quantity::new(units), amount: Money::new(minor, "CNY".parse().unwrap()) }
}

impl Shop {
    fn hold(&self) -> Settled {
        done(&self.wechat, &cny("hold", Task::Authorise, 20_000))
    }

    /// A capture of 12.50 that was paid.
    fn paid(&self) -> Settled {
        let hold = self.hold();
        let capture = cny("capture", Task::Capture { hold }, 1_250);
        let Answer::Pending { reference } = self.wechat.submit(&capture) else { panic!("debits take time") };
        self.fake.books().pay(&reference);
        match self.wechat.query(&capture, Some(&reference)) {
            Answer::Done { reference, amount } => Settled { order: capture.id, reference, amount },
            other => panic!("{other:?}"),
        }
    }

    fn faulted(&self, fault: Fault, order: &Order) -> Answer {
        self.fake.fault(fault);
        self.wechat.submit(order)
    }
}

#[test]
fn a_service_order_is_opened_completed_and_paid() {
    let shop = shop();
    let hold = shop.hold();
    assert_eq!(hold.reference, hold.order.hex(), "the number is the id of the order that made it");
    let lines = vec![line("可乐🥤 330ml", 2, 700), line("薯片", 1, 550)];
    let capture = Order { lines, ..cny("capture", Task::Capture { hold: hold.clone() }, 1_250) };
    assert!(matches!(shop.wechat.query(&capture, None), Answer::Unavailable { .. }), "not completed yet");
    assert!(matches!(shop.wechat.submit(&capture), Answer::Pending { .. }));
    assert!(matches!(shop.wechat.submit(&capture), Answer::Pending { .. }), "asked again: looked up");
    shop.fake.books().pay(&hold.reference);
    let expected = Answer::Done { reference: hold.reference.clone(), amount: capture.amount };
    assert_eq!(shop.wechat.query(&capture, None), expected);
    assert_eq!(shop.wechat.submit(&capture), expected);
    let books = shop.fake.books();
    let (path, body) = &books.log[2];
    assert_eq!(path, &format!("/v3/payscore/serviceorder/{}/complete", hold.reference));
    assert_eq!(body["post_payments"][0]["description"], "可乐 330ml", "no letters of four bytes");
    assert_eq!(body["post_payments"][1]["count"], 1);
    assert_eq!(body["time_range"]["end_time"], "20231115061321");
    assert_eq!(books.log[0].1["time_range"]["start_time"], "20231115061320");
}

#[test]
fn the_shopper_confirms_where_that_is_wanted() {
    let shop = shop_with(|settings| settings.confirmed_by_shopper = true);
    let hold = cny("hold", Task::Authorise, 20_000);
    assert!(matches!(shop.wechat.submit(&hold), Answer::Pending { .. }));
    assert_eq!(shop.wechat.confirmation(&hold).unwrap().reveal(), "package-of-one-use");
    assert!(matches!(shop.wechat.query(&hold, None), Answer::Pending { .. }));
    shop.fake.books().confirm(&hold.id.hex());
    done(&shop.wechat, &hold);
    assert!(shop.wechat.confirmation(&hold).is_err(), "nothing left to confirm");
}

#[test]
fn a_service_order_is_cancelled_once_and_not_after_it_was_completed() {
    let shop = shop();
    let hold = shop.hold();
    let void = cny("void", Task::Void { hold: hold.clone() }, 0);
    assert!(matches!(shop.wechat.query(&void, None), Answer::Unavailable { .. }));
    done(&shop.wechat, &void);
    done(&shop.wechat, &void);
    let late = cny("late", Task::Capture { hold }, 100);
    assert_eq!(declined(&shop.wechat.submit(&late)), ("hold_expired", false));
    let second = done(&shop.wechat, &cny("second", Task::Authorise, 20_000));
    shop.wechat.submit(&cny("capture", Task::Capture { hold: second.clone() }, 100));
    let void = cny("void 2", Task::Void { hold: second.clone() }, 0);
    assert_eq!(declined(&shop.wechat.submit(&void)), ("already_captured", false));
    let other = shop.wechat.submit(&cny("other", Task::Capture { hold: second }, 200));
    assert!(matches!(other, Answer::Faulty { .. }), "completed with another amount: {other:?}");
    assert_eq!(declined(&shop.wechat.submit(&cny("charge", Task::Charge, 100))), ("no_hold", false));
}

#[test]
fn a_refund_goes_by_the_transaction_of_the_debit() {
    let shop = shop();
    let of = shop.paid();
    let refund = cny("refund", Task::Refund { of: of.clone() }, 250);
    assert!(matches!(shop.wechat.query(&refund, None), Answer::Unavailable { .. }), "never heard of");
    let Answer::Pending { reference } = shop.wechat.submit(&refund) else { panic!("refunds take time") };
    assert!(matches!(shop.wechat.submit(&refund), Answer::Pending { .. }));
    let set = |status: &str| shop.fake.books().refunds.get_mut(&refund.id.hex()).unwrap()["status"] = json!(status);
    set("SUCCESS");
    let expected = Answer::Done { reference: reference.clone(), amount: refund.amount };
    assert_eq!(shop.wechat.query(&refund, Some(&reference)), expected);
    set("CLOSED");
    assert_eq!(declined(&shop.wechat.query(&refund, None)), ("refund_closed", false));
    set("ABNORMAL");
    assert!(matches!(shop.wechat.query(&refund, None), Answer::Faulty { .. }));
    let more = shop.wechat.submit(&cny("more", Task::Refund { of: of.clone() }, 1_251));
    assert!(matches!(more, Answer::Faulty { .. }), "{more:?}");
    let unpaid = done(&shop.wechat, &cny("unpaid", Task::Authorise, 500));
    let early = shop.wechat.submit(&cny("early", Task::Refund { of: unpaid }, 1));
    assert!(matches!(early, Answer::Unavailable { .. }), "{early:?}");
}

#[test]
fn what_is_not_signed_is_not_believed() {
    let shop = shop();
    let hold = cny("hold", Task::Authorise, 20_000);
    let five_minutes = Span::from_millis(300_000);
    let forgeries = [
        Fault::Unsigned,
        Fault::Forged,
        Fault::Probe,
        Fault::UnknownKey,
        Fault::Old(five_minutes),
        Fault::Old(-five_minutes),
    ];
    for fault in forgeries {
        let answer = shop.faulted(fault, &hold);
        assert!(matches!(answer, Answer::Unknown { .. }), "{fault:?}: {answer:?}");
    }
    shop.fake.fault(Fault::Old(Span::from_millis(299_000)));
    done(&shop.wechat, &hold);
    assert_eq!(shop.fake.books().orders.len(), 1);
}

#[test]
fn a_lost_answer_is_unknown_and_asking_again_moves_nothing_twice() {
    let shop = shop();
    let hold = cny("hold", Task::Authorise, 20_000);
    assert!(matches!(shop.faulted(Fault::HangUpBefore, &hold), Answer::Unknown { .. }));
    assert!(matches!(shop.wechat.query(&hold, None), Answer::Unavailable { .. }), "never heard of");
    assert!(matches!(shop.faulted(Fault::HangUpAfter, &hold), Answer::Unknown { .. }));
    let hold = done(&shop.wechat, &hold);
    let capture = cny("capture", Task::Capture { hold: hold.clone() }, 1_250);
    assert!(matches!(shop.faulted(Fault::ErrorAfter(500, "SYSTEM_ERROR"), &capture), Answer::Unknown { .. }));
    assert!(matches!(shop.wechat.submit(&capture), Answer::Pending { .. }));
    shop.fake.books().pay(&hold.reference);
    let of = done(&shop.wechat, &capture);
    let refund = cny("refund", Task::Refund { of }, 100);
    shop.fake.fault(Fault::Old(Span::ZERO));
    assert!(matches!(shop.faulted(Fault::Error(429, "RATELIMIT_EXCEEDED", "0"), &refund), Answer::Unknown { .. }));
    assert!(matches!(shop.wechat.submit(&refund), Answer::Pending { .. }));
    assert_eq!(shop.fake.books().refunds.len(), 1);
}

#[test]
fn errors_mean_what_the_table_says() {
    let shop = shop();
    let hold = cny("hold", Task::Authorise, 20_000);
    let answer = |status, code, inner| shop.faulted(Fault::Error(status, code, inner), &hold);
    assert!(matches!(answer(202, "", "0"), Answer::Unknown { .. }));
    assert!(matches!(answer(429, "FREQUENCY_LIMITED", "268435472"), Answer::Unavailable { .. }));
    for (status, code) in [(500, "SYSTEM_ERROR"), (502, ""), (503, "SERVICE_UNAVAILABLE")] {
        assert!(matches!(answer(status, code, "0"), Answer::Unknown { .. }), "{status}");
    }
    for (status, code) in [(400, "PARAM_ERROR"), (401, "SIGN_ERROR"), (403, "NO_AUTH"), (404, "ORDER_NOT_EXIST")] {
        let Answer::Faulty { message } = answer(status, code, "77") else { panic!("{status} is for a person") };
        assert!(message.contains(code) && message.contains("08F5-77"), "{message}");
    }
    assert_eq!(declined(&answer(400, "INVALID_REQUEST", "271300099")).0, "risk_assessment_failed");
    assert_eq!(declined(&answer(400, "INVALID_REQUEST", "271299627")).0, "overdue_orders");
    done(&shop.wechat, &hold);
    let other = Order { amount: Money::new(1, hold.amount.currency), ..hold.clone() };
    assert!(matches!(shop.wechat.submit(&other), Answer::Faulty { .. }), "the same number with other parameters");
    assert!(matches!(
        shop.wechat.submit(&order("usd", &hold.method, Task::Authorise, 5, "USD")),
        Answer::Faulty { .. }
    ));
    // A completion that is refused while the service order is open is wrong itself.
    let settled = Settled { order: hold.id, reference: hold.id.hex(), amount: hold.amount };
    let early = Order { made_at: hold.made_at, ..cny("early", Task::Capture { hold: settled }, 5) };
    assert!(matches!(shop.wechat.submit(&early), Answer::Faulty { .. }));
}

#[test]
fn a_refusal_that_cannot_be_looked_behind_is_unknown() {
    let shop = shop();
    let hold = shop.hold();
    let capture = cny("capture", Task::Capture { hold }, 1_250);
    shop.wechat.submit(&capture);
    shop.fake.fault(Fault::Old(Span::ZERO));
    let answer = shop.faulted(Fault::Error(429, "RATELIMIT_EXCEEDED", "0"), &capture);
    assert!(matches!(answer, Answer::Unknown { .. }), "it was completed before: {answer:?}");
}

#[test]
fn nobody_there_is_surely_not_done() {
    let shop = shop();
    let url = shop.fake.server.url();
    drop(shop.fake);
    let wechat = WechatPay::new(settings(url), shop.clock).unwrap();
    let hold = cny("hold", Task::Authorise, 20_000);
    assert!(matches!(wechat.submit(&hold), Answer::Unavailable { .. }));
    assert!(matches!(wechat.query(&hold, None), Answer::Unknown { .. }));
}

#[test]
fn certificates_are_exchanged_while_the_shop_is_open() {
    let shop = shop();
    shop.hold();
    assert_eq!(shop.fake.books().downloads, 1);
    // A new one is listed and signs from now on; it is asked for once a minute at most.
    shop.fake.books().listed = vec![0, 1];
    shop.fake.books().signer = Signer::Second;
    let next = cny("next", Task::Authorise, 20_000);
    assert!(matches!(shop.wechat.submit(&next), Answer::Unknown { .. }), "too soon after the last download");
    shop.clock.on(Span::from_millis(60_000));
    done(&shop.wechat, &next);
    assert_eq!(shop.fake.books().downloads, 2);
    // The first one expires.
    shop.clock.on(Span::from_millis(60 * 24 * 3_600_000));
    done(&shop.wechat, &cny("much later", Task::Authorise, 20_000));
    shop.fake.books().signer = Signer::First;
    let expired = shop.wechat.submit(&cny("expired", Task::Authorise, 20_000));
    assert!(matches!(expired, Answer::Unknown { .. }), "{expired:?}");
}

#[test]
fn a_list_of_certificates_that_none_of_them_signed_is_not_believed() {
    let shop = shop();
    shop.fake.books().signer = Signer::Second;
    let answer = shop.wechat.submit(&cny("hold", Task::Authorise, 20_000));
    assert!(matches!(answer, Answer::Unavailable { .. }), "nothing was sent: {answer:?}");
    assert!(shop.fake.books().log.is_empty());
}

#[test]
fn a_public_key_needs_no_certificates() {
    let public = PlatformPublicKey { id: PUBLIC_KEY_ID.into(), pem: test_key("platform-2.pub") };
    let shop = shop_with(|settings| settings.platform_public_key = Some(public));
    shop.fake.books().signer = Signer::PublicKey;
    shop.hold();
    assert_eq!(shop.fake.books().downloads, 0);
    // While the merchant changes over, certificates may still sign.
    shop.fake.books().signer = Signer::First;
    done(&shop.wechat, &cny("second", Task::Authorise, 20_000));
    assert_eq!(shop.fake.books().downloads, 1);
}

fn notice(event: &str, resource: &serde_json::Value) -> Vec<u8> {
    let body = json!({ "id": "EV-2018022511223320873", "create_time": "2023-11-15T06:13:20+08:00", "event_type": event,
        "resource_type": "encrypt-resource", "summary": "s", "resource": sealed(resource.to_string().as_bytes(), "payscore") });
    serde_json::to_vec(&body).unwrap()
}

#[test]
fn notices_are_verified_opened_and_understood() {
    let shop = shop();
    let now = shop.clock.now();
    let read = |event: &str, resource| {
        let body = notice(event, &resource);
        shop.wechat.read_notice(&signed(Signer::First, now, &body), &body, now).unwrap()
    };
    let id = TransferId::derived(&["hold"]);
    let confirmed = read("PAYSCORE.USER_CONFIRM", json!({ "out_order_no": id.hex(), "state": "DOING" }));
    assert_eq!(confirmed.about, About::Order { order: id });
    assert_eq!((confirmed.id.as_str(), confirmed.provider.as_str()), ("EV-2018022511223320873", "wechat"));
    let paid = read("PAYSCORE.USER_PAID", json!({ "out_order_no": id.hex() }));
    assert_eq!(paid.about, About::Reference { reference: id.hex() });
    let refunded = read("REFUND.SUCCESS", json!({ "out_refund_no": id.hex(), "refund_status": "SUCCESS" }));
    assert_eq!(refunded.about, About::Order { order: id });
    assert_eq!(read("REFUND.CLOSED", json!({ "out_refund_no": "of-somebody-else" })).about, About::Nothing);
    assert_eq!(read("PAYSCORE.USER_OPEN_SERVICE", json!({})).about, About::Nothing);
}

#[test]
fn forged_old_and_probing_notices_are_refused() {
    let shop = shop();
    let now = shop.clock.now();
    let body = notice("PAYSCORE.USER_PAID", &json!({ "out_order_no": "a" }));
    let good = signed(Signer::First, now, &body);
    let read = |headers: &[(String, String)], body: &[u8], now| shop.wechat.read_notice(headers, body, now);
    read(&good, &body, now + Span::from_millis(299_000)).unwrap();
    assert!(read(&good, &body, now + Span::from_millis(300_000)).is_err());
    assert!(read(&good, &body, now - Span::from_millis(300_000)).is_err());
    assert!(read(&good, b"{}", now).is_err());
    assert!(read(&signed(Signer::Second, now, &body), &body, now).is_err(), "a key that is not listed");
    for missing in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"] {
        let headers: Vec<_> = good.iter().filter(|(name, _)| name != missing).cloned().collect();
        assert!(read(&headers, &body, now).is_err(), "{missing}");
    }
    let changed = |name: &str, value: &dyn Fn(&str) -> String| -> Vec<(String, String)> {
        let change =
            |(other, old): &(String, String)| (other.clone(), if other == name { value(old) } else { old.clone() });
        good.iter().map(change).collect()
    };
    let probe = changed("Wechatpay-Signature", &|old| format!("WECHATPAY/SIGNTEST/{old}"));
    assert!(read(&probe, &body, now).is_err());
    assert!(read(&changed("Wechatpay-Signature-Type", &|_| "WECHATPAY2-SM2-WITH-SM3".into()), &body, now).is_err());
    // What is signed and sealed with another key is refused as well.
    let other = String::from_utf8(body.clone()).unwrap().replace("abcdefghijkl", "abcdefghijkm").into_bytes();
    assert!(read(&signed(Signer::First, now, &other), &other, now).is_err());
    // Strangers cannot make us ask for certificates all the time.
    let before = shop.fake.books().downloads;
    (0..10).for_each(|_| assert!(read(&signed(Signer::Second, now, &body), &body, now).is_err()));
    assert_eq!(shop.fake.books().downloads, before);
}

#[test]
fn messages_are_opened_as_documented() {
    let seal = SealKey::parse(&Secret::new(API_V3_KEY.to_owned())).unwrap();
    let sealed = |changed: &str| -> Sealed {
        let vector = json!({ "algorithm": "AEAD_AES_256_GCM", "nonce": "abcdefghijkl", "associated_data": changed,
            "ciphertext": "Eu6myr+6AqEHeYBOZPZ6BX5wij2Vohwvf8pbvuh+iqUijYKBhwH38OifSrfrzuBH5jwEDg==" });
        serde_json::from_value(vector).unwrap()
    };
    assert_eq!(seal.open(&sealed("transaction")).unwrap(), br#"{"out_order_no":"A1","state":"DONE"}"#);
    assert!(seal.open(&sealed("certificate")).is_err());
}

#[test]
fn lines_keep_to_the_limits_and_add_up() {
    let charged = |lines: Vec<OrderLine>, minor| {
        let hold = Settled {
            order: TransferId::derived(&["h"]),
            reference: "h".into(),
            amount: Money::new(9, "CNY".parse().unwrap()),
        };
        let charged = goods::charged(&Order { lines, ..cny("capture", Task::Capture { hold }, minor) }).unwrap();
        let sum = |name: &str| {
            charged[name].as_array().map_or(0, |lines| lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum())
        };
        assert_eq!(sum("post_payments") - sum("post_discounts"), minor);
        let lines = charged["post_payments"].as_array().unwrap().clone();
        assert!((1..=100).contains(&lines.len()));
        for line in &lines {
            assert!((1..=30).contains(&line["description"].as_str().unwrap().chars().count()));
            assert!((1..=100).contains(&line["count"].as_u64().unwrap()));
        }
        lines
    };
    assert_eq!(charged(vec![], 100)[0]["description"], "其他商品");
    assert_eq!(charged(vec![line("a", 1, 70)], 100).len(), 2, "less than the amount: a line for the rest");
    assert_eq!(charged(vec![line("a", 1, 170)], 100).len(), 1, "more than the amount: paid otherwise");
    assert_eq!(charged((0..100).map(|_| line("a", 1, 1)).collect(), 100).len(), 100);
    let folded = charged((0..250).map(|_| line("a", 1, 1)).collect(), 250);
    assert_eq!((folded.len(), &folded[99]["amount"], &folded[99]["count"]), (100, &json!(151), &json!(100)));
    assert_eq!(charged((0..100).map(|_| line("a", 1, 1)).collect(), 101).len(), 1, "no room for the rest");
    let many = charged(vec![line(&"很".repeat(40), 250, 500)], 500);
    assert!(many[0]["description"].as_str().unwrap().ends_with("×250"));
    assert_eq!(charged(vec![line("a", 1, -5), line("b", 1, 105)], 100).len(), 1);
    assert_eq!(charged(vec![line("🥤", 1, 100), line("b", 0, 0)], 100)[0]["description"], "其他商品");
}

#[test]
fn keys_that_are_none_are_refused_without_showing_them() {
    let clock = Standing::new();
    let build = |change: fn(&mut WechatSettings)| {
        let mut settings = settings("http://127.0.0.1:9".into());
        change(&mut settings);
        WechatPay::new(settings, clock.clone()).map(drop)
    };
    build(|_| {}).unwrap();
    let wrong: [fn(&mut WechatSettings); 3] = [
        |settings| settings.merchant_key = Secret::new("hidden".into()),
        |settings| settings.api_v3_key = Secret::new("hidden".into()),
        |settings| settings.platform_public_key = Some(PlatformPublicKey { id: "P".into(), pem: "hidden".into() }),
    ];
    for change in wrong {
        assert!(!build(change).unwrap_err().to_string().contains("hidden"));
    }
    assert!(!format!("{:?}", settings(String::new())).contains(API_V3_KEY));
}

#[test]
fn no_notice_of_strangers_is_accepted() {
    let shop = shop();
    let now = shop.clock.now();
    shop.hold();
    let strange = AssertUnwindSafe(&shop.wechat);
    let good = signed(Signer::First, now, b"{}");
    bolero::check!().with_type::<(String, String, Vec<u8>)>().with_iterations(300).for_each(|(name, value, body)| {
        let headers = [good.clone(), vec![(name.clone(), value.clone())]].concat();
        assert!(body.as_slice() == b"{}" || strange.read_notice(&headers, body, now).is_err());
        let _ = notice::read(body, strange.client.seal());
    });
}
