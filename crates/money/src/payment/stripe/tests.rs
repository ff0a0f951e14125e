mod contract;
mod server;

use std::panic::AssertUnwindSafe;

use serde_json::{Value, json};

use self::contract::Contract;
use self::server::{FakeStripe, Fault};
use super::super::tests::{Standing, contract_file, declined, done, order};
use super::*;
use crate::base::{Money, ShopperId};
use crate::facts::{About, PaymentMethod};

struct Shop {
    stripe: Stripe,
    fake: FakeStripe,
    clock: Arc<Standing>,
}

fn settings(base_url: String) -> StripeSettings {
    StripeSettings {
        secret_key: Secret::new("sk_test_1".to_owned()),
        webhook_secret: Secret::new("whsec_test".to_owned()),
        base_url,
    }
}

fn shop() -> Shop {
    let (fake, clock) = (FakeStripe::start(), Standing::new());
    Shop { stripe: Stripe::new(settings(fake.server.url()), clock.clone()), fake, clock }
}

fn method(token: &str) -> PaymentMethod {
    PaymentMethod { provider: "stripe".into(), customer: "cus_1".into(), token: token.into() }
}

fn usd(name: &str, token: &str, task: Task, minor: i64) -> Order {
    order(name, &method(token), task, minor, "USD")
}

impl Shop {
    fn hold(&self) -> Settled {
        done(&self.stripe, &usd("hold", "pm_card_visa", Task::Authorise, 5_000))
    }

    fn capture(&self, hold: &Settled) -> Order {
        usd("capture", "pm_card_visa", Task::Capture { hold: hold.clone() }, 1_250)
    }

    fn received(&self, intent: &str) -> i64 {
        self.fake.books().intents[intent]["amount_received"].as_i64().unwrap()
    }
}

#[test]
fn a_hold_is_captured_in_part_and_refunded() {
    let shop = shop();
    let hold = shop.hold();
    let capture = shop.capture(&hold);
    let taken = done(&shop.stripe, &capture);
    assert_eq!(taken.reference, hold.reference, "an intent is both");
    assert_eq!(shop.received(&taken.reference), 1_250);
    assert_eq!(done(&shop.stripe, &capture), taken, "asked again, played back");
    let refund = usd("refund", "pm_card_visa", Task::Refund { of: taken.clone() }, 250);
    let given = done(&shop.stripe, &refund);
    assert!(given.reference.starts_with("re_"));
    for (order, reference) in [(&capture, &taken.reference), (&refund, &given.reference)] {
        let expected = Answer::Done { reference: reference.clone(), amount: order.amount };
        assert_eq!(shop.stripe.query(order, Some(reference)), expected);
        assert_eq!(shop.stripe.query(order, None), expected);
    }
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    let charged = done(&shop.stripe, &charge);
    assert_eq!(shop.received(&charged.reference), 700);
}

