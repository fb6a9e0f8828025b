//! Request signatures: SDK-HMAC-SHA256 and its relatives, made and verified.
//!
//! A caller with an access key sends no secret. It writes the request in a canonical form, hashes it,
//! and sends a keyed hash of that in `Authorization`. A server that knows the secret computes the same:
//!
//! ```text
//! canonical request = METHOD ⏎ path ⏎ query ⏎ headers ⏎ names of the signed headers ⏎ hash of the body
//! string to sign    = SDK-HMAC-SHA256 ⏎ X-Sdk-Date ⏎ hex(sha256(canonical request))
//! signature         = hex(hmac_sha256(secret, string to sign))
//! ```
//!
//! Nothing here does I/O or reads a clock. The rules are those of the vendor's own SDKs, whose requests
//! [`Signature::verify`] accepts although they differ from each other:
//!
//! | part | rule |
//! |---|---|
//! | path | percent-decoded once as a whole, split at `/`, each segment encoded again, and a `/` at the end |
//! | query | pairs sorted by decoded name, then decoded value, encoded again; an empty value keeps its `=`; `+` is a space. In the order received if that does not verify |
//! | headers | `name:value` for each name in `SignedHeaders`, without outer white space; a header given several times has its values sorted, a line each |
//! | body | the hash of its bytes; `UNSIGNED-PAYLOAD` may stand in for a body that is neither JSON nor BSON |
//!
//! Everything but `A-Z a-z 0-9 - _ . ~` is encoded, over bytes, as `%XX`.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use fabric_model::signature::{AccessKey, Algorithm, RequestLine, Signature};
//! use http::{HeaderMap, Method};
//!
//! let key = AccessKey::new("AKIDEXAMPLE", "the secret")?;
//! let line = RequestLine {
//!     method: &Method::GET,
//!     path: "/v1/access-clients",
//!     query: "limit=10",
//!     host: b"fabric.cn-north-4.myhuaweicloud.com",
//! };
//! let mut headers = HeaderMap::new();
//! let now = UNIX_EPOCH + Duration::from_secs(1_757_925_000);
//! key.sign(&Algorithm::Sha256, line, &mut headers, b"", now);
//! assert_eq!(headers["x-sdk-date"], "20250915T083000Z");
//!
//! let signature = Signature::read(&headers)?;
//! assert_eq!(signature.access_key_id(), "AKIDEXAMPLE");
//! assert!(signature.verify(&key, line, &headers, b"").is_ok());
//! assert!(signature.verify(&key, line, &headers, b"{}").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{self, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sm3::Sm3;

use crate::header::{X_SDK_DATE, X_SECURITY_TOKEN, is_secret};
use crate::{ApiError, Failure, Invalid};

/// How far the date of a signature may be from the time of the verifier.
pub const DATE_TOLERANCE: Duration = Duration::from_mins(15);

/// Everything but the unreserved characters of RFC 3986 is escaped, in path and query alike.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a request is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// SDK-HMAC-SHA256, which the vendor's SDKs use unless told otherwise.
    #[default]
    Sha256,
    /// SDK-HMAC-SM3: the same with SM3 in place of SHA-256.
    Sm3,
    /// V11-HMAC-SHA256: SHA-256, with a key that is derived for a day, a region and a service.
    Derived {
        /// The region, such as `cn-north-4`.
        region: String,
        /// The service, such as `dataartsfabric`.
        service: String,
    },
}

const SHA256: &str = "SDK-HMAC-SHA256";
const SM3: &str = "SDK-HMAC-SM3";
const DERIVED: &str = "V11-HMAC-SHA256";

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

