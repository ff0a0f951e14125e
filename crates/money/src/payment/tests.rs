//! What the tests of several providers stand on: a clock that is set by hand, orders, a server on this machine.

pub(super) mod server;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use ureq::http::Method;

use self::server::{Reaction, Server};
use super::http::{Http, Trouble, is_loopback};
use super::{Draft, Settings, open};
use crate::base::{CartId, Currency, Money, PaymentId, ShopTime, Span, TransferId};
use crate::facts::{Answer, Order, PaymentMethod, Settled, Task};
use crate::ports::{Clock, PaymentProvider};

/// A clock that stands until it is set.
pub(super) struct Standing(AtomicI64);

impl Clock for Standing {
    fn now(&self) -> ShopTime {
        ShopTime::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Standing {
    /// A clock that stands at a time of 2023-11-14.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Standing(AtomicI64::new(1_700_000_000_000_000_000)))
    }

    /// Lets time pass.
    pub(super) fn on(&self, span: Span) {
        self.0.fetch_add(span.as_nanos(), Ordering::Relaxed);
    }
}

/// An order of 2023-11-14, named after `name`.
pub(super) fn order(name: &str, method: &PaymentMethod, task: Task, minor: i64, currency: &str) -> Order {
    let cart = CartId::derived(&["cart"]);
    let currency: Currency = currency.parse().unwrap();
    Order {
        id: TransferId::derived(&[name]),
        payment: PaymentId::of_cart(cart),
        cart,
        task,
        amount: Money::new(minor, currency),
        method: method.clone(),
        lines: Vec::new(),
        made_at: ShopTime::from_nanos(1_700_000_000_000_000_000),
    }
}

/// Submits an order and expects it to be done in full.
pub(super) fn done(provider: &dyn PaymentProvider, order: &Order) -> Settled {
    match provider.submit(order) {
        Answer::Done { reference, amount } if amount == order.amount => Settled { order: order.id, reference, amount },
        other => panic!("{:?}: {other:?}", order.task),
    }
}

/// The code of a decline, and whether the shopper can mend it.
pub(super) fn declined(answer: &Answer) -> (&str, bool) {
    match answer {
        Answer::Declined { code, wants_shopper, .. } => (code, *wants_shopper),
        other => panic!("{other:?}"),
    }
}

/// A file of the contract data, if it is here: below `AISLE_DATA`, else beside the repository. Says when it is not.
pub(super) fn contract_file(name: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from).join("specs").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        let how = format!("nothing is at {}; set AISLE_DATA to the data folder", path.display());
        left_out("documents of others", &how);
    }
    bytes
}

/// Says that the test leaves something out, and notes it for `.ci/run`, as `tests/it/left_out.rs` does.
fn left_out(want: &str, how: &str) {
    eprintln!("left out for want of {want}: {how}");
    let Some(path) = std::env::var_os("AISLE_SKIPPED") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let line = format!("{}\t{want}\n", std::thread::current().name().unwrap_or("a test"));
    std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
}

fn draft(text: &str) -> Draft {
    toml::from_str(text).unwrap()
}

