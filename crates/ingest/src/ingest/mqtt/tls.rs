//! How the connection is hidden from others: it takes the paths of certificates, and reads them before every connection, so
//! that a new certificate is taken without a new start. It never trusts what nobody named or the machine does not trust.

use std::path::PathBuf;

use super::wire::Wire;
use crate::base::ShopTime;
use crate::ingest::devices::Broker;

/// Until when the certificates of a file hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateEnd {
    /// The key of the shop's file that names them: `ca_file`, `certificate_file`.
    pub key: &'static str,
    /// The file.
    pub file: PathBuf,
    /// Of whom to trust, the last of them; of what this end shows, the first.
    pub until: ShopTime,
}

/// Until when the certificates hold that the settings of a broker name; what the machine itself trusts is not looked at.
///
/// # Errors
/// A sentence: one cannot be read, or this aisle is built without TLS for MQTT.
#[cfg(feature = "mqtt-tls")]
pub fn certificate_ends(broker: &Broker) -> Result<Vec<CertificateEnd>, String> {
    let mut ends = Vec::new();
    if let Some(file) = &broker.ca_file {
        ends.push(CertificateEnd { key: "ca_file", file: file.clone(), until: reading::until(file, Iterator::max)? });
    }
    if let Some((file, _)) = &broker.identity {
        let until = reading::until(file, Iterator::min)?;
        ends.push(CertificateEnd { key: "certificate_file", file: file.clone(), until });
    }
    Ok(ends)
}

/// Until when the certificates hold that the settings of a broker name; what the machine itself trusts is not looked at.
///
/// # Errors
/// A sentence: one cannot be read, or this aisle is built without TLS for MQTT.
#[cfg(not(feature = "mqtt-tls"))]
pub fn certificate_ends(_broker: &Broker) -> Result<Vec<CertificateEnd>, String> {
    Err(WITHOUT.to_owned())
}

#[cfg(not(feature = "mqtt-tls"))]
const WITHOUT: &str = "this aisle is built without TLS for MQTT: build it with the feature `mqtt-tls`, or say mqtt://";

/// The certificates of a connection.
pub(super) struct Tls {
    #[cfg_attr(not(feature = "mqtt-tls"), expect(dead_code, reason = "without the feature nothing is read"))]
    broker: Broker,
}

impl Tls {
    /// Of a broker that wants it.
    pub(super) fn of(broker: &Broker) -> Option<Self> {
        broker.tls.then(|| Tls { broker: broker.clone() })
    }

    /// Reads the certificates and sets them for the next connection.
    ///
    /// # Errors
    /// A sentence.
    #[cfg(not(feature = "mqtt-tls"))]
    pub(super) fn apply(&self, _wire: &mut Wire, _now: ShopTime) -> Result<Vec<CertificateEnd>, String> {
        Err(WITHOUT.to_owned())
    }

    /// Reads the certificates and sets them for the next connection; until when they hold.
    ///
    /// # Errors
    /// A sentence: also where they do not hold any more.
    #[cfg(feature = "mqtt-tls")]
    pub(super) fn apply(&self, wire: &mut Wire, now: ShopTime) -> Result<Vec<CertificateEnd>, String> {
        let ends = certificate_ends(&self.broker)?;
        if let Some(CertificateEnd { key, file, until }) = ends.iter().find(|end| end.until < now) {
            return Err(format!("`{key}`: the certificate in {} ended {until}", file.display()));
        }
        let config = reading::config(self.broker.ca_file.as_deref(), self.broker.identity.as_ref())?;
        wire.set_transport(rumqttc::Transport::tls_with_config(config.into()));
        Ok(ends)
    }
}

/// Certificates and keys, as files hold them.
#[cfg(feature = "mqtt-tls")]
mod reading {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, RootCertStore};
    use x509_cert::Certificate;
    use x509_cert::der::Decode as _;

    use crate::base::ShopTime;

    /// Until when the certificates of a file hold; `which` of them counts.
    pub(super) fn until(
        file: &Path,
        which: impl Fn(std::vec::IntoIter<ShopTime>) -> Option<ShopTime>,
    ) -> Result<ShopTime, String> {
        let until = |certificate: &CertificateDer<'_>| {
            let read = Certificate::from_der(certificate).map_err(|error| error.to_string())?;
            let after = read.tbs_certificate.validity.not_after.to_unix_duration();
            // What ends after the year 2262 never ends here.
            Ok(i64::try_from(after.as_nanos()).map_or(ShopTime::MAX, ShopTime::from_nanos))
        };
        let ends: Result<Vec<ShopTime>, String> = certificates(file)?.iter().map(until).collect();
        let ends = ends.map_err(|why| format!("{} holds a certificate that cannot be read: {why}", file.display()))?;
        which(ends.into_iter()).ok_or_else(|| format!("{} holds no certificate", file.display()))
    }

    pub(super) fn config(
        authorities: Option<&Path>,
        identity: Option<&(PathBuf, PathBuf)>,
    ) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        let trusted = match authorities {
            Some(file) => certificates(file)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let (added, _) = roots.add_parsable_certificates(trusted);
        if added == 0 {
            return Err("no certificate is trusted: name one in `ca_file`".to_owned());
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        match identity {
            None => Ok(builder.with_no_client_auth()),
            Some((certificate, key_file)) => {
                let place = key_file.display();
                // What exactly is wrong with a key stays unsaid.
                let key =
                    PrivateKeyDer::from_pem_file(key_file).map_err(|_| format!("`key_file`: {place} is no key"))?;
                builder
                    .with_client_auth_cert(certificates(certificate)?, key)
                    .map_err(|_| format!("`key_file`: {place} does not fit `certificate_file`"))
            }
        }
    }

    fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
        let wrong = |why: String| format!("{} holds no certificate: {why}", file.display());
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?.collect();
        match certificates {
            Ok(certificates) if certificates.is_empty() => Err(wrong("it is empty".to_owned())),
            Ok(certificates) => Ok(certificates),
            Err(error) => Err(wrong(error.to_string())),
        }
    }
}
