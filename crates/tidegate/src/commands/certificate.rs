//! A certificate that nobody vouches for, to try things with.

use std::path::Path;

use anyhow::Context as _;
use chrono::{Datelike as _, Days, NaiveDate, Utc};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};

use super::init::write_private;
use crate::failure::Failure;

/// How long it is valid; clients take no longer ones.
const VALID: Days = Days::new(820);

/// Writes two files: for this host's name and for localhost.
pub(crate) fn make(certificate: &Path, private_key: &Path) -> Result<(), Failure> {
    let doing = "while making a certificate";
    let key = KeyPair::generate().context(doing)?;
    let signed = params().and_then(|params| params.self_signed(&key)).context(doing)?;
    write_private(private_key, &key.serialize_pem())?;
    write_private(certificate, &signed.pem())
}

fn params() -> Result<CertificateParams, rcgen::Error> {
    let uname = rustix::system::uname();
    let host = uname.nodename().to_str().unwrap_or("localhost");
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    // A name that is none, such as one with an underscore, is left out.
    if CertificateParams::new([host.to_owned()]).is_ok() && host != "localhost" {
        names.push(host.to_owned());
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, host);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Utc::now().date_naive();
    // Clocks differ.
    let (from, to) = (today.checked_sub_days(Days::new(1)), today.checked_add_days(VALID));
    let at = |day: Option<NaiveDate>| {
        let day = day.unwrap_or(today);
        // Months and days are small numbers.
        date_time_ymd(
            day.year(),
            u8::try_from(day.month()).unwrap_or(1),
            u8::try_from(day.day()).unwrap_or(1),
        )
    };
    (params.not_before, params.not_after) = (at(from), at(to));
    Ok(params)
}
