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
}
