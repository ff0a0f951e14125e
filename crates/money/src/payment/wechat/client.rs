//! Signed calls, and answers whose signature was checked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use ureq::http::Method;

use super::super::http::{Http, Reply, Trouble};
use super::WechatSettings;
use super::keys::{MerchantKey, PlatformKey, PlatformKeys, Refusal, SealKey, Sealed, verify};
use crate::base::{Error, Result, ShopTime, Span, hex};
use crate::ports::Clock;

/// Certificates are asked for again after this long, so that one that was withdrawn is not believed for years.
const CERTIFICATES_SPAN: Span = Span::from_millis(12 * 3_600_000);
/// An unknown key lets certificates be asked for again, but no more often than this: anybody can send an unknown key.
const REFRESH_SPAN_MIN: Span = Span::from_millis(60_000);
/// Certificates that are valid at one time.
const CERTIFICATES_MAX: usize = 16;

/// The wire to WeChat Pay.
pub(super) struct Client {
    http: Http,
    merchant_id: String,
    merchant_serial: String,
    merchant: MerchantKey,
    seal: SealKey,
    random: SystemRandom,
    clock: Arc<dyn Clock>,
    trust: Mutex<Trust>,
}

/// Whom is believed.
struct Trust {
    /// The public key that was given, and the certificates that were downloaded.
    keys: PlatformKeys,
    /// The id of the public key. A merchant who has one may still meet certificates while changing over.
    public_key: Option<String>,
    /// When certificates were last asked for.
    asked_at: Option<ShopTime>,
}

#[derive(Deserialize)]
struct Certificates {
    data: Vec<ListedCertificate>,
}

#[derive(Deserialize)]
struct ListedCertificate {
    serial_no: String,
    encrypt_certificate: Sealed,
}

impl Client {
    /// Reads the keys; nothing is sent yet.
    ///
    /// # Errors
    /// When one of them is none.
    pub(super) fn new(settings: &WechatSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut keys = PlatformKeys::new();
        let public_key = settings.platform_public_key.as_ref();
        if let Some(public) = public_key {
            keys.insert(public.id.clone(), PlatformKey::from_public_key(&public.pem)?);
        }
        let public_key = public_key.map(|public| public.id.clone());
        Ok(Client {
            http: Http::new(&settings.base_url),
            merchant_id: settings.merchant_id.clone(),
            merchant_serial: settings.merchant_serial.clone(),
            merchant: MerchantKey::parse(&settings.merchant_key)?,
            seal: SealKey::parse(&settings.api_v3_key)?,
            random: SystemRandom::new(),
            clock,
            trust: Mutex::new(Trust { keys, public_key, asked_at: None }),
        })
    }

    /// The key that seals messages.
    pub(super) fn seal(&self) -> &SealKey {
        &self.seal
    }

    /// Makes a call. What comes back with a status below 300 was signed by WeChat Pay; errors are not signed.
    pub(super) fn call(&self, method: Method, path: &str, body: &[u8]) -> Result<Reply, Trouble> {
        // Nothing is sent whose answer could not be checked.
        let serial = self.known_serial().map_err(|error| Trouble::NotSent(error.to_string()))?;
        let reply = self.send(method, path, body, Some(&serial))?;
        if reply.status < 300 {
            let believed = self.verify(&reply.headers, &reply.body, self.clock.now());
            believed.map_err(|error| Trouble::Lost(format!("its answer is not believed: {}", error.message())))?;
        }
        Ok(reply)
    }

    /// Checks the signature of an answer or a notice. An unknown key has the certificates asked for again.
    ///
    /// # Errors
    /// When it is not signed as it should be.
    pub(super) fn verify(&self, headers: &[(String, String)], body: &[u8], now: ShopTime) -> Result<()> {
        let refused = |refusal| match refusal {
            Refusal::Forged(why) => Error::input(format!("not signed by WeChat Pay: {why}")),
            Refusal::UnknownKey(serial) => {
                Error::input(format!("signed by a key that is not known or not valid now: `{serial}`"))
            }
        };
        match verify(&self.trust().keys, headers, body, now) {
            Ok(()) => return Ok(()),
            Err(Refusal::UnknownKey(_)) => {}
            Err(refusal) => return Err(refused(refusal)),
        }
        self.refresh(REFRESH_SPAN_MIN)?;
        verify(&self.trust().keys, headers, body, now).map_err(refused)
    }

