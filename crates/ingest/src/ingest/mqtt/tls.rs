//! How the connection is hidden from others: it takes the paths of certificates, and reads them before every connection, so
//! that a new certificate is taken without a new start. It never trusts what nobody named or the machine does not trust.

use super::wire::Wire;
use crate::ingest::devices::Broker;

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
    pub(super) fn apply(&self, _wire: &mut Wire) -> Result<(), String> {
        Err("this aisle is built without TLS for MQTT: build it with the feature `mqtt-tls`, or say mqtt://".to_owned())
    }

    /// Reads the certificates and sets them for the next connection.
    ///
    /// # Errors
    /// A sentence.
    #[cfg(feature = "mqtt-tls")]
    pub(super) fn apply(&self, wire: &mut Wire) -> Result<(), String> {
        let config = reading::config(self.broker.ca_file.as_deref(), self.broker.identity.as_ref())?;
        wire.set_transport(rumqttc::Transport::tls_with_config(config.into()));
        Ok(())
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