impl Algorithm {
    fn scheme(&self) -> &'static str {
        match self {
            Self::Sha256 => SHA256,
            Self::Sm3 => SM3,
            Self::Derived { .. } => DERIVED,
        }
    }

    /// The header in which a signer may state the hash of the body.
    fn content_header(&self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Sm3 => "x-sdk-content-sm3",
            _ => "x-sdk-content-sha256",
        })
    }

    fn hash(&self, bytes: &[u8]) -> String {
        match self {
            Self::Sm3 => hex::encode(Sm3::digest(bytes)),
            _ => hex::encode(Sha256::digest(bytes)),
        }
    }

    /// What a derived key is derived for.
    fn derivation(&self, date: &str) -> Option<String> {
        match self {
            Self::Derived { region, service } => {
                let day = date.get(..8).unwrap_or(date);
                Some(format!("{day}/{region}/{service}"))
            }
            _ => None,
        }
    }

    fn string_to_sign(&self, date: &str, canonical_request: &[u8]) -> String {
        let derivation = self.derivation(date).map(|info| info + "\n").unwrap_or_default();
        let hash = self.hash(canonical_request);
        [self.scheme(), "\n", date, "\n", &derivation, &hash].concat()
    }

    fn mac(&self, key: &AccessKey, date: &str, string_to_sign: &str) -> KeyedHash {
        let secret = key.secret.expose_secret().as_bytes();
        let text = string_to_sign.as_bytes();
        match self.derivation(date) {
            None if *self == Self::Sm3 => KeyedHash::Sm3(mac_of(secret, text)),
            None => KeyedHash::Sha256(mac_of(secret, text)),
            Some(derivation) => {
                let mut derived = zeroize::Zeroizing::new([0; 32]);
                Hkdf::<Sha256>::new(Some(key.id.as_bytes()), secret)
                    .expand(derivation.as_bytes(), &mut *derived)
                    .expect("32 bytes are not too many");
                let derived = zeroize::Zeroizing::new(hex::encode(*derived));
                KeyedHash::Sha256(mac_of(derived.as_bytes(), text))
            }
        }
    }
}

fn mac_of<M: Mac + KeyInit>(secret: &[u8], text: &[u8]) -> M {
    <M as KeyInit>::new_from_slice(secret)
        .expect("a secret of any length will do")
        .chain_update(text)
}

enum KeyedHash {
    Sha256(Hmac<Sha256>),
    Sm3(Hmac<Sm3>),
}

impl KeyedHash {
    fn into_hex(self) -> String {
        match self {
            Self::Sha256(mac) => hex::encode(mac.finalize().into_bytes()),
            Self::Sm3(mac) => hex::encode(mac.finalize().into_bytes()),
        }
    }

    /// Takes the same time wherever the difference is.
    fn is(self, signature: &[u8]) -> bool {
        match self {
            Self::Sha256(mac) => mac.verify_slice(signature).is_ok(),
            Self::Sm3(mac) => mac.verify_slice(signature).is_ok(),
        }
    }
}

/// An access key (AK/SK): its id, its secret, and a security token if it is a temporary one.
///
/// The secret and the token are cleared from memory when the last copy is dropped, and `Debug` does not
/// print them.
#[derive(Clone)]
pub struct AccessKey {
    id: String,
    secret: SecretString,
    security_token: Option<SecretString>,
}

