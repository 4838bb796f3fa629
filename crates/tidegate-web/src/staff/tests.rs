use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn account(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        role: Role::Operator,
        password_hash: "$argon2id$".to_owned(),
        totp_secret: None,
        disabled: false,
    }
}

#[test]
fn the_codes_are_those_of_the_rfc() {
    // RFC 6238, appendix B; of its eight digits an authenticator shows the last six.
    let totp = Totp::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
    for (at, code) in
        [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
    {
        let now = chrono::DateTime::from_timestamp(at, 0).unwrap();
        assert_eq!(totp.step_of(code, now), Some(at / 30));
        assert_eq!(
            totp.step_of(code, now + chrono::TimeDelta::seconds(30)),
            Some(at / 30),
            "a clock that is late"
        );
        assert_eq!(totp.step_of(code, now + chrono::TimeDelta::seconds(90)), None);
        assert_eq!(totp.step_of("000000", now), None);
    }
}

#[test]
fn a_secret_survives_being_written_down() {
    let totp = Totp::generate().unwrap();
    let text = totp.to_base32();
    assert_eq!((text.len(), Totp::parse(&text.to_lowercase()).unwrap().to_base32()), (32, text.clone()));
    assert!(!format!("{totp:?}").contains(&text));
    for wrong in ["", "AAAA", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"] {
        assert!(Totp::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_account_is_kept_for_its_owner_only_and_never_replaced_by_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StaffFolder::new(dir.path().join("staff.d"));
    assert!(folder.list().unwrap().is_empty());
    let path = folder.add(&account("jo")).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(folder.add(&account("jo")), Err(StaffError::Exists(_))));
    folder.save(&Account { disabled: true, ..account("jo") }).unwrap();
    assert!(folder.find("jo").unwrap().disabled);
    assert_eq!(folder.list().unwrap().len(), 1);
    assert!(matches!(folder.find("kim"), Err(StaffError::Unknown(_))));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StaffFolder::new(dir.path().join("staff.d"));
    for name in ["", "../jo", "/etc/passwd", ".jo", "Jo", "j/o", "jo\0", &"j".repeat(33)] {
        assert!(matches!(folder.find(name), Err(StaffError::Name)), "{name:?}");
        assert!(matches!(folder.add(&account(name)), Err(StaffError::Name)), "{name:?}");
    }
}

#[test]
fn a_file_that_says_something_else_lets_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StaffFolder::new(dir.path());
    let path = folder.add(&account("jo")).unwrap();
    std::fs::copy(&path, dir.path().join("kim.toml")).unwrap();
    assert!(matches!(folder.find("kim"), Err(StaffError::Form { .. })), "another one's file");
    std::fs::write(&path, "name = 'jo'\nrole = 'king'\npassword_hash = ''").unwrap();
    assert!(matches!(folder.find("jo"), Err(StaffError::Form { .. })));
}
