//! One-time passwords that change with the time (RFC 6238): six digits, every 30 seconds, by HMAC-SHA-1, which is what
//! every authenticator knows.
//!
//! Invariant: a code counts once, and only in its own half minute or the ones beside it.

use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

const STEP_S: i64 = 30;
const SECRET_BYTES: usize = 20;

/// RFC 4648, 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret.
pub struct Totp(Vec<u8>);

/// It is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret of one-time passwords in base32")]
pub struct TotpError;

impl Totp {
    /// A new secret.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// From base32, as it is kept.
    pub fn parse(text: &str) -> Result<Self, TotpError> {
        let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0_u32);
        for char in text.trim().trim_end_matches('=').bytes() {
            let value =
                ALPHABET.iter().position(|letter| *letter == char.to_ascii_uppercase()).ok_or(TotpError)?;
            buffer = (buffer << 5) | u32::try_from(value).map_err(|_| TotpError)?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((buffer >> bits) & 0xff).map_err(|_| TotpError)?);
                buffer &= (1 << bits) - 1;
            }
        }
        if bytes.len() < SECRET_BYTES / 2 { Err(TotpError) } else { Ok(Self(bytes)) }
    }

    /// As it is kept, and typed into an authenticator.
    pub fn to_base32(&self) -> String {
        let mut text = String::new();
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        let mut push =
            |value: u32| text.extend(ALPHABET.get(value as usize & 31).map(|letter| char::from(*letter)));
        for byte in &self.0 {
            buffer = (buffer << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                push(buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }
        if bits > 0 {
            push(buffer << (5 - bits));
        }
        text
    }

    /// The half minute that a code belongs to, if it is a right one around `now`.
    pub fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let now = now.timestamp() / STEP_S;
        (now - 1..=now + 1).find(|step| self.code(*step).is_some_and(|right| right == code.trim()))
    }

    /// The code of a half minute.
    pub(crate) fn code(&self, step: i64) -> Option<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest.last()? & 15);
        let four: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
        Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp")
    }
}