impl AccessKey {
    /// A permanent access key.
    ///
    /// # Errors
    ///
    /// An id that is not 1 to 128 letters, digits, hyphens and underscores, or an empty secret.
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Result<Self, Invalid> {
        let (id, secret) = (id.into(), secret.into());
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=128).contains(&id.len()) || !id.bytes().all(is_plain) {
            return Err(Invalid::new(
                "access key id",
                "must have 1 to 128 letters, digits, hyphens or underscores",
            ));
        }
        if secret.expose_secret().is_empty() {
            return Err(Invalid::new("secret access key", "must not be empty"));
        }
        Ok(Self { id, secret, security_token: None })
    }

    /// The same key as a temporary one, which is good only with its security token.
    ///
    /// # Errors
    ///
    /// A token that no header can hold: see [`check_token`](crate::header::check_token).
    pub fn with_security_token(mut self, token: impl Into<SecretString>) -> Result<Self, Invalid> {
        let token = token.into();
        crate::header::check_token("security token", token.expose_secret())?;
        self.security_token = Some(token);
        Ok(self)
    }

    /// The id (AK), which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a request: adds `X-Sdk-Date`, `X-Security-Token` for a temporary key, and
    /// `Authorization` to its headers.
    ///
    /// Every header that is there is signed, but for those of the connection and names with `_` in
    /// them; headers added later are not. A body that is neither JSON nor BSON by its `Content-Type`
    /// is left out of the signature, as the vendor's SDKs do, unless there is an `X-Sdk-Content-Sha256`
    /// with a hash: whatever that is, it is set to the hash of the body, and signed.
    ///
    /// A `time` before 1970 or after 9999 counts as the nearest that can be written.
    pub fn sign(
        &self,
        algorithm: &Algorithm,
        line: RequestLine<'_>,
        headers: &mut HeaderMap,
        body: &[u8],
        time: SystemTime,
    ) {
        let date = format_date(time);
        headers.remove(AUTHORIZATION);
        headers.insert(X_SDK_DATE, ascii_value(date.clone()));
        if let Some(token) = &self.security_token {
            let mut value = ascii_value(token.expose_secret().to_owned());
            value.set_sensitive(true);
            headers.insert(X_SECURITY_TOKEN, value);
        }
        let content_header = algorithm.content_header();
        let stated = headers.remove(&content_header);
        let stated = match stated {
            Some(value) if value != UNSIGNED_PAYLOAD => Some(algorithm.hash(body)),
            _ if may_be_unsigned(headers) => Some(UNSIGNED_PAYLOAD.to_owned()),
            _ => None,
        };
        let body_hash = match &stated {
            Some(stated) if !body.is_empty() => stated.clone(),
            _ => algorithm.hash(body),
        };
        if let Some(stated) = stated {
            headers.insert(content_header, ascii_value(stated));
        }
        let signed_headers = names_to_sign(headers).join(";");
        let query = canonical_query(line.query, true);
        let request = canonical_request(line, &query, headers, &signed_headers, &body_hash, false);
        let string_to_sign = algorithm.string_to_sign(&date, &request);
        let signature = algorithm.mac(self, &date, &string_to_sign).into_hex();
        let access = match algorithm.derivation(&date) {
            None => format!("Access={}", self.id),
            Some(derivation) => format!("Credential={}/{derivation}", self.id),
        };
        let scheme = algorithm.scheme();
        let mut value = ascii_value(format!(
            "{scheme} {access}, SignedHeaders={signed_headers}, Signature={signature}"
        ));
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
}

/// Takes the same time wherever the difference is.
impl PartialEq for AccessKey {
    fn eq(&self, other: &Self) -> bool {
        let digests = |key: &Self| (digest(Some(&key.secret)), digest(key.security_token.as_ref()));
        self.id == other.id && digests(self) == digests(other)
    }
}

impl Eq for AccessKey {}

/// Stands for a secret in a comparison: how long that takes tells nothing of the secret.
fn digest(secret: Option<&SecretString>) -> Option<[u8; 32]> {
    secret.map(|secret| Sha256::digest(secret.expose_secret()).into())
}

/// Secret and token are left out.
impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessKey")
            .field("id", &self.id)
            .field("is_temporary", &self.security_token.is_some())
            .finish_non_exhaustive()
    }
}

/// What stands before the headers of a request, and whom it is for.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as it is sent, percent-encoded.
    pub path: &'a str,
    /// The query as it is sent, without the `?`.
    pub query: &'a str,
    /// Host and port, where no `Host` is among the headers: `:authority` in HTTP/2.
    pub host: &'a [u8],
}

/// A signature as it came: `Authorization` and `X-Sdk-Date`, read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    algorithm: Algorithm,
    access_key_id: &'a str,
    date: &'a str,
    time: SystemTime,
    signed_headers: &'a str,
    keyed_hash: Vec<u8>,
}

impl<'a> Signature<'a> {
    /// Whether `Authorization` is meant as a signature, of whatever algorithm.
    #[must_use]
    pub fn is_given(headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        values.any(|value| {
            value.as_bytes().starts_with(b"SDK-") || value.as_bytes().starts_with(b"V11-")
        })
    }

