//! `tidegate org key ...`.
//!
//! Invariant: a private key that is named by mistake is refused and not repeated.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use tidegate_domain::Account;
use tidegate_ingest::accounts::{SenderKey, add_keys, parse_keys, remove_keys};

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
        add_keys(account, &keys)?;
        Ok(told(account, "may now log in with", &keys))
    })
}

pub(super) fn remove(context: &Context, args: &KeyArgs) -> Result<(), Failure> {
    let keys = read(&args.file)?;
    change_account(context, &args.login, |account| {
        remove_keys(account, &keys)?;
        Ok(told(account, "may no longer log in with", &keys))
    })
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
    Ok(parse_keys(&text).with_context(|| format!("in {}", path.display()))?)
}
