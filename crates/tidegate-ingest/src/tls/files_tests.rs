use super::*;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// A directory with `<name>.pem` and `<name>.key` for each name.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2031, 5, 6);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    folder
}

fn files(folder: &tempfile::TempDir, certificate: &str, key: &str, client_ca: Option<&str>) -> TlsFiles {
    TlsFiles {
        certificate: folder.path().join(certificate),
        key: folder.path().join(key),
        client_ca: client_ca.map(|name| folder.path().join(name)),
        client_certificate_required: false,
    }
}

fn keys(files: &TlsFiles) -> Vec<&'static str> {
    files.load().unwrap_err().into_iter().map(|(key, _)| key).collect()
}

#[test]
fn a_pair_that_fits_is_taken_with_its_last_day() {
    let folder = folder(&["a"]);
    for client_ca in [None, Some("a.pem")] {
        let loaded = files(&folder, "a.pem", "a.key", client_ca).load().unwrap();
        assert_eq!(loaded.expires_at, SystemTime::UNIX_EPOCH + Duration::from_hours(1_935_792_000 / 3_600));
    }
}

#[test]
fn whatever_is_wrong_is_named_by_its_key() {
    let folder = folder(&["a", "b"]);
    assert_eq!(keys(&files(&folder, "a.pem", "b.key", None)), ["key"]);
    assert_eq!(keys(&files(&folder, "a.pem", "a.pem", None)), ["key"]);
    assert_eq!(keys(&files(&folder, "a.key", "a.key", None)), ["certificate"]);
    assert_eq!(keys(&files(&folder, "a.pem", "a.key", Some("a.key"))), ["client_ca"]);
    assert_eq!(keys(&files(&folder, "c.pem", "c.key", Some("c"))), ["certificate", "key", "client_ca"]);
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(folder.path().join("odd.pem"), pem).unwrap();
    assert_eq!(keys(&files(&folder, "odd.pem", "a.key", None)), ["certificate"]);
    assert_eq!(keys(&files(&folder, "a.pem", "a.key", Some("odd.pem"))), ["client_ca"]);
}

#[test]
fn a_change_shows_in_the_fingerprint() {
    let folder = folder(&["a", "b"]);
    let one = files(&folder, "a.pem", "a.key", None).load().unwrap().fingerprint;
    assert_eq!(files(&folder, "a.pem", "a.key", None).load().unwrap().fingerprint, one);
    assert_ne!(files(&folder, "b.pem", "b.key", None).load().unwrap().fingerprint, one);
    assert_ne!(files(&folder, "a.pem", "a.key", Some("b.pem")).load().unwrap().fingerprint, one);
}