#[test]
fn what_is_sent_is_as_documented() {
    let shop = shop();
    let hold = shop.hold();
    done(&shop.stripe, &usd("void", "pm_card_visa", Task::Void { hold: hold.clone() }, 0));
    let books = shop.fake.books();
    let sent = &books.log[0];
    let id = TransferId::derived(&["hold"]).to_string();
    assert_eq!(sent.call.header("Idempotency-Key"), Some(id.as_str()));
    assert_eq!(sent.call.header("Stripe-Version"), Some(API_VERSION));
    let expected = [
        ("amount", "5000"),
        ("capture_method", "manual"),
        ("confirm", "true"),
        ("currency", "usd"),
        ("customer", "cus_1"),
        ("off_session", "true"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("metadata[aisle_order]", id.as_str()),
    ];
    for (name, value) in expected {
        assert_eq!(sent.form.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(books.log[1].call.path(), format!("/v1/payment_intents/{}/cancel", hold.reference));
}

#[test]
fn declines_say_why_and_who_can_mend_it() {
    let shop = shop();
    let charge = |token: &str| shop.stripe.submit(&usd(token, token, Task::Charge, 700));
    assert_eq!(declined(&charge("pm_card_chargeDeclined")), ("generic_decline", false));
    assert_eq!(declined(&charge("pm_card_chargeDeclinedInsufficientFunds")), ("insufficient_funds", false));
    assert_eq!(declined(&charge("pm_card_authenticationRequired")), ("authentication_required", true));
    let order = usd("pm_card_authenticationRequired", "pm_card_authenticationRequired", Task::Charge, 700);
    assert_eq!(declined(&shop.stripe.query(&order, None)), ("authentication_required", true));
    assert!(matches!(charge("pm_processing"), Answer::Pending { .. }));
}

#[test]
fn a_lost_answer_is_unknown_and_asking_again_moves_nothing_twice() {
    let shop = shop();
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    shop.fake.fault(Fault::HangUpBefore);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unknown { .. }));
    assert!(matches!(shop.stripe.query(&charge, None), Answer::Unavailable { .. }), "never heard of");
    shop.fake.fault(Fault::HangUpAfter);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unknown { .. }));
    shop.fake.fault(Fault::Gibberish);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unknown { .. }));
    let Answer::Done { reference, .. } = shop.stripe.query(&charge, None) else { panic!("it was done") };
    assert_eq!(done(&shop.stripe, &charge).reference, reference);
    assert_eq!(shop.fake.books().intents.len(), 1);
}

#[test]
fn a_stored_server_error_is_looked_behind() {
    let shop = shop();
    let hold = shop.hold();
    let orders = [
        usd("charge", "pm_card_visa", Task::Charge, 700),
        shop.capture(&hold),
        usd("refund", "pm_card_visa", Task::Refund { of: hold }, 250),
    ];
    for order in orders {
        shop.fake.fault(Fault::StoredError);
        assert!(matches!(shop.stripe.submit(&order), Answer::Unknown { .. }), "{:?}", order.task);
        done(&shop.stripe, &order);
    }
    assert_eq!(shop.fake.books().refunds.len(), 1);
    shop.fake.fault(Fault::Error);
    let other = usd("other", "pm_card_visa", Task::Charge, 50);
    assert!(matches!(shop.stripe.submit(&other), Answer::Unknown { .. }));
    done(&shop.stripe, &other);
}

#[test]
fn after_a_day_the_key_is_not_relied_on() {
    let shop = shop();
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    shop.fake.fault(Fault::HangUpAfter);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unknown { .. }));
    // Two more, so that the one that is looked for is on the second page.
    for name in ["second", "third"] {
        done(&shop.stripe, &usd(name, "pm_card_visa", Task::Charge, 100));
    }
    shop.clock.on(Span::from_millis(25 * 3_600_000));
    let sent = shop.fake.books().log.len();
    done(&shop.stripe, &charge);
    let books = shop.fake.books();
    assert!(books.log[sent..].iter().all(|exchange| exchange.call.method == "GET"), "looked up, not sent again");
    assert_eq!(books.intents.len(), 3);
    drop(books);
    // While the search fails nothing may be sent.
    shop.fake.fault(Fault::TooMany);
    let never = usd("never", "pm_card_visa", Task::Charge, 100);
    assert!(matches!(shop.stripe.submit(&never), Answer::Unknown { .. }));
    assert_eq!(shop.fake.books().intents.len(), 3);
    done(&shop.stripe, &never);
}

#[test]
fn errors_mean_what_the_table_says() {
    let shop = shop();
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    shop.fake.fault(Fault::TooMany);
    let Answer::Unavailable { retry_after, message } = shop.stripe.submit(&charge) else { panic!("429") };
    assert_eq!(retry_after, Some(Span::from_millis(7_000)));
    assert!(message.contains("rate_limit") && message.contains("req_test"), "{message}");
    shop.fake.fault(Fault::Conflict);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unknown { .. }));
    shop.fake.fault(Fault::Retryable);
    assert!(matches!(shop.stripe.submit(&charge), Answer::Unavailable { .. }));
    done(&shop.stripe, &charge);
    let other = Order { amount: Money::new(701, charge.amount.currency), ..charge.clone() };
    assert!(matches!(shop.stripe.submit(&other), Answer::Faulty { .. }), "other parameters under one key");
    let missing = Settled { order: charge.id, reference: "pi_9".into(), amount: charge.amount };
    let refund = usd("refund", "pm_card_visa", Task::Refund { of: missing }, 1);
    assert!(matches!(shop.stripe.submit(&refund), Answer::Faulty { .. }));
}

