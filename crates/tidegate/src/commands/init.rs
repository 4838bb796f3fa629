//! `tidegate init DIR`.
//!
//! Invariant: nothing that exists is overwritten, and what is made runs at once, on loopback only.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use tidegate_domain::{Account, OrgCode, Organization};
use tidegate_ingest::accounts::create_organization;
use tidegate_ingest::sftp::HostKeys;

use super::{certificate, password};
use crate::config::{self, DEFAULT};
use crate::failure::Failure;
use crate::render::Screen;

const CODE: &str = "EXAMPLE";
const ACCOUNT: &str = "example";

pub(super) fn init(dir: &Path) -> Result<(), Failure> {
    let dir = std::path::absolute(dir).context("while looking for the directory")?;
    let file = dir.join("tidegate.toml");
    let folders = ["orgs.d", "data", "tls"].map(|name| dir.join(name));
    let host_keys = HostKeys::FILES.map(|name| dir.join(name));
    refuse_what_exists([&file].into_iter().chain(&folders).chain(&host_keys))?;
    make_directory(&dir)?;
    for made in &folders {
        make_directory(made)?;
    }
    let tls = dir.join("tls");
    certificate::make(&tls.join("certificate.pem"), &tls.join("key.pem"))?;
    HostKeys::make(&dir).context("while making the host keys")?;
    write_private(&file, &trial_configuration())?;
    let password = add_example(&file)?;
    Ok(Screen::print(&what_next(&file, &password))?)
}

fn refuse_what_exists<'a>(mut paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    match paths.find(|path| path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => {
            Err(anyhow!("{} exists already; nothing was changed. Name another directory", path.display())
                .into())
        }
    }
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    Ok(made.with_context(|| format!("while making {}", path.display()))?)
}

pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    Ok(written.with_context(|| format!("while writing {}", path.display()))?)
}

/// The commented default with what is needed to try things out on one machine.
fn trial_configuration() -> String {
    [
        ("data_dir = \"/var/lib/tidegate\"", "data_dir = \"data\""),
        ("listen = \"0.0.0.0:2121\"", "listen = \"127.0.0.1:2121\""),
        ("# certificate = \"", "certificate = \""),
        ("# key = \"", "key = \""),
        ("listen = \"0.0.0.0:2222\"", "listen = \"127.0.0.1:2222\""),
    ]
    .iter()
    .fold(DEFAULT.to_owned(), |text, (from, to)| text.replacen(from, to, 1))
}

/// Adds the example organization; its password.
fn add_example(file: &Path) -> Result<String, Failure> {
    let loaded = config::load(file)?;
    let password = password::generate()?;
    let code = OrgCode::new(CODE).context("while naming the example organization")?;
    let hash = password::hash(&loaded, &password)?;
    let example = Organization {
        name: "Example Clinic".to_owned(),
        accounts: vec![Account { password_hash: Some(hash), ..Account::new(ACCOUNT) }],
        ..Organization::new(code)
    };
    create_organization(&loaded.orgs_dir(), &example).context("while writing the example organization")?;
    Ok(password)
}

fn what_next(file: &Path, password: &str) -> String {
    let dir = file.parent().unwrap_or(Path::new(".")).display();
    let file = file.display();
    format!(
        "Made, for trying things out on this machine:
  {file}  the configuration, commented
  {dir}/orgs.d/{CODE}.toml  an example organization with one account
  {dir}/tls  a certificate for this machine, which nobody vouches for, and its key
  {dir}/ssh_host_*_key  the keys by which SFTP clients know this server; keep them
  {dir}/data  everything durable

Account {ACCOUNT} has the password {password}
It is not kept anywhere but as a hash. Set another with `tidegate org passwd {CODE} {ACCOUNT}`.

What to do next:
  export TIDEGATE_CONFIG={file}
  tidegate serve
and in another terminal, with a file of HL7 messages:
  export TIDEGATE_CONFIG={file}
  curl --ssl-reqd --cacert {dir}/tls/certificate.pem -T FILE ftp://{ACCOUNT}:{password}@localhost:2121/
  sftp -P 2222 {ACCOUNT}@127.0.0.1
  tidegate queue list
  tidegate status
  tidegate maintenance start --for 10m --reason \"trying it out\"

FTP and SFTP listen on 127.0.0.1 and are encrypted. For senders elsewhere, set ftp.listen and sftp.listen,
and put a certificate that they trust in the place of the one in {dir}/tls."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_served_and_stays_on_loopback() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tidegate.toml");
        write_private(&file, &trial_configuration()).unwrap();
        std::fs::create_dir(dir.path().join("tls")).unwrap();
        let tls = dir.path().join("tls");
        certificate::make(&tls.join("certificate.pem"), &tls.join("key.pem")).unwrap();
        let config = config::load(&file).unwrap().config;
        let ftp = config.ftp.unwrap();
        assert!(ftp.listen.ip().is_loopback());
        let certificate = ftp.tls_files().unwrap().load().unwrap();
        let valid = certificate.expires_at.duration_since(std::time::SystemTime::now()).unwrap();
        assert!((818..=820).contains(&(valid.as_secs() / 86_400)), "{valid:?}");
        assert_eq!(config.data_dir, dir.path().join("data"));
    }
}
