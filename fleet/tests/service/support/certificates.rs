//! Certificates for tests: an authority, a server and a client.

use super::Folder;
use super::client::{Client, connect};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Certificates {
    pub folder: Folder,
    pub ca: PathBuf,
    pub server: (PathBuf, PathBuf),
    pub client: (PathBuf, PathBuf),
}

impl Certificates {
    pub fn new() -> Certificates {
        let folder = Folder::new();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let ca = folder.file("ca.pem", &issuer.pem());
        let pair = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
            // OpenSSL takes a certificate with its issuer's name for one that signs itself.
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &issuer).unwrap();
            let file = |end: &str, content: &str| folder.file(&format!("{name}{end}"), content);
            (file(".pem", &certificate.pem()), file(".key", &key.serialize_pem()))
        };
        let (server, client) = (pair("server"), pair("client"));
        Certificates { folder, ca, server, client }
    }

    /// A client of a port with TLS, with its own certificate or without one.
    pub fn connect(&self, address: SocketAddr, own: Option<&(PathBuf, PathBuf)>) -> Client {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(self.config(own)), name).unwrap();
        Client::over(Box::new(StreamOwned::new(session, connect(address))))
    }

    /// How a client trusts the authority.
    pub fn config(&self, own: Option<&(PathBuf, PathBuf)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
            }
        }
    }
}