#[test]
fn a_wrong_key_is_told_without_the_key() {
    let shop = shop();
    let wrong = StripeSettings { secret_key: Secret::new("sk_live_x".to_owned()), ..settings(shop.fake.server.url()) };
    assert!(!format!("{wrong:?}").contains("sk_live_x"));
    let stripe = Stripe::new(wrong, shop.clock.clone());
    let Answer::Faulty { message } = stripe.submit(&usd("charge", "pm_card_visa", Task::Charge, 700)) else {
        panic!("a wrong key is for a person")
    };
    assert!(message.contains("401") && !message.contains("sk_"), "{message}");
}

#[test]
fn nobody_there_is_surely_not_done() {
    let shop = shop();
    let url = shop.fake.server.url();
    drop(shop.fake);
    let stripe = Stripe::new(settings(url), shop.clock);
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    let answer = stripe.submit(&charge);
    assert!(matches!(answer, Answer::Unavailable { .. }), "{answer:?}");
    let answer = stripe.query(&charge, None);
    assert!(matches!(answer, Answer::Unknown { .. }), "a question that was not answered says nothing: {answer:?}");
}

#[test]
fn a_hold_in_another_state_is_told_as_it_is() {
    let shop = shop();
    let hold = shop.hold();
    let capture = shop.capture(&hold);
    assert!(matches!(shop.stripe.query(&capture, None), Answer::Unavailable { .. }), "not captured yet");
    done(&shop.stripe, &capture);
    let other = usd("other", "pm_card_visa", Task::Capture { hold: hold.clone() }, 1);
    assert_eq!(declined(&shop.stripe.submit(&other)), ("already_captured", false));
    let void = usd("void", "pm_card_visa", Task::Void { hold: hold.clone() }, 0);
    assert_eq!(declined(&shop.stripe.submit(&void)), ("already_captured", false));
    // The key of the capture was forgotten: Stripe refuses, and the intent says that it was ours.
    let forgotten = Stripe::new(settings(shop.fake.server.url()), shop.clock.clone());
    assert!(matches!(forgotten.reread(&capture, &hold), Answer::Done { .. }));
    shop.fake.books().intents.get_mut(&hold.reference).unwrap()["metadata"]["aisle_capture"] = Value::Null;
    shop.fake.books().intents.get_mut(&hold.reference).unwrap()["metadata"] = json!({ "aisle_order": hold.order });
    assert!(matches!(
        shop.stripe.submit(&usd("by hand", "pm_card_visa", Task::Capture { hold: hold.clone() }, 1)),
        Answer::Faulty { .. }
    ));

    let second = done(&shop.stripe, &usd("second", "pm_card_visa", Task::Authorise, 100));
    let void = usd("void 2", "pm_card_visa", Task::Void { hold: second.clone() }, 0);
    done(&shop.stripe, &void);
    let late = usd("late", "pm_card_visa", Task::Capture { hold: second.clone() }, 100);
    assert_eq!(declined(&shop.stripe.submit(&late)), ("hold_expired", false));
    done(&shop.stripe, &usd("void 3", "pm_card_visa", Task::Void { hold: second }, 0));
}

#[test]
fn what_cannot_be_sent_is_faulty_and_not_sent() {
    let shop = shop();
    let hold = shop.hold();
    let path = Settled { reference: "../customers".into(), ..hold };
    let wrong = [
        usd("a", "", Task::Charge, 700),
        usd("b", "pm_card_visa", Task::Charge, 0),
        usd("c", "pm_card_visa", Task::Charge, -5),
        usd("d", "pm_card_visa", Task::Capture { hold: path }, 1),
        order("e", &method("pm_card_visa"), Task::Charge, 1_001, "KWD"),
    ];
    for order in wrong {
        let answer = shop.stripe.submit(&order);
        assert!(matches!(answer, Answer::Faulty { .. }), "{:?}: {answer:?}", order.task);
    }
    assert_eq!(shop.fake.books().log.len(), 1);
}

