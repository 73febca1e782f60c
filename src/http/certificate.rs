//! What a client's certificate says.

/// A field of the certificate that a client has shown on its TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateField {
    /// Its subject, as RFC 2253 writes it.
    Subject,
    /// The first URI among its alternative names, such as a SPIFFE id.
    UriSan,
    /// The first DNS name among its alternative names.
    DnsSan,
    /// The SHA-256 digest of the whole certificate, as 64 hexadecimal digits.
    Fingerprint,
}