fn problems(text: &str) -> String {
    let problems = Settings::check(draft(text)).unwrap_err();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn nothing_said_is_the_sandbox() {
    let settings = Settings::check(Draft::default()).unwrap();
    assert_eq!(settings, Settings::Sandbox { journal: None, hold: None });
    assert_eq!(open(&settings, Standing::new()).unwrap().name(), "sandbox");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("sandbox.jsonl");
    let settings =
        Settings::check(Draft { journal: Some(journal.clone()), hold_secs: Some(60.0), ..Draft::default() }).unwrap();
    let sandbox = open(&settings, Standing::new()).unwrap();
    assert!(journal.exists());
    assert_eq!(sandbox.statement().unwrap(), Some(Vec::new()));
}

#[test]
fn all_problems_are_named_at_once() {
    let found = problems("provider = \"stripe\"\nbase_url = \"http://stripe.example\"\njournal = \"j\"");
    for named in ["secret_key_env", "webhook_secret_env", "base_url", "`journal` means nothing"] {
        assert!(found.contains(named), "{named}: {found}");
    }
    let found = problems("provider = \"wechat\"\nrisk_fund = \"GIFT\"\nintroduction = \"\"\npublic_key_id = \"P\"");
    let needed = ["merchant_id", "app_id", "service_id", "merchant_serial", "merchant_key_env", "api_v3_key_env"];
    for named in needed.into_iter().chain(["risk_fund", "introduction", "public_key_id", "notify_url"]) {
        assert!(found.contains(named), "{named}: {found}");
    }
    assert!(problems("provider = \"cash\"").contains("sandbox, stripe or wechat"));
    assert!(problems("hold_secs = -1.0").contains("hold_secs"));
    assert!(toml::from_str::<Draft>("secret_key = \"sk_live_1\"").is_err(), "no secrets in the file");
}

#[test]
fn a_secret_written_where_its_name_belongs_is_not_repeated() {
    let found = problems("provider = \"stripe\"\nsecret_key_env = \"sk_live_1\"\nwebhook_secret_env = \"WEBHOOK\"");
    assert!(found.contains("NAME") && !found.contains("sk_live_1"), "{found}");
}

#[test]
fn secrets_are_read_from_their_places_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let stripe = Draft {
        provider: Some("stripe".into()),
        secret_key_file: Some(file("key", "sk_test_1\n")),
        webhook_secret_file: Some(file("secret", "whsec_test\n")),
        ..Draft::default()
    };
    let settings = Settings::check(stripe.clone()).unwrap();
    assert_eq!(open(&settings, Standing::new()).unwrap().name(), "stripe");
    let wrong = Draft {
        secret_key_file: Some(file("key", "pk_live_hidden")),
        webhook_secret_file: None,
        webhook_secret_env: Some("AISLE_TEST_THAT_IS_NEVER_SET".into()),
        ..stripe
    };
    let error = open(&Settings::check(wrong).unwrap(), Standing::new()).map(drop).unwrap_err().to_string();
    assert!(error.contains("secret_key") && error.contains("AISLE_TEST_THAT_IS_NEVER_SET is not set"), "{error}");
    assert!(!error.contains("hidden"), "{error}");

    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/wechat");
    let wechat = Draft {
        merchant_key_file: Some(data.join("merchant.key.pem")),
        api_v3_key_file: Some(file("api", "0123456789abcdef0123456789abcdef\n")),
        public_key_file: Some(data.join("platform-2.pub.pem")),
        ..draft(
            "provider = \"wechat\"\nmerchant_id = \"1900000001\"\napp_id = \"wx1\"\nservice_id = \"500001\"\n\
             merchant_serial = \"37\"\npublic_key_id = \"PUB_KEY_ID_1\"\nnotify_url = \"https://shop.example/notices\"",
        )
    };
    assert_eq!(open(&Settings::check(wechat).unwrap(), Standing::new()).unwrap().name(), "wechat");
}

/// A server that always reacts alike, and how often it was called.
fn reacting(react: impl Fn() -> Reaction + Send + 'static) -> (Server, Arc<Mutex<usize>>) {
    let calls = Arc::new(Mutex::new(0));
    let counted = calls.clone();
    let server = Server::start(move |_| {
        *counted.lock().unwrap() += 1;
        react()
    });
    (server, calls)
}

#[test]
fn credentials_are_not_carried_to_another_address() {
    let (other, called) = reacting(|| Reaction::Reply(200, Vec::new(), b"{}".to_vec()));
    let location = vec![("Location".to_owned(), other.url())];
    let (server, _) = reacting(move || Reaction::Reply(302, location.clone(), Vec::new()));
    let reply = Http::new(&server.url()).call(Method::GET, "/", &[("Authorization", "Bearer x")], b"").unwrap();
    assert_eq!(reply.status, 302);
    assert_eq!(*called.lock().unwrap(), 0);
}

#[test]
fn an_endless_answer_is_given_up() {
    let (server, _) = reacting(|| Reaction::Reply(200, Vec::new(), vec![b' '; (1 << 20) + 1]));
    let trouble = Http::new(&server.url()).call(Method::POST, "/", &[], b"{}").unwrap_err();
    assert!(matches!(trouble, Trouble::Lost(_)), "{trouble:?}");
}

#[test]
fn whoever_speaks_no_tls_is_given_nothing() {
    let (server, called) = reacting(|| Reaction::Reply(200, Vec::new(), b"{}".to_vec()));
    let https = server.url().replace("http://", "https://");
    Http::new(&https).call(Method::POST, "/", &[("Authorization", "Bearer x")], b"{}").unwrap_err();
    drop(server);
    assert_eq!(*called.lock().unwrap(), 0);
}

#[test]
fn only_this_machine_is_spoken_to_in_the_open() {
    for near in ["http://127.0.0.1:12111", "http://localhost", "http://[::1]:80/v1"] {
        assert!(is_loopback(near), "{near}");
    }
    for far in
        ["http://api.stripe.com", "http://localhost.example", "http://localhost@evil.example", "https://127.0.0.1"]
    {
        assert!(!is_loopback(far), "{far}");
    }
}