#[test]
fn amounts_are_said_in_stripes_units() {
    let money = |minor, code: &str| Money::new(minor, code.parse().unwrap());
    for (minor, code, units) in [(1_250, "USD", 1_250), (500, "JPY", 500), (500, "ISK", 50_000), (1_230, "KWD", 1_230)]
    {
        assert_eq!(amount::to_stripe(money(minor, code)), Ok(units), "{code}");
        assert_eq!(amount::from_stripe(units, &code.to_lowercase()), Ok(money(minor, code)));
    }
    assert_eq!(amount::to_stripe(money(1_200, "MGA")), Ok(12));
    for (minor, code) in [(1_201, "MGA"), (1_231, "KWD"), (i64::MAX, "ISK")] {
        assert!(amount::to_stripe(money(minor, code)).is_err(), "{code}");
    }
    assert!(amount::from_stripe(101, "isk").is_err());
    assert!(amount::from_stripe(1, "zzz").is_err());
}

#[test]
fn more_than_was_asked_for_is_for_a_person() {
    let shop = shop();
    let charge = usd("charge", "pm_card_visa", Task::Charge, 700);
    let taken = done(&shop.stripe, &charge);
    shop.fake.books().intents.get_mut(&taken.reference).unwrap()["amount_received"] = json!(70_000);
    assert!(matches!(shop.stripe.query(&charge, Some(&taken.reference)), Answer::Faulty { .. }));
    shop.fake.books().intents.get_mut(&taken.reference).unwrap()["metadata"] = json!({});
    assert!(matches!(shop.stripe.query(&charge, Some(&taken.reference)), Answer::Faulty { .. }), "not ours");
}

#[test]
fn a_card_is_enrolled_without_personal_data() {
    let shop = shop();
    let shopper = ShopperId::derived(&["anna"]);
    let enrolment = shop.stripe.enrol(shopper, None).unwrap();
    assert_eq!(enrolment.customer, "cus_1");
    assert!(enrolment.client_secret.reveal().contains("_secret_"));
    assert!(!format!("{enrolment:?}").contains("_secret_"));
    assert_eq!(shop.stripe.enrolled(shopper, &enrolment.setup).unwrap(), None);
    shop.fake.books().leave_card(&enrolment.setup);
    let left = shop.stripe.enrolled(shopper, &enrolment.setup).unwrap().unwrap();
    assert_eq!((left.customer.as_str(), left.token.as_str()), ("cus_1", "pm_card_visa"));
    let again = shop.stripe.enrol(shopper, Some("cus_1")).unwrap();
    assert_ne!(again.setup, enrolment.setup);
    assert!(shop.stripe.enrolled(shopper, "seti_none").unwrap_err().to_string().contains("resource_missing"));
    shop.fake.fault(Fault::TooMany);
    assert_eq!(shop.stripe.enrol(shopper, None).unwrap_err().kind(), crate::base::Kind::Unavailable);
}

#[test]
fn a_card_is_that_of_whoever_left_it() {
    let shop = shop();
    let [anna, bert] = ["anna", "bert"].map(|name| ShopperId::derived(&[name]));
    let enrolment = shop.stripe.enrol(anna, None).unwrap();
    let card = method("pm_card_visa");
    assert!(!shop.stripe.confirms(anna, &card).unwrap(), "she has not left it yet");
    shop.fake.books().leave_card(&enrolment.setup);
    assert!(shop.stripe.confirms(anna, &card).unwrap());
    // Whoever knows the names of her customer, her card or her enrolment has none of them.
    assert!(!shop.stripe.confirms(bert, &card).unwrap());
    let refused = shop.stripe.enrolled(bert, &enrolment.setup).unwrap_err();
    assert_eq!(refused.kind(), crate::base::Kind::Conflict, "{refused}");
    let own = shop.stripe.enrol(bert, Some("cus_2")).unwrap();
    shop.fake.books().leave_card(&own.setup);
    for (customer, token) in [("cus_2", "pm_other"), ("cus_1", "pm_card_visa"), ("cus_2", ""), ("", "pm_card_visa")] {
        let mixed = PaymentMethod { customer: customer.into(), ..method(token) };
        assert!(!shop.stripe.confirms(bert, &mixed).unwrap(), "{customer} {token}");
    }
    shop.fake.fault(Fault::TooMany);
    assert_eq!(shop.stripe.confirms(anna, &card).unwrap_err().kind(), crate::base::Kind::Unavailable);
}

