//! Certificates of clients that an account is bound to.
//!
//! Invariant: a certificate is known by the SHA-256 of all of it, never by a name in it: names mean what the
//! authority that wrote them wants them to mean, and several may be trusted.

use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate's DER form, as `openssl x509 -fingerprint -sha256` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a text names no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Not what `openssl x509 -fingerprint -sha256` shows.
    #[error("not a SHA-256 fingerprint; write its 64 hexadecimal digits, with colons or without")]
    NoFingerprint,
    /// Not a certificate in PEM form.
    #[error("there is no certificate in it; use the PEM file that begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
}

impl Fingerprint {
    /// Of a certificate in DER form.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Of the first certificate in a PEM file, which is its owner's; those of authorities follow it.
    pub fn of_pem(pem: &[u8]) -> Result<Self, FingerprintError> {
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| FingerprintError::NoCertificate)?;
        Ok(Self::of(&certificate))
    }

    /// Reads a fingerprint.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|char| *char != ':')
            .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(FingerprintError::NoFingerprint)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, it| byte << 4 | it)).collect();
        if digits.len() != 64 {
            return Err(FingerprintError::NoFingerprint);
        }
        bytes.try_into().map(Self).map_err(|_| FingerprintError::NoFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_shows_it_and_without_colons() {
        let text = ["0F", "A1"].repeat(16).join(":");
        let fingerprint = Fingerprint::parse(&text).unwrap();
        assert_eq!(fingerprint.to_string(), text);
        assert_eq!(Fingerprint::parse(&text.replace(':', "").to_lowercase()), Ok(fingerprint));
        for text in ["", "hello", &text[3..], &format!("{text}:00"), &text.replace('F', "G")] {
            assert_eq!(Fingerprint::parse(text), Err(FingerprintError::NoFingerprint), "{text}");
        }
    }

    #[test]
    fn the_first_certificate_of_a_file_is_its_owners() {
        let issued = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap().cert;
        let (own, authority) = (issued("own"), issued("authority"));
        let file = format!("{}{}", own.pem(), authority.pem());
        assert_eq!(Fingerprint::of_pem(file.as_bytes()), Ok(Fingerprint::of(own.der())));
        assert_eq!(Fingerprint::of_pem(b"hello"), Err(FingerprintError::NoCertificate));
    }
}