    /// Reads the signature in the headers of a request.
    ///
    /// # Errors
    ///
    /// There is no signature, it is incomplete, or its algorithm is not known here.
    pub fn read(headers: &'a HeaderMap) -> Result<Self, Rejection> {
        let text =
            single(headers, &AUTHORIZATION)?.ok_or(Rejection::Unfit("Authorization is missing"))?;
        let (scheme, fields) = text.split_once(' ').unwrap_or((text, ""));
        let field = |name: &str| {
            let fields = fields.split(',').map(str::trim);
            let mut values = fields.filter_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            match (values.next(), values.next()) {
                (Some(value), None) if !value.is_empty() => Ok(value),
                _ => Err(Rejection::Unfit("Authorization is malformed")),
            }
        };
        let date =
            single(headers, &X_SDK_DATE)?.ok_or(Rejection::Unfit("X-Sdk-Date is missing"))?;
        let time =
            parse_date(date).ok_or(Rejection::Unfit("X-Sdk-Date must be YYYYMMDDTHHMMSSZ"))?;
        let (algorithm, access_key_id) = match scheme {
            SHA256 => (Algorithm::Sha256, field("Access")?),
            SM3 => (Algorithm::Sm3, field("Access")?),
            DERIVED => {
                let parts: Vec<&str> = field("Credential")?.split('/').collect();
                let &[id, day, region, service] = &parts[..] else {
                    return Err(Rejection::Unfit("Credential must be KEY/YYYYMMDD/REGION/SERVICE"));
                };
                if !date.starts_with(day) || day.len() != 8 {
                    return Err(Rejection::Unfit("Credential must have the day of X-Sdk-Date"));
                }
                let (region, service) = (region.to_owned(), service.to_owned());
                (Algorithm::Derived { region, service }, id)
            }
            _ => return Err(Rejection::UnknownAlgorithm),
        };
        let signed_headers = field("SignedHeaders")?;
        let mut names: Vec<_> = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        if ![HOST, X_SDK_DATE].iter().all(|needed| names.iter().any(|name| needed == name.as_str()))
        {
            return Err(Rejection::Unfit("SignedHeaders must name host and x-sdk-date"));
        }
        // A name given often would copy a long value often.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Rejection::Unfit("SignedHeaders names a header twice"));
        }
        let keyed_hash = hex::decode(field("Signature")?)
            .map_err(|_| Rejection::Unfit("Signature must be hexadecimal"))?;
        Ok(Self { algorithm, access_key_id, date, time, signed_headers, keyed_hash })
    }

    /// The id (AK) of the key that is said to have signed.
    #[must_use]
    pub fn access_key_id(&self) -> &'a str {
        self.access_key_id
    }

    /// The time of signing, in whole seconds.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Checks that the request was signed with this key, and within 15 minutes of `now`.
    ///
    /// # Errors
    ///
    /// [`Rejection::Date`]; otherwise as [`Self::verify`].
    pub fn verify_at(
        &self,
        now: SystemTime,
        key: &AccessKey,
        line: RequestLine<'_>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Rejection> {
        let off = now.duration_since(self.time).unwrap_or_else(|ahead| ahead.duration());
        if off > DATE_TOLERANCE {
            return Err(Rejection::Date);
        }
        self.verify(key, line, headers, body)
    }

    /// Checks that the request was signed with this key, whenever that was.
    ///
    /// # Errors
    ///
    /// [`Rejection::SecurityToken`] if the key is temporary and the request has another token or none, or
    /// the other way round; [`Rejection::Unfit`] if a signed header or the hash of the body is not what
    /// it should be; otherwise [`Rejection::Mismatch`].
    pub fn verify(
        &self,
        key: &AccessKey,
        line: RequestLine<'_>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Rejection> {
        // An SDK with an empty variable in its environment sends an empty header.
        let given = single(headers, &X_SECURITY_TOKEN)?.filter(|token| !token.is_empty());
        let given = given.map(|token| Sha256::digest(token).into());
        if given != digest(key.security_token.as_ref()) {
            return Err(Rejection::SecurityToken);
        }
        for name in self.signed_headers.split(';') {
            if !headers.contains_key(name) && !name.eq_ignore_ascii_case(HOST.as_str()) {
                return Err(Rejection::Unfit("SignedHeaders names a header that was not sent"));
            }
        }
        let hash = self.algorithm.hash(body);
        let stated = single(headers, &self.algorithm.content_header())?;
        match stated {
            Some(UNSIGNED_PAYLOAD) if !body.is_empty() && !may_be_unsigned(headers) => {
                return Err(Rejection::Unfit("UNSIGNED-PAYLOAD is for bodies that are not JSON"));
            }
            Some(UNSIGNED_PAYLOAD) | None => {}
            Some(stated) if stated.eq_ignore_ascii_case(&hash) => {}
            Some(_) => return Err(Rejection::Unfit("the stated hash is not that of the body")),
        }
        // Of an empty body some SDKs sign the hash, whatever they state, and others what they state.
        let mut hashes = vec![stated.unwrap_or(&hash)];
        if body.is_empty() && hashes[0] != hash {
            hashes.push(&hash);
        }
        let mut queries = vec![canonical_query(line.query, true)];
        let received = canonical_query(line.query, false);
        if received != queries[0] {
            queries.push(received);
        }
        let is_signed = queries.iter().any(|query| {
            hashes.iter().any(|hash| {
                let request =
                    canonical_request(line, query, headers, self.signed_headers, hash, false);
                let string_to_sign = self.algorithm.string_to_sign(self.date, &request);
                self.algorithm.mac(key, self.date, &string_to_sign).is(&self.keyed_hash)
            })
        });
        if is_signed { Ok(()) } else { Err(Rejection::Mismatch) }
    }

    /// What a verifier computes for the request.
    #[must_use]
    pub fn explain(&self, line: RequestLine<'_>, headers: &HeaderMap, body: &[u8]) -> Explanation {
        let hash = self.algorithm.hash(body);
        let stated = single(headers, &self.algorithm.content_header()).ok().flatten();
        let hash = stated.filter(|_| !body.is_empty()).unwrap_or(&hash);
        let query = canonical_query(line.query, true);
        let request = |is_redacted| {
            canonical_request(line, &query, headers, self.signed_headers, hash, is_redacted)
        };
        Explanation {
            string_to_sign: self.algorithm.string_to_sign(self.date, &request(false)),
            canonical_request: String::from_utf8_lossy(&request(true)).into_owned(),
        }
    }
}

