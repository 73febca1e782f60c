//! How to reach Redis: as written by the operator, and as checked at the start.

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What kind of servers they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// One server.
    Single,
    /// A primary with replicas. The URLs are those of the Sentinels, who know the primary by this name.
    Sentinel(String),
    /// A Cluster. The URLs are those of some of its servers.
    Cluster,
}

/// How to reach Redis, as written.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://`, or `rediss://` for TLS.
    pub urls: Vec<String>,
    /// What kind of servers they are.
    pub mode: Mode,
    /// The ACL user, instead of the URL's. With Sentinel, of the primary.
    pub user: Option<String>,
    /// A file with the password, instead of the URL's. It is read for each connection.
    pub password_file: Option<PathBuf>,
    /// A file with the certificates of those who may sign the server's, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A file with this service's certificate.
    pub cert_file: Option<PathBuf>,
    /// A file with this service's key.
    pub key_file: Option<PathBuf>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a pipeline may take.
    pub timeout: Duration,
    /// How many replicas must have a write before it is answered; 0 for none.
    pub replicas: u32,
}

impl Default for RedisOptions {
    fn default() -> RedisOptions {
        RedisOptions {
            urls: Vec::new(),
            mode: Mode::Single,
            user: None,
            password_file: None,
            ca_file: None,
            cert_file: None,
            key_file: None,
            connect_timeout: Duration::from_millis(500),
            timeout: Duration::from_millis(100),
            replicas: 0,
        }
    }
}

/// How to reach Redis, checked. It is never printed: it has passwords.
pub struct Settings {
    pub(super) nodes: Vec<ConnectionInfo>,
    pub(super) mode: Mode,
    user: Option<String>,
    password_file: Option<PathBuf>,
    certificates: Option<TlsCertificates>,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) replicas: u32,
}

/// What a URL may be.
const ALLOWED: &str = "allowed is redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS";

impl RedisOptions {
    /// Checks everything that can be checked without a connection.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn settings(&self) -> Result<Settings, String> {
        let nodes = self.urls.iter().map(|url| node(url)).collect::<Result<Vec<_>, _>>()?;
        self.check_count()?;
        let has_tls = nodes.iter().any(is_tls);
        if nodes.iter().any(|node| is_tls(node) != has_tls) {
            return Err("--engine: found redis:// beside rediss://; allowed is one of them for all".into());
        }
        let settings = Settings {
            certificates: self.certificates(has_tls)?,
            nodes,
            mode: self.mode.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            replicas: self.replicas,
        };
        settings.password()?;
        settings.check()?;
        Ok(settings)
    }

    fn check_count(&self) -> Result<(), String> {
        match (&self.mode, self.urls.len()) {
            (_, 0) => Err(format!("--engine: found nothing; {ALLOWED}")),
            (Mode::Single, 2..) => {
                let count = self.urls.len();
                Err(format!("--engine: found {count} URLs; several are allowed with --cluster or --sentinel"))
            }
            (Mode::Single | Mode::Cluster | Mode::Sentinel(_), _) => Ok(()),
        }
    }

    fn certificates(&self, has_tls: bool) -> Result<Option<TlsCertificates>, String> {
        let files = [
            ("--engine-ca-file", &self.ca_file),
            ("--engine-cert-file", &self.cert_file),
            ("--engine-key-file", &self.key_file),
        ];
        if let (false, Some((option, _))) = (has_tls, files.iter().find(|(_, file)| file.is_some())) {
            return Err(format!("{option}: found with --engine redis://; it is allowed with rediss://"));
        }
        let client_tls = match (&self.cert_file, &self.key_file) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some(ClientTlsConfig {
                client_cert: crate::tls::certificate_file("--engine-cert-file", cert)?,
                client_key: crate::tls::key_file("--engine-key-file", key)?,
            }),
            (Some(_), None) => return Err("--engine-cert-file: found without --engine-key-file".into()),
            (None, Some(_)) => return Err("--engine-key-file: found without --engine-cert-file".into()),
        };
        if let (Some(cert), Some(key)) = (&self.cert_file, &self.key_file) {
            crate::tls::check_pair(("--engine-cert-file", cert), ("--engine-key-file", key))?;
        }
        let ca = self.ca_file.as_ref().map(|file| crate::tls::certificate_file("--engine-ca-file", file));
        let root_cert = ca.transpose()?;
        Ok((client_tls.is_some() || root_cert.is_some()).then_some(TlsCertificates { client_tls, root_cert }))
    }
}

