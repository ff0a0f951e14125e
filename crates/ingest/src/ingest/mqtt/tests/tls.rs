//! A broker that speaks TLS, with certificates that are made for one test.

use std::path::Path;
use std::process::Command;

use super::peer::Mosquitto;
use super::*;

/// A certificate for this machine and its key, which the program openssl makes.
fn certify(folder: &Path) {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
                     -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 \
                     -keyout server.key -out server.crt";
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
    // The broker gets another certificate: it is a stranger, until its new one is trusted.
    broker.kill();
    certify(broker.folder());
    broker.run();
    wait_for("a stranger", || cause().contains("TLS"));
    std::fs::copy(broker.folder().join("server.crt"), &ca_file).unwrap();
    shop.wait_online();
    shop.stop();
}
