//! Keys of both sides: ours to sign with, WeChat Pay's to verify with, and the one both share to seal notices.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::super::signature::header;
use crate::base::{Error, Result, Secret, ShopTime, Span};

/// A signature this old, or this much of the future, is refused; WeChat Pay's own libraries do the same.
const SKEW_SPAN: Span = Span::from_millis(300_000);
/// The only sort of signature there is.
const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";
/// The only way in which messages are sealed.
const SEAL: &str = "AEAD_AES_256_GCM";

/// The merchant's private key.
pub(super) struct MerchantKey {
    pair: RsaKeyPair,
    random: SystemRandom,
}

/// Whom to believe, by the serial number of a platform certificate or the id of a public key.
pub(super) type PlatformKeys = BTreeMap<String, PlatformKey>;

/// A public key of WeChat Pay.
pub(super) struct PlatformKey {
    /// In PKCS #1.
    der: Vec<u8>,
    /// Where it comes with a certificate.
    validity: Option<(ShopTime, ShopTime)>,
}

/// Why an answer or a notice is not believed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It may be signed by a key that is newer than those we know.
    UnknownKey(String),
    /// It is not signed as it should be.
    Forged(String),
}

/// The key that seals messages, which the merchant chose.
pub(super) struct SealKey(LessSafeKey);

/// A sealed message.
#[derive(serde::Deserialize)]
pub(super) struct Sealed {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
}

impl MerchantKey {
    /// From PKCS #8 in PEM, at least 2048 bit.
    ///
    /// # Errors
    /// When it is not such a key.
    pub(super) fn parse(pem: &Secret<String>) -> Result<Self> {
        let wrong = || Error::usage("the merchant's private key is no RSA key of at least 2048 bit in PKCS #8 as PEM");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.reveal().as_bytes()).map_err(|_| wrong())?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?;
        Ok(MerchantKey { pair, random: SystemRandom::new() })
    }

    /// Signs a text, in base64.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub(super) fn sign(&self, text: &[u8]) -> Result<String> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.random, text, &mut signature)
            .map_err(|_| Error::unavailable("cannot sign: no random numbers"))?;
        Ok(BASE64_STANDARD.encode(signature))
    }
}

impl PlatformKey {
    /// From a public key in PEM.
    ///
    /// # Errors
    /// When it is not one.
    pub(super) fn from_public_key(pem: &str) -> Result<Self> {
        let wrong = || Error::usage("WeChat Pay's public key is no public key as PEM");
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
        let info = SubjectPublicKeyInfoRef::from_der(der.as_ref()).map_err(|_| wrong())?;
        Ok(PlatformKey { der: info.subject_public_key.raw_bytes().to_vec(), validity: None })
    }

    /// From a certificate in PEM, with its serial number in capital hexadecimal digits.
    ///
    /// # Errors
    /// When it is not one.
    pub(super) fn from_certificate(pem: &[u8]) -> Result<(String, Self)> {
        let wrong = || Error::input("WeChat Pay's certificate cannot be read");
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| wrong())?;
        let body = Certificate::from_der(der.as_ref()).map_err(|_| wrong())?.tbs_certificate;
        let time = |time: x509_cert::time::Time| {
            let nanos = i64::try_from(time.to_unix_duration().as_nanos()).unwrap_or(i64::MAX);
            ShopTime::from_nanos(nanos)
        };
        let serial = body
            .serial_number
            .as_bytes()
            .iter()
            .skip_while(|byte| **byte == 0)
            .map(|byte| format!("{byte:02X}"))
            .collect();
        let der = body.subject_public_key_info.subject_public_key.raw_bytes().to_vec();
        let validity = Some((time(body.validity.not_before), time(body.validity.not_after)));
        Ok((serial, PlatformKey { der, validity }))
    }

    /// Whether its certificate, if it has one, is valid now.
    pub(super) fn is_valid(&self, now: ShopTime) -> bool {
        self.validity.is_none_or(|(from, until)| from <= now && now <= until)
    }
}

/// Checks who signed a body, and when.
///
/// # Errors
/// When it is not signed by a key we know, within five minutes of now.
pub(super) fn verify(
    keys: &PlatformKeys,
    headers: &[(String, String)],
    body: &[u8],
    now: ShopTime,
) -> Result<(), Refusal> {
    let forged = |why: &str| Refusal::Forged(why.to_owned());
    let named = |name: &str| header(headers, name).ok_or_else(|| Refusal::Forged(format!("no header `{name}`")));
    let (secs, nonce) = (named("Wechatpay-Timestamp")?, named("Wechatpay-Nonce")?);
    let (serial, signature) = (named("Wechatpay-Serial")?, named("Wechatpay-Signature")?);
    if header(headers, "Wechatpay-Signature-Type").is_some_and(|kind| kind != SIGNATURE_TYPE) {
        return Err(forged("another sort of signature"));
    }
    let at = secs.parse::<i64>().ok().and_then(|secs| secs.checked_mul(1_000_000_000)).map(ShopTime::from_nanos);
    let at = at.ok_or_else(|| forged("no readable time"))?;
    if SKEW_SPAN <= (now - at).abs() {
        return Err(forged("signed at another time; check this machine's clock if everything is refused"));
    }
    let Some(key) = keys.get(serial).filter(|key| key.is_valid(now)) else {
        return Err(Refusal::UnknownKey(serial.chars().take(64).collect()));
    };
    // Probes that WeChat Pay sends on purpose, `WECHATPAY/SIGNTEST/…`, end here or at the next step, like any forgery.
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| forged("the signature is not base64"))?;
    let text = [secs.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.der);
    key.verify(&text, &signature).map_err(|_| forged("the signature does not fit"))
}

impl SealKey {
    /// From the APIv3 key of the merchant.
    ///
    /// # Errors
    /// When it has not 32 bytes.
    pub(super) fn parse(key: &Secret<String>) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.reveal().as_bytes());
        let key = key.map_err(|_| Error::usage("the APIv3 key has not 32 letters and digits"))?;
        Ok(SealKey(LessSafeKey::new(key)))
    }

    /// Opens a message.
    ///
    /// # Errors
    /// When it was not sealed with this key.
    pub(super) fn open(&self, sealed: &Sealed) -> Result<Vec<u8>> {
        let wrong = || Error::input("WeChat Pay's message cannot be opened").hint("compare the APIv3 key");
        if sealed.algorithm != SEAL {
            return Err(Error::input("WeChat Pay's message is sealed in an unknown way"));
        }
        let nonce = Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).map_err(|_| wrong())?;
        let mut text = BASE64_STANDARD.decode(&sealed.ciphertext).map_err(|_| wrong())?;
        let open = self.0.open_in_place(nonce, Aad::from(sealed.associated_data.as_bytes()), &mut text);
        let length = open.map_err(|_| wrong())?.len();
        text.truncate(length);
        Ok(text)
    }
}
