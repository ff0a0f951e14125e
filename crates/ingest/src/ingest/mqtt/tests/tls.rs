//! A broker that speaks TLS, with certificates that are made for one test.

use std::path::Path;
use std::process::Command;

use super::peer::Mosquitto;
use super::*;

/// A certificate for this machine and its key, which the program openssl makes; it holds for so many days.
fn certify_for(folder: &Path, days: i32) {
    let arguments = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days {days} -subj /CN=127.0.0.1 \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 \
         -keyout server.key -out server.crt"
    );
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn certify(folder: &Path) {
    certify_for(folder, 2);
}

#[test]
fn until_when_a_certificate_holds_is_told_and_one_that_has_ended_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let [certificate, key, two] = ["server.crt", "server.key", "two.pem"].map(|name| folder.path().join(name));
    let mut broker = Opening::at(1).settings.broker;
    (broker.tls, broker.identity) = (true, Some((certificate.clone(), key)));
    let days = |until: ShopTime| (until - WallClock.now()).as_secs() / 86_400.0;
    let ends = certificate_ends(&broker).unwrap();
    assert!(
        ends.len() == 1 && ends[0].key == "certificate_file" && (1.9..2.1).contains(&days(ends[0].until)),
        "{ends:?}"
    );
    // Of several the first that ends is told of what is shown, and the last of who is trusted.
    let first = std::fs::read(&certificate).unwrap();
    certify_for(folder.path(), 50);
    std::fs::write(&two, [std::fs::read(&certificate).unwrap(), first].concat()).unwrap();
    (broker.ca_file, broker.identity) = (Some(two.clone()), Some((two, folder.path().join("server.key"))));
    let ends: Vec<f64> = certificate_ends(&broker).unwrap().iter().map(|end| days(end.until)).collect();
    assert!((49.9..50.1).contains(&ends[0]) && (1.9..2.1).contains(&ends[1]), "{ends:?}");

    // What of it has ended is not used: the one that is shown ends first.
    let mut wire = Wire::new(&Address {
        host: broker.host.clone(),
        port: broker.port,
        client_id: "test".to_owned(),
        keep_alive: Duration::from_secs(1),
        is_kept: false,
    });
    let tls = Tls::of(&broker).unwrap();
    assert_eq!(tls.apply(&mut wire, WallClock.now()).map(|ends| ends.len()), Ok(2));
    let later = |days: f64| WallClock.now() + Span::from_secs(days * 86_400.0);
    let cause = tls.apply(&mut wire, later(3.0)).unwrap_err();
    assert!(
        cause.starts_with("`certificate_file`: the certificate in ") && cause.contains("two.pem ended "),
        "{cause}"
    );
    let cause = tls.apply(&mut wire, later(51.0)).unwrap_err();
    assert!(cause.starts_with("`ca_file`: the certificate in "), "{cause}");
}

#[test]
fn certificates_are_read_before_every_connection_and_a_stranger_is_not_trusted() {
    let Some(mut broker) = Mosquitto::prepared(false) else { return };
    certify(broker.folder());
    broker.set("certfile FOLDER/server.crt\nkeyfile FOLDER/server.key\n");
    let trusted = tempfile::tempdir().unwrap();
    let ca_file = trusted.path().join("ca.pem");
    let mut opening = Opening::at(broker.port);
    (opening.settings.broker.tls, opening.settings.broker.ca_file) = (true, Some(ca_file.clone()));
    let mut shop = opening.open();
    let cause = || shop.health.get(BROKER).unwrap().cause.unwrap_or_default();
    wait_for("no certificate", || cause().contains("ca.pem holds no certificate"));
    broker.run();
    std::fs::copy(broker.folder().join("server.crt"), &ca_file).unwrap();
    shop.wait_online();
    assert!(shop.health.get(BROKER).unwrap().certificates.contains_key("ca_file"));
    // The broker gets another certificate: it is a stranger, until its new one is trusted.
    broker.kill();
    certify(broker.folder());
    broker.run();
    wait_for("a stranger", || cause().contains("TLS"));
    std::fs::copy(broker.folder().join("server.crt"), &ca_file).unwrap();
    shop.wait_online();
    shop.stop();
}