#[test]
fn every_call_keeps_to_the_public_description() {
    let Some(contract) = Contract::read() else { return };
    let shop = shop();
    let hold = shop.hold();
    let taken = done(&shop.stripe, &shop.capture(&hold));
    let refund = usd("refund", "pm_card_visa", Task::Refund { of: taken.clone() }, 250);
    done(&shop.stripe, &refund);
    let void = done(&shop.stripe, &usd("second", "pm_card_visa", Task::Authorise, 900));
    done(&shop.stripe, &usd("void", "pm_card_visa", Task::Void { hold: void }, 0));
    for token in ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"] {
        let charge = usd(token, token, Task::Charge, 700);
        shop.stripe.submit(&charge);
        shop.stripe.query(&charge, None);
    }
    shop.stripe.query(&refund, None);
    shop.stripe.query(&refund, Some("re_none"));
    shop.stripe.query(&shop.capture(&hold), Some(&taken.reference));
    for fault in [Fault::Error, Fault::TooMany, Fault::Conflict, Fault::Retryable, Fault::StoredError] {
        shop.fake.fault(fault);
        shop.stripe.submit(&usd("faulted", "pm_card_visa", Task::Charge, 100));
    }
    let enrolment = shop.stripe.enrol(ShopperId::derived(&["anna"]), None).unwrap();
    shop.fake.books().leave_card(&enrolment.setup);
    let left = shop.stripe.enrolled(ShopperId::derived(&["anna"]), &enrolment.setup).unwrap().unwrap();
    shop.stripe.confirms(ShopperId::derived(&["anna"]), &left).unwrap();
    let mut books = shop.fake.books();
    assert_eq!(books.log.len(), 23);
    let problems: Vec<String> = books.log.iter().flat_map(|exchange| contract.problems(exchange)).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    // The description would notice a field too many, one too few, and another kind of value.
    for (name, value) in [("colour", Some("red")), ("amount", None), ("off_session", Some("perhaps"))] {
        let sent = &mut books.log[0].form;
        let before = sent.remove(name);
        sent.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        assert!(!contract.problems(&books.log[0]).is_empty(), "{name}");
        let sent = &mut books.log[0].form;
        sent.remove(name);
        sent.extend(before.map(|before| (name.to_owned(), before)));
    }
}

#[test]
fn the_published_samples_can_be_read() {
    let Some(bytes) = contract_file("stripe/fixtures-2026-08-subset.json") else { return };
    let fixtures: Value = serde_json::from_slice(&bytes).unwrap();
    let sample = |kind: &str| fixtures["resources"][kind].clone();
    let intent: object::Intent = serde_json::from_value(sample("payment_intent")).unwrap();
    assert_eq!(intent.order(), None);
    let refund: object::Refund = serde_json::from_value(sample("refund")).unwrap();
    assert_eq!(refund.order(), None);
    let notice = event::read(&serde_json::to_vec(&sample("event")).unwrap()).unwrap();
    assert_eq!(notice.about, About::Nothing);
    if let Some(contract) = Contract::read() {
        for kind in ["refund", "setup_intent"] {
            assert_eq!(contract.object_problems(kind, &sample(kind)), Vec::<String>::new());
        }
    }
}

/// An event, signed as of `clock`.
fn signed(clock: &Standing, kind: &str, object: &Value) -> (Vec<(String, String)>, Vec<u8>) {
    let event = json!({ "id": "evt_1", "object": "event", "type": kind, "api_version": API_VERSION, "created": 1,
        "livemode": false, "pending_webhooks": 1, "data": { "object": object } });
    let body = serde_json::to_vec(&event).unwrap();
    let signature = signature::sign(&Secret::new("whsec_test".to_owned()), clock.now(), &body);
    (vec![("stripe-signature".to_owned(), signature)], body)
}

