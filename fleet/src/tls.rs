//! Files with certificates, keys and secrets, and what the proxies' port makes of them.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The files of the proxies' port.
#[derive(Clone)]
pub struct ServerFiles {
    /// This service's certificate, and those between it and the root.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Those who may sign proxies' certificates. `None`: proxies need none.
    pub client_ca: Option<PathBuf>,
}

impl ServerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn load(&self) -> Result<Arc<ServerConfig>, String> {
        let chain = certificates("--cert-file", &self.cert)?;
        let key = key("--key-file", &self.key)?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(roots("--client-ca-file", file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                builder.with_client_cert_verifier(
                    verifier.map_err(|error| wrong("--client-ca-file", file, error))?,
                )
            }
        };
        let config = builder.with_single_cert(chain, key);
        let mut config =
            config.map_err(|_| mismatch(("--cert-file", &self.cert), ("--key-file", &self.key)))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// When the files were changed.
    pub fn changed(&self) -> Vec<Option<SystemTime>> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()]
            .into_iter()
            .flatten()
            .map(changed)
            .collect()
    }
}

/// When a file was changed.
pub fn changed(file: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|data| data.modified()).ok()
}

/// A file with at least one certificate.
pub(crate) fn certificate_file(option: &str, file: &Path) -> Result<Vec<u8>, String> {
    roots(option, file)?;
    bytes(option, file)
}

/// A file with a key.
pub(crate) fn key_file(option: &str, file: &Path) -> Result<Vec<u8>, String> {
    key(option, file)?;
    bytes(option, file)
}

/// Whether a key is a certificate's.
pub(crate) fn check_pair(cert: (&str, &Path), key_of: (&str, &Path)) -> Result<(), String> {
    let (chain, private) = (certificates(cert.0, cert.1)?, key(key_of.0, key_of.1)?);
    let builder =
        rustls::ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(RootCertStore::empty());
    builder.with_client_auth_cert(chain, private).map(drop).map_err(|_| mismatch(cert, key_of))
}

/// A file with one line: a token or a password.
pub(crate) fn secret_file(option: &str, file: &Path) -> Result<String, String> {
    let text = String::from_utf8(bytes(option, file)?);
    let text = text.map_err(|_| wrong(option, file, "not UTF-8"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(wrong(option, file, "empty; allowed is one line"));
    }
    if secret.contains(['\r', '\n']) {
        return Err(wrong(option, file, "several lines; allowed is one line"));
    }
    Ok(secret.to_owned())
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn wrong(option: &str, file: &Path, found: impl std::fmt::Display) -> String {
    format!("{option} {}: found {found}", file.display())
}

fn mismatch(cert: (&str, &Path), key: (&str, &Path)) -> String {
    let (cert_file, key_file) = (cert.1.display(), key.1.display());
    format!(
        "{} {key_file}: found a key of another certificate; allowed is that of {} {cert_file}",
        key.0, cert.0
    )
}

fn bytes(option: &str, file: &Path) -> Result<Vec<u8>, String> {
    let allowed = |error| format!("{option} {}: {error}; allowed is a readable file", file.display());
    std::fs::read(file).map_err(allowed)
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    const ALLOWED: &str = "no certificate; allowed are certificates in PEM format";
    let all = CertificateDer::pem_slice_iter(&bytes(option, file)?).collect::<Result<Vec<_>, _>>();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| wrong(option, file, ALLOWED))
}

fn key(option: &str, file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    const ALLOWED: &str = "no key; allowed is a private key in PEM format";
    PrivateKeyDer::from_pem_slice(&bytes(option, file)?).map_err(|_| wrong(option, file, ALLOWED))
}

fn roots(option: &str, file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(option, file)? {
        let unreadable = |_| wrong(option, file, "a certificate that can't be read; allowed is X.509");
        roots.add(certificate).map_err(unreadable)?;
    }
    Ok(roots)
}
