//! Passwords on their way from the keyboard into a hash.
//!
//! Invariant: a password is never shown while it is typed, never taken from the command line, where
//! every user of the host could read it, and never kept.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, anyhow};
use tidegate_ingest::accounts::PasswordHashing;

use crate::config::Loaded;
use crate::failure::Failure;

/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// Reads a password, twice from the keyboard or one line from standard input, and hashes it.
pub(super) fn read_and_hash(loaded: &Loaded, from_stdin: bool) -> Result<String, Failure> {
    let password = if from_stdin { from_standard_input()? } else { from_keyboard()? };
    hash(loaded, &password)
}

/// Hashes at the configured cost.
pub(super) fn hash(loaded: &Loaded, password: &str) -> Result<String, Failure> {
    let hashing =
        PasswordHashing::new(&loaded.config.auth).context("while preparing to hash the password")?;
    hashing.hash(password).map_err(|error| anyhow!(error).into())
}

fn from_standard_input() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("while reading the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn from_keyboard() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask for the password on; hand it in with --password-stdin".to_owned(),
        ));
    }
    let first = rpassword::prompt_password("Password: ").context("while asking for the password")?;
    let second = rpassword::prompt_password("The same again: ").context("while asking for the password")?;
    if first != second {
        return Err(anyhow!("the two passwords differ; nothing was changed").into());
    }
    Ok(first)
}

/// A password of 20 characters, 100 bits.
pub(super) fn generate() -> Result<String, Failure> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let letter = |byte: u8| ALPHABET.get(usize::from(byte & 31)).map(|letter| char::from(*letter));
    Ok(bytes.into_iter().filter_map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_are_long_and_differ() {
        let one = generate().unwrap();
        assert_eq!(one.len(), 20);
        assert_ne!(one, generate().unwrap());
        let mut letters = ALPHABET.to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 32, "each letter once, so that each is as likely");
    }
}