#[test]
fn events_say_what_they_are_about() {
    let shop = shop();
    let read = |kind: &str, object: Value| {
        let (headers, body) = signed(&shop.clock, kind, &object);
        shop.stripe.read_notice(&headers, &body, shop.clock.now()).map(|notice| notice.about)
    };
    let (first, second) = (TransferId::derived(&["1"]), TransferId::derived(&["2"]));
    let held = json!({ "metadata": { "aisle_order": first } });
    let captured = json!({ "metadata": { "aisle_order": first, "aisle_capture": second } });
    let about = |order| About::Order { order };
    assert_eq!(read("payment_intent.amount_capturable_updated", held.clone()).unwrap(), about(first));
    assert_eq!(read("payment_intent.succeeded", captured).unwrap(), about(second));
    assert_eq!(read("refund.updated", held.clone()).unwrap(), about(first));
    assert_eq!(read("charge.refund.updated", held.clone()).unwrap(), about(first));
    let charge = json!({ "payment_intent": "pi_1", "metadata": {} });
    assert_eq!(read("charge.refunded", charge).unwrap(), About::Reference { reference: "pi_1".into() });
    let dispute = json!({ "payment_intent": "pi_1", "amount": 700, "currency": "usd" });
    let disputed = About::Dispute { reference: "pi_1".into(), amount: Money::new(700, "USD".parse().unwrap()) };
    assert_eq!(read("charge.dispute.created", dispute).unwrap(), disputed);
    assert!(read("charge.dispute.created", json!({ "payment_intent": "pi_1" })).is_err());
    let closed = |status: &str| {
        let object = json!({ "payment_intent": "pi_1", "amount": 700, "currency": "usd", "status": status });
        ["charge.dispute.closed", "charge.dispute.funds_reinstated"].map(|kind| read(kind, object.clone()).unwrap())
    };
    let ended = |won: Option<Money>| About::DisputeClosed { reference: "pi_1".into(), won };
    let all = Some(Money::new(700, "USD".parse().unwrap()));
    for (status, about) in
        [("won", ended(all)), ("warning_closed", ended(all)), ("lost", ended(None)), ("under_review", About::Nothing)]
    {
        assert_eq!(closed(status), [about.clone(), about], "{status}");
    }
    assert!(
        read("charge.dispute.closed", json!({ "payment_intent": "pi_1", "amount": 7, "currency": "usd" })).is_err()
    );
    for foreign in ["payment_intent.succeeded", "customer.created", "invoice.paid"] {
        assert_eq!(read(foreign, json!({ "metadata": {} })).unwrap(), About::Nothing);
    }
    assert_eq!(read("customer.created", json!({ "metadata": 7 })).unwrap(), About::Nothing);
    let (headers, mut body) = signed(&shop.clock, "payment_intent.succeeded", &held);
    body[9] ^= 1;
    assert!(shop.stripe.read_notice(&headers, &body, shop.clock.now()).is_err());
    assert!(shop.stripe.read_notice(&[], &body, shop.clock.now()).is_err());
}

#[test]
fn no_notice_of_strangers_is_accepted() {
    let clock = Standing::new();
    let now = clock.now();
    let stripe = AssertUnwindSafe(Stripe::new(settings("http://127.0.0.1:9".to_owned()), clock));
    bolero::check!().with_type::<(String, Vec<u8>)>().with_iterations(500).for_each(|(header, body)| {
        let headers = [("Stripe-Signature".to_owned(), header.clone())];
        assert!(stripe.read_notice(&headers, body, now).is_err());
        // Rightly signed nonsense may be refused or understood, but does not panic.
        let signed = signature::sign(&Secret::new("whsec_test".to_owned()), now, body);
        let _ = stripe.read_notice(&[("Stripe-Signature".to_owned(), signed)], body, now);
    });
}