    /// A key that we can verify with; certificates are downloaded first where that is due.
    fn known_serial(&self) -> Result<String> {
        let now = self.clock.now();
        if let Some(id) = &self.trust().public_key {
            return Ok(id.clone());
        }
        let valid =
            |trust: &Trust| trust.keys.iter().find(|(_, key)| key.is_valid(now)).map(|(serial, _)| serial.clone());
        let known = valid(&self.trust());
        let refreshed = self.refresh(if known.is_some() { CERTIFICATES_SPAN } else { Span::ZERO });
        let known = valid(&self.trust());
        match (known, refreshed) {
            // Old certificates are good enough while new ones cannot be had.
            (Some(serial), _) => Ok(serial),
            (None, Err(error)) => Err(error.during("asking for WeChat Pay's certificates")),
            (None, Ok(())) => Err(Error::unavailable("WeChat Pay has no certificate that is valid now")),
        }
    }

    /// Downloads the certificates, unless they were asked for within `span`.
    fn refresh(&self, span: Span) -> Result<()> {
        let now = self.clock.now();
        {
            let mut trust = self.trust();
            let due = trust.asked_at.is_none_or(|asked_at| asked_at + span <= now);
            if !due {
                return Ok(());
            }
            trust.asked_at = Some(now);
        }
        let downloaded = self.download(now)?;
        let mut trust = self.trust();
        let Trust { keys, public_key, .. } = &mut *trust;
        keys.retain(|serial, _| Some(serial) == public_key.as_ref());
        keys.extend(downloaded);
        Ok(())
    }

    fn download(&self, now: ShopTime) -> Result<PlatformKeys> {
        let reply = self.send(Method::GET, "/v3/certificates", b"", None).map_err(|trouble| match trouble {
            Trouble::NotSent(why) | Trouble::Lost(why) => Error::unavailable(why),
        })?;
        if reply.status != 200 {
            return Err(Error::unavailable(super::object::Failure::of(&reply).message()));
        }
        let listed: Certificates = serde_json::from_slice(&reply.body)
            .map_err(|error| Error::input(format!("the list of certificates cannot be read: {error}")))?;
        let mut keys = PlatformKeys::new();
        for listed in listed.data.iter().take(CERTIFICATES_MAX) {
            let (serial, key) = PlatformKey::from_certificate(&self.seal.open(&listed.encrypt_certificate)?)?;
            if !serial.eq_ignore_ascii_case(&listed.serial_no) {
                return Err(Error::input("a certificate of WeChat Pay's is listed under another number"));
            }
            keys.insert(serial, key);
        }
        // Who could seal them knows the APIv3 key; the answer is signed by one of them besides.
        verify(&keys, &reply.headers, &reply.body, now).map_err(|refusal| match refusal {
            Refusal::Forged(why) | Refusal::UnknownKey(why) => {
                Error::input(format!("the list of certificates is not signed by one of them: {why}"))
            }
        })?;
        Ok(keys)
    }

    fn send(&self, method: Method, path: &str, body: &[u8], serial: Option<&str>) -> Result<Reply, Trouble> {
        let authorization = self.authorization(method.as_str(), path, body);
        let authorization = authorization.map_err(|error| Trouble::NotSent(error.to_string()))?;
        let mut headers = vec![("Authorization", authorization.as_str()), ("Accept", "application/json")];
        headers.extend(serial.map(|serial| ("Wechatpay-Serial", serial)));
        if method != Method::GET {
            headers.push(("Content-Type", "application/json"));
        }
        self.http.call(method, path, &headers, body)
    }

    /// The header that signs a call.
    fn authorization(&self, method: &str, path: &str, body: &[u8]) -> Result<String> {
        let mut dice = [0; 16];
        self.random.fill(&mut dice).map_err(|_| Error::unavailable("no random numbers"))?;
        let (nonce, secs) = (hex(&dice), self.clock.now().as_nanos().div_euclid(1_000_000_000));
        let text = [format!("{method}\n{path}\n{secs}\n{nonce}\n").as_bytes(), body, b"\n"].concat();
        let signature = self.merchant.sign(&text)?;
        let (merchant, serial) = (&self.merchant_id, &self.merchant_serial);
        Ok(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant}\",nonce_str=\"{nonce}\",timestamp=\"{secs}\",\
             serial_no=\"{serial}\",signature=\"{signature}\""
        ))
    }

    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
