use super::{Options, open, without_password};
use crate::base::{Kind, ShopTime};

const NOW: ShopTime = ShopTime::from_nanos(1_700_000_000_000_000_000);

#[test]
fn passwords_are_not_printed() {
    let cases = [
        ("postgres://u:p@h/db", "postgres://u:***@h/db"),
        ("postgresql://u:p@h:5433/db?sslmode=require", "postgresql://u:***@h:5433/db?sslmode=require"),
        ("postgres://u:p@ss/w?rd@h/db", "postgres://u:***@h/db"),
        ("postgres://u:p:q@h/db", "postgres://u:***@h/db"),
        ("postgres://u@h/db", "postgres://u@h/db"),
        ("postgres://h:5432/db", "postgres://h:5432/db"),
        ("postgres:///db?user=u&password=p&x=1", "postgres:///db?user=u&password=***&x=1"),
        ("postgres:///db?sslPassword=p", "postgres:///db?sslPassword=***"),
        ("host=h password=p user=u", "host=h password=*** user=u"),
        ("sqlite:a/b.db", "sqlite:a/b.db"),
    ];
    for (url, printed) in cases {
        assert_eq!(without_password(url), printed);
    }
}

#[test]
fn an_address_that_is_none_is_refused_without_its_password() {
    for url in ["", "sqlite:", "mysql://u:secret@h/db", "host=h password=secret"] {
        let error = open(url, &Options::default(), NOW).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage, "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn memory_is_a_database() {
    let mut database = open("sqlite::memory:", &Options::default(), NOW).unwrap();
    let applied = database.transaction(|session| Ok(session.query("SELECT applied_at FROM migrations", &[])?)).unwrap();
    assert_eq!(applied[0].int(0).unwrap(), NOW.as_nanos());
}