/// Why a signed request is rejected, with 401 `APIG.0301`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The signature is incomplete, or contradicts the request.
    Unfit(&'static str),
    /// The algorithm is not known here.
    UnknownAlgorithm,
    /// The access key is not known.
    UnknownKey,
    /// The key had more than five rejections in a row, and is locked for five minutes.
    KeyLocked,
    /// The security token is missing, is not that of the key, or has expired.
    SecurityToken,
    /// `X-Sdk-Date` is more than 15 minutes off.
    Date,
    /// The signature does not match: see [`Signature::explain`].
    Mismatch,
}

/// What a verifier computed for a request whose signature does not match, to be compared with what the
/// signer computed.
///
/// The values of headers that hold [secrets](crate::header::is_secret) are replaced by `[redacted]`; the hash in
/// [`Self::string_to_sign`] is that of the true ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The request in its canonical form.
    pub canonical_request: String,
    /// What is signed: algorithm, date and hash.
    pub string_to_sign: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unfit(reason) => reason,
            Self::UnknownAlgorithm => "the algorithm of the signature is not supported",
            Self::UnknownKey => "Get secretKey failed,err:ak not exist",
            Self::KeyLocked => "AK access failed to reach the limit,forbidden",
            Self::SecurityToken => "decrypt token fail",
            Self::Date => "X-Sdk-Date is more than 15 minutes off",
            Self::Mismatch => "verify aksk signature fail",
        })
    }
}

impl std::error::Error for Rejection {}

/// 401 `APIG.0301`, with the reason in the message.
impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let beginning = "Incorrect IAM authentication information: ";
        Self::saying(Failure::SignatureRejected, &format!("{beginning}{rejection}"))
    }
}

/// A request in the form that is hashed.
fn canonical_request(
    line: RequestLine<'_>,
    query: &str,
    headers: &HeaderMap,
    signed_headers: &str,
    body_hash: &str,
    is_redacted: bool,
) -> Vec<u8> {
    let head = [line.method.as_str(), &canonical_path(line.path), query];
    let mut text = head.join("\n").into_bytes();
    text.reserve(512);
    text.push(b'\n');
    for name in signed_headers.split(';') {
        let name = name.to_ascii_lowercase();
        let values = headers.get_all(&name).iter();
        let mut values: Vec<_> = values.map(|value| value.as_bytes().trim_ascii()).collect();
        if values.is_empty() && name == HOST.as_str() {
            values.push(line.host);
        }
        values.sort_unstable();
        let is_hidden =
            is_redacted && HeaderName::try_from(&name).is_ok_and(|name| is_secret(&name));
        for value in values {
            let value = if is_hidden { b"[redacted]" } else { value };
            for part in [name.as_bytes(), b":", value, b"\n"] {
                text.extend_from_slice(part);
            }
        }
    }
    for part in ["\n", signed_headers, "\n", body_hash] {
        text.extend_from_slice(part.as_bytes());
    }
    text
}

