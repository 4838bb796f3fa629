use super::*;

use rcgen::{CertifiedKey, generate_simple_self_signed};

fn write(folder: &Path) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), cert.pem()).unwrap();
}

fn open(folder: &Path) -> ServerTls {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let files = TlsFiles { certificate, key, client_ca: None, client_certificate_required: false };
    ServerTls::open(files).unwrap()
}

#[test]
fn a_pair_that_is_broken_leaves_the_old_one_in_force_until_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let tls = open(folder.path());
    let first = tls.current();
    tls.reload();
    assert!(Arc::ptr_eq(&first, &tls.current()), "nothing has changed");
    let other = tempfile::tempdir().unwrap();
    write(other.path());
    std::fs::copy(other.path().join("certificate.pem"), folder.path().join("certificate.pem")).unwrap();
    tls.reload();
    assert!(Arc::ptr_eq(&first, &tls.current()));
    assert!(tls.problems("ftp")[0].starts_with("ftp.key: "), "{:?}", tls.problems("ftp"));
    std::fs::copy(other.path().join("key.pem"), folder.path().join("key.pem")).unwrap();
    tls.reload();
    assert!(!Arc::ptr_eq(&first, &tls.current()));
    assert_eq!(tls.problems("ftp"), Vec::<String>::new());
}

#[tokio::test]
async fn a_new_pair_is_taken_up_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let tls = Arc::new(open(folder.path()));
    let mut current = tls.current.subscribe();
    let rescan = Duration::from_millis(50);
    let watching = tokio::spawn(watch_tls(Arc::clone(&tls), rescan, std::future::pending()));
    write(folder.path());
    tokio::time::timeout(Duration::from_secs(20), current.changed()).await.unwrap().unwrap();
    watching.abort();
}
