//! `tidegate org key ...`.
//!
//! Invariant: a private key that is named by mistake is refused and not repeated.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use tidegate_domain::Account;
use tidegate_ingest::accounts::SenderKey;

use super::org_change::change_account;
use crate::cli::KeyArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::plural;

/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

pub(super) fn add(context: &Context, args: &KeyArgs) -> Result<(), Failure> {
    let keys = read(&args.file)?;
    change_account(context, &args.login, |account| {
        let mut lines = Vec::new();
        for key in &keys {
            if account.authorized_keys.iter().any(|line| is(line, key)) {
                return Err(
                    anyhow!("{} has the key {} already", args.login.account, key.fingerprint()).into()
                );
            }
            lines.push(key.to_line().context("while writing a key")?);
        }
        account.authorized_keys.extend(lines);
        Ok(told(account, "may now log in with", &keys))
    })
}

pub(super) fn remove(context: &Context, args: &KeyArgs) -> Result<(), Failure> {
    let keys = read(&args.file)?;
    change_account(context, &args.login, |account| {
        for key in &keys {
            let before = account.authorized_keys.len();
            account.authorized_keys.retain(|line| !is(line, key));
            if account.authorized_keys.len() == before {
                return Err(
                    anyhow!("{} does not have the key {}", args.login.account, key.fingerprint()).into()
                );
            }
        }
        Ok(told(account, "may no longer log in with", &keys))
    })
}

fn is(line: &str, key: &SenderKey) -> bool {
    SenderKey::parse(line).is_ok_and(|known| known == *key)
}

fn told(account: &Account, may: &str, keys: &[SenderKey]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\n  {}", key.describe())).collect();
    let all = plural(account.authorized_keys.len() as u64, "key");
    format!("{} {may}{}\nIt has {all} now.", account.name, keys.concat())
}

fn read(path: &Path) -> Result<Vec<SenderKey>, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.with_context(|| format!("while reading {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<SenderKey>, _> = lines.map(SenderKey::parse).collect();
    let keys = keys.with_context(|| format!("in {}", path.display()))?;
    if keys.is_empty() { Err(anyhow!("there is no key in {}", path.display()).into()) } else { Ok(keys) }
}
