use std::path::{Path, PathBuf};

use tokio_postgres::config::SslMode;

use super::{Address, Host, Place, Server};
use crate::base::Kind;

fn server(text: &str) -> Server {
    match Address::parse(text).unwrap().place() {
        Place::Server(server) => (**server).clone(),
        other => panic!("{text}: {other:?}"),
    }
}

/// Hosts with their ports, as they are printed.
fn hosts(text: &str) -> Vec<String> {
    server(text).targets.iter().map(|target| format!("{:?} {}", target.host, target.port)).collect()
}

fn refusal(text: &str) -> String {
    let error = Address::parse(text).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{text}");
    error.to_string()
}

#[test]
fn files_are_files_and_urls_are_none() {
    for (text, path) in [
        ("shop.db", "shop.db"),
        ("sqlite:shop.db", "shop.db"),
        ("sqlite:/var/lib/shop.db", "/var/lib/shop.db"),
        ("./sqlite:shop.db", "./sqlite:shop.db"),
        ("./a=b.db", "./a=b.db"),
        ("./postgres://h", "./postgres://h"),
        ("what?.db", "what?.db"),
        ("shops/a:b.db", "shops/a:b.db"),
        ("2026-11-30T10:00.db", "2026-11-30T10:00.db"),
    ] {
        assert_eq!(Address::parse(text).unwrap().file(), Some(Path::new(path)), "{text}");
    }
    for text in ["sqlite::memory:", ":memory:"] {
        assert!(Address::parse(text).unwrap().is_memory());
    }
    for (text, why) in [
        ("", "no name"),
        ("sqlite:", "no name"),
        ("sqlite://shop.db", "means other files to other programs"),
        ("sqlite:///var/lib/shop.db", "means other files to other programs"),
        ("sqlite:shop.db?mode=ro", "parameters are not taken"),
        ("file:shop.db?mode=ro", "`file:` is not taken"),
        ("file:///var/lib/shop.db", "`file:` is not taken"),
        ("sqlite3:shop.db", "no database that aisle knows"),
        ("SQLITE:shop.db", "no database that aisle knows"),
        ("mysql://u:secret@h/db", "no database that aisle knows"),
        ("jdbc:postgresql://h/db?password=secret", "no database that aisle knows"),
        ("postgres:shop", "begins with `postgresql://`"),
        (" postgres://u:secret@h/db", "this is no path"),
        ("postgresql//u:secret@h/db", "this is no path"),
        ("Postgres,//u:secret@h/db", "this is no path"),
        ("my shop password=secret", "this is no path"),
        ("a=b.db", "`a` is a parameter that aisle does not know"),
        ("shop.db\n", "control character"),
    ] {
        let said = refusal(text);
        assert!(said.contains(why) && said.contains("hint") | said.contains("control"), "{text}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn urls_of_servers_mean_what_they_mean_to_libpq() {
    assert_eq!(hosts("postgresql://h/shop"), [r#"Name("h") 5432"#]);
    assert_eq!(hosts("postgres://h:5433"), [r#"Name("h") 5433"#]);
    assert_eq!(hosts("postgresql://[::1]:5433/shop"), [r#"Name("::1") 5433"#]);
    assert_eq!(hosts("postgresql://h1:1,h2,h3:3/shop"), [r#"Name("h1") 1"#, r#"Name("h2") 5432"#, r#"Name("h3") 3"#]);
    assert_eq!(hosts("postgresql://h1,h2/shop?port=7"), [r#"Name("h1") 7"#, r#"Name("h2") 7"#]);
    let socket = [r#"Socket("/run/pg") 5433"#];
    assert_eq!(hosts("postgresql://till@%2Frun%2Fpg:5433/shop"), socket);
    assert_eq!(hosts("postgresql:///shop?host=/run/pg&port=5433&user=till&sslmode=disable"), socket);
    assert_eq!(hosts("postgresql://till@:5433/shop?host=/run/pg"), socket);
    assert_eq!(hosts("host=/run/pg port=5433 dbname=shop"), socket);
    assert_eq!(hosts("postgresql://h/shop?host=%2Frun%2Fpg&port=5433"), socket, "what comes later counts");
    assert_eq!(server("postgresql:///shop").targets, server("dbname=shop").targets, "the socket of this machine");
    assert!(matches!(server("postgresql://").targets[0].host, Host::Socket(_)));
    let numbered = server("postgresql://db.example/shop?hostaddr=10.0.0.1");
    assert_eq!(numbered.targets[0].address, Some("10.0.0.1".parse().unwrap()));

    let parts = |text: &str| {
        let server = server(text);
        (server.user, server.password.map(|password| password.reveal().clone()), server.database)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parts("postgresql://till:p%40%2F%3A@h/s%20hop"), (some("till"), some("p@/:"), some("s hop")));
    assert_eq!(parts("postgresql://till:a:b?c@h"), (some("till"), some("a:b?c"), None));
    assert_eq!(
        parts("postgresql://h/shop?user=till&password=a+b&dbname=other"),
        (some("till"), some("a+b"), some("other"))
    );
    assert_eq!(
        parts(r"host = h user='till' password = 'it\'s a secret' dbname=back\\slash "),
        (some("till"), some("it's a secret"), some(r"back\slash"))
    );
    assert_eq!(parts("postgresql://@/?user="), (None, None, None));
}

#[test]
fn ways_to_speak_are_read() {
    for (text, privacy) in [
        ("postgresql://h", None),
        ("postgresql://h?sslmode=disable", Some(SslMode::Disable)),
        ("postgresql://h?sslmode=allow", Some(SslMode::Prefer)),
        ("postgresql://h?sslmode=verify-full", Some(SslMode::Require)),
        ("host=h sslmode=require", Some(SslMode::Require)),
    ] {
        assert_eq!(server(text).privacy, privacy, "{text}");
    }
    let server = server("postgresql://h?sslrootcert=/a%20b.pem&connect_timeout=3&options=-csearch_path%3Dx");
    assert_eq!(server.authority, Some(PathBuf::from("/a b.pem")));
    assert_eq!(server.connect_span_max.unwrap().as_secs(), 3);
    assert_eq!(server.config().get_options(), Some("-csearch_path=x"));
    assert_eq!(server.config().get_application_name(), Some("aisle"));
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_no_secret() {
    for (text, whys) in [
        ("postgresql://u:secret@h/s?colour=red&sslmode=off", &["`colour` is a parameter", "`sslmode` is one of"][..]),
        ("postgresql://u:secret@h:port/s?connect_timeout=soon", &["a port is", "`connect_timeout` is a whole number"]),
        ("postgresql://u:secret@h:0,h:70000/s", &["a port is"]),
        ("postgresql://u:sec/ret@h/s", &["a port is"]),
        ("postgresql://u:se@secret@h/s", &["a host has no name"]),
        ("postgresql://u:%zz@h/s", &["`password` has a `%`"]),
        ("postgresql://u:%00@h/s", &["`password` holds a control character"]),
        ("postgresql://u:%ff@h/s", &["`password` has a `%`"]),
        ("postgresql://h1,,h2/s", &["a host has no name"]),
        ("postgresql://h1,h2/s?port=1,2,3", &["as many ports as hosts"]),
        ("postgresql://h1,h2/s?hostaddr=10.0.0.1", &["as many `hostaddr` as hosts"]),
        ("postgresql://h/s?hostaddr=nowhere", &["no number of a host"]),
        ("postgresql://[::1/s", &["has no `]`"]),
        ("postgresql://h/s?sslmode", &["a parameter has no `=`"]),
        ("postgresql://h/s?target_session_attrs=standby", &["`target_session_attrs` is one of"]),
        ("postgresql://h/s?sslcert=a&service=b", &["`sslcert` is a parameter", "`service` is a parameter"]),
        ("host=h password='secret", &["a quote is not closed"]),
        ("host=h secret", &["a keyword has no `=`"]),
        ("host=h a secret=x", &["a keyword has no `=`"]),
        ("host=h Secret=x", &["the name of a parameter is none"]),
    ] {
        let said = refusal(text);
        for why in whys {
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(said.contains("is not the address of a PostgreSQL server") && said.contains("hint"), "{said}");
        assert!(!said.to_lowercase().contains("secret") && !said.contains("ret@"), "{said}");
    }
}

#[test]
fn addresses_are_printed_as_they_can_be_pasted_but_for_the_password() {
    for (text, printed) in [
        ("postgres://u:p@h/db", "postgresql://u:***@h/db"),
        ("postgres://u:p@h:5432/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h1:1,[::1]:2/db?sslmode=require", "postgresql://u@h1:1,[::1]:2/db?sslmode=require"),
        ("postgresql:///db?host=/run/pg&user=u&password=p", "postgresql://u:***@%2Frun%2Fpg/db"),
        ("host=h password='a b' user=u", "postgresql://u:***@h"),
        ("host=h password=p", "postgresql://h?password=***"),
        ("postgresql://h/a%2Fb?options=-c%20x%3Dy", "postgresql://h/a%2Fb?options=-c%20x%3Dy"),
        ("sqlite:a/b.db", "a/b.db"),
        ("sqlite::memory:", "sqlite::memory:"),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.to_string(), printed);
        assert_eq!(Address::parse(printed).unwrap().to_string(), printed);
        assert_eq!(address.has_password(), printed.contains("***"));
        assert!(!format!("{address:?}").contains("a b"));
    }
}
