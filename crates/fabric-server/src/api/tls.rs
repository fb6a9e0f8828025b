//! TLS: with a certificate from a file, or one that is made at start for tests.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How a server speaks TLS: 1.2 or 1.3, HTTP/2 or HTTP/1.1 by ALPN.
///
/// ```
/// use std::time::SystemTime;
/// use fabric_server::{MockServer, Settings, Tls};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = Tls::self_signed(&[], SystemTime::now())?;
/// let server = MockServer::start_with(Settings { tls: Some(tls), ..Settings::default() }).await?;
/// let authority = server.certificate_authority().expect("it was made just now");
/// let client = fabric_client::Client::builder(server.endpoint())
///     .root_certificate(authority)
///     .build()?;
/// client.show_health().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    authority: Option<Arc<str>>,
}

/// Why a certificate and its key cannot be used.
#[derive(Debug)]
pub struct TlsError(String);

/// How long a certificate made at start is valid, and for how long it has been: machines differ in
/// what time they think it is.
const VALIDITY: Duration = Duration::from_hours(365 * 24);
const BACKDATED: Duration = Duration::from_hours(24);

impl Tls {
    /// TLS with a certificate chain, leaf first, and its private key, both in PEM.
    ///
    /// # Errors
    ///
    /// The certificate or the key cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError(format!("the certificate is no PEM: {error}")))?;
        if certificates.is_empty() {
            return Err(TlsError("the certificate file holds no certificate".to_owned()));
        }
        // What it says of a key that it can't read may be a part of the key.
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| TlsError("the key file holds no private key in PEM".to_owned()))?;
        Self::new(certificates, key, None)
    }

    /// TLS for tests, with a certificate authority made just now: see
    /// [`MockServer::certificate_authority`](crate::MockServer::certificate_authority).
    ///
    /// The server's certificate is for `localhost`, `127.0.0.1`, `::1` and `names`, and valid for a
    /// year from `now`. The key of the authority is thrown away, so nothing else will be signed with it.
    ///
    /// # Errors
    ///
    /// A name that is neither a host name nor an address.
    pub fn self_signed(names: &[String], now: SystemTime) -> Result<Self, TlsError> {
        let failed = |error: rcgen::Error| TlsError(format!("no certificate can be made: {error}"));
        let params = |names: Vec<String>, common_name: &str| {
            let mut params = CertificateParams::new(names).map_err(failed)?;
            params.distinguished_name.push(DnType::CommonName, common_name);
            params.not_before = (now - BACKDATED).into();
            params.not_after = (now + VALIDITY).into();
            Ok(params)
        };
        let mut authority = params(Vec::new(), "fabric-server test authority")?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(failed)?)
                .map_err(failed)?;
        let mut all_names: Vec<String> =
            ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        all_names.extend(names.iter().filter(|name| !is_everywhere(name)).cloned());
        let mut leaf = params(all_names, "localhost")?;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = leaf.signed_by(&key, &authority).map_err(failed)?;
        Self::new(vec![certificate.der().clone()], key.into(), Some(authority.pem().into()))
    }

    /// The certificate of the authority of [`Self::self_signed`], in PEM.
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What speaks TLS on connections.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authority: Option<Arc<str>>,
    ) -> Result<Self, TlsError> {
        // Named here, since a process may have several providers to choose from.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|error| TlsError(format!("certificate and key do not work: {error}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), authority })
    }
}

/// `0.0.0.0` and `::` mean every address, so no client connects to them.
fn is_everywhere(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

/// The key is left out.
impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("is_self_signed", &self.authority.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}