fn canonical_path(path: &str) -> String {
    // Most paths are canonical as they are sent, but for the `/` at their end.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if path.bytes().all(is_plain) {
        let mut canonical = String::with_capacity(path.len() + 1);
        canonical.push_str(path);
        if !path.ends_with('/') {
            canonical.push('/');
        }
        return canonical;
    }
    let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
    let mut canonical = String::with_capacity(path.len() + 1);
    for (position, segment) in decoded.split(|byte| *byte == b'/').enumerate() {
        if position > 0 {
            canonical.push('/');
        }
        canonical.extend(percent_encode(segment, ESCAPED));
    }
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

fn canonical_query(query: &str, is_sorted: bool) -> String {
    if query.is_empty() {
        return String::new();
    }
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        Cow::<'_, [u8]>::from(percent_decode_str(&spaced)).into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (decode(name), decode(value))).collect();
    if is_sorted {
        pairs.sort();
    }
    let mut canonical = String::with_capacity(query.len());
    for (name, value) in &pairs {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        canonical.extend(percent_encode(name, ESCAPED));
        canonical.push('=');
        canonical.extend(percent_encode(value, ESCAPED));
    }
    canonical
}

/// Headers of the connection, which do not arrive as they were sent.
const OF_THE_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The names of the headers to sign, sorted; `host` is always among them.
fn names_to_sign(headers: &HeaderMap) -> Vec<&str> {
    // `Connection` names more of them.
    let listed = headers.get_all(header::CONNECTION).iter().filter_map(|list| list.to_str().ok());
    let listed: Vec<&str> = listed.flat_map(|list| list.split(',')).map(str::trim).collect();
    let is_signed = |name: &&HeaderName| {
        !OF_THE_CONNECTION.contains(name)
            && **name != HOST
            && !name.as_str().contains('_')
            && !listed.iter().any(|listed| listed.eq_ignore_ascii_case(name.as_str()))
    };
    let mut names: Vec<&str> = headers.keys().filter(is_signed).map(HeaderName::as_str).collect();
    names.push("host");
    names.sort_unstable();
    names
}

/// Whether a body may be left out of the signature: it says that it is neither JSON nor BSON.
fn may_be_unsigned(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|media_type| {
        let media_type = media_type.as_bytes().trim_ascii().to_ascii_lowercase();
        !media_type.starts_with(b"application/json") && !media_type.starts_with(b"application/bson")
    })
}

/// The text of a header that must not be there twice.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text.trim())),
        (Some(Err(_)), None) => Err(Rejection::Unfit("a header of the signature is not ASCII")),
        (Some(_), Some(_)) => Err(Rejection::Unfit("a header of the signature is given twice")),
    }
}

fn ascii_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("visible ASCII characters are fit for a header")
}

/// `YYYYMMDDTHHMMSSZ`: RFC 3339 without its separators.
fn format_date(time: SystemTime) -> String {
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let text = humantime::format_rfc3339_seconds(time.clamp(UNIX_EPOCH, last)).to_string();
    text.replace(['-', ':'], "")
}

fn parse_date(date: &str) -> Option<SystemTime> {
    let is_digit = |place: usize| date.as_bytes()[place].is_ascii_digit();
    let has_shape = date.len() == 16
        && date.is_ascii()
        && (0..8).chain(9..15).all(is_digit)
        && (&date[8..9], &date[15..]) == ("T", "Z");
    if !has_shape {
        return None;
    }
    let (day, time) = date.split_at(8);
    let (year, month, day) = (&day[..4], &day[4..6], &day[6..]);
    let (hour, minute, second) = (&time[1..3], &time[3..5], &time[5..7]);
    humantime::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}