impl Settings {
    pub(super) fn is_cluster(&self) -> bool {
        self.mode == Mode::Cluster
    }

    pub(super) fn first(&self) -> Result<ConnectionInfo, String> {
        let info = self.nodes.first().cloned().ok_or("no URL")?;
        self.with_credentials(info)
    }

    /// The primary that the Sentinels have named. User and password of the URLs are those of the Sentinels.
    pub(super) fn primary(&self, (host, port): &(String, u16)) -> Result<ConnectionInfo, String> {
        let sentinel = self.nodes.first().ok_or("no URL")?;
        let (host, port) = (host.clone(), *port);
        let addr = if is_tls(sentinel) {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = sentinel
            .clone()
            .set_addr(addr)
            .set_redis_settings(redis::RedisConnectionInfo::default().set_skip_set_lib_name());
        self.with_credentials(info)
    }

    pub(super) fn client(&self, info: ConnectionInfo) -> Result<Client, String> {
        let client = match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        };
        client.map_err(|error| super::answer::failed(&error))
    }

    pub(super) fn cluster(&self) -> Result<ClusterClient, String> {
        let mut builder = ClusterClientBuilder::new(self.nodes.clone())
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.timeout);
        let user = self.user.clone().or_else(|| self.written(redis::RedisConnectionInfo::username));
        let password = self.password()?.or_else(|| self.written(redis::RedisConnectionInfo::password));
        if let Some(user) = user {
            builder = builder.username(user);
        }
        if let Some(password) = password {
            builder = builder.password(password);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        builder.build().map_err(|error| super::answer::failed(&error))
    }

    fn written(&self, part: impl Fn(&redis::RedisConnectionInfo) -> Option<&str>) -> Option<String> {
        self.nodes.first().and_then(|node| part(node.redis_settings())).map(Into::into)
    }

    fn with_credentials(&self, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
        let mut redis = info.redis_settings().clone();
        if let Some(user) = &self.user {
            redis = redis.set_username(user);
        }
        if let Some(password) = self.password()? {
            redis = redis.set_password(password);
        }
        Ok(info.set_redis_settings(redis))
    }

    /// The file's password as it is now: it may have been changed since the start.
    fn password(&self) -> Result<Option<String>, String> {
        let read = |file: &PathBuf| crate::tls::secret_file("--engine-password-file", file);
        self.password_file.as_ref().map(read).transpose()
    }

    /// Whether a client can be made: that finds certificates that are none.
    fn check(&self) -> Result<(), String> {
        let wrong = |error| format!("--engine: {error}; {ALLOWED}");
        if self.is_cluster() {
            self.cluster().map_err(wrong)?;
        }
        self.client(self.first()?).map_err(wrong)?;
        Ok(())
    }
}

fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

fn node(url: &str) -> Result<ConnectionInfo, String> {
    let wrong = |why: &str| format!("--engine: found {}{why}; {ALLOWED}", redacted(url));
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("redis" | "rediss")) {
        return Err(wrong(""));
    }
    if url.contains('#') {
        return Err(wrong(" with a fragment"));
    }
    let info = url.into_connection_info().map_err(|_| wrong(", which can't be read"))?;
    // The library would tell its name with a command that the ACL user may not be allowed.
    let redis = info.redis_settings().clone().set_skip_set_lib_name();
    Ok(info.set_redis_settings(redis))
}

/// A URL without user and password.
fn redacted(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((_, rest))) => format!("…@{rest}"),
        (_, None) => Path::new(url).display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(urls: &[&str]) -> RedisOptions {
        RedisOptions { urls: urls.iter().map(ToString::to_string).collect(), ..RedisOptions::default() }
    }

    fn error(options: &RedisOptions) -> String {
        options.settings().err().expect("an error")
    }

    #[test]
    fn a_wrong_url_is_named_without_its_password() {
        for url in [
            "redi://me:secret@host",
            "me:secret@host",
            "redis://me:secret@host:port",
            "redis://a:secret@b@h:x",
        ] {
            let error = error(&options(&[url]));
            assert!(error.starts_with("--engine: found ") && error.contains(ALLOWED), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn several_urls_need_a_cluster_or_sentinels() {
        assert!(error(&options(&["redis://a", "redis://b"])).contains("found 2 URLs"));
    }

    #[test]
    fn tls_files_need_tls() {
        let plain = RedisOptions { ca_file: Some("ca.pem".into()), ..options(&["redis://a"]) };
        assert!(error(&plain).contains("--engine-ca-file: found with --engine redis://"));
    }
}
