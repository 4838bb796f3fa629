//! `tidegate org certificate ...`.

use std::io::Read as _;

use anyhow::Context as _;
use tidegate_ingest::accounts::{Fingerprint, bind, unbind};

use super::org_change::change_account;
use crate::cli::CertificateArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::plural;

/// Longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

pub(super) fn add(context: &Context, args: &CertificateArgs) -> Result<(), Failure> {
    let certificate = read(&args.certificate)?;
    change_account(context, &args.login, |account| {
        bind(account, certificate)?;
        let all = plural(account.client_certificates.len() as u64, "certificate");
        Ok(format!(
            "The password of {} now counts only over FTPS and with a certificate it is bound to:\n  \
             {certificate}\nIt is bound to {all} now.{}",
            account.name,
            hint(context)
        ))
    })
}

pub(super) fn remove(context: &Context, args: &CertificateArgs) -> Result<(), Failure> {
    let certificate = read(&args.certificate)?;
    change_account(context, &args.login, |account| {
        unbind(account, certificate)?;
        let left = match account.client_certificates.len() {
            0 => "any certificate, or none, will do now".to_owned(),
            count => format!("it is bound to {} now", plural(count as u64, "certificate")),
        };
        Ok(format!("{} is no longer bound to {certificate}; {left}.", account.name))
    })
}

/// What else has to be done.
fn hint(context: &Context) -> &'static str {
    let asks = context.loaded.config.ftp.as_ref().is_some_and(|ftp| ftp.client_ca.is_some());
    if asks { "" } else { "\nSet ftp.client_ca, too: without it no client is asked for a certificate." }
}

/// A fingerprint, or that of the certificate in a file.
fn read(certificate: &str) -> Result<Fingerprint, Failure> {
    if let Ok(fingerprint) = Fingerprint::parse(certificate) {
        return Ok(fingerprint);
    }
    let mut pem = Vec::new();
    let file = std::fs::File::open(certificate);
    let read = file.and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut pem));
    read.with_context(|| format!("while reading {certificate}, which is no SHA-256 fingerprint either"))?;
    Ok(Fingerprint::of_pem(&pem).with_context(|| format!("in {certificate}"))?)
}
