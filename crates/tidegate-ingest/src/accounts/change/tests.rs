use std::sync::Barrier;

use tidegate_domain::{Account, Completion};

use super::*;

struct Folder {
    dir: tempfile::TempDir,
    editor: OrgEditor,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let watched = vec![(code("ACME01"), PathBuf::from("/drop"))];
        let editor = OrgEditor::new(dir.path(), watched);
        Self { dir, editor }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

const ACME: (&str, &str) = ("ACME01.toml", "code = 'ACME01'\n[[account]]\nname = 'acme'\n");
const LAKE: (&str, &str) = ("LAKE02.toml", "code = 'LAKE02'\n[[account]]\nname = 'lake'\n");

fn code(code: &str) -> OrgCode {
    OrgCode::new(code).unwrap()
}

fn organization(of: &str, account: &str) -> Organization {
    Organization { accounts: vec![Account::new(account)], ..Organization::new(code(of)) }
}

#[test]
fn a_code_and_an_account_are_taken_once() {
    let folder = Folder::new(&[ACME, LAKE]);
    let editor = &folder.editor;
    let exists = |done: Result<PathBuf, ChangeError>| matches!(done, Err(ChangeError::Exists { .. }));
    let taken = |done: Result<(), ChangeError>| matches!(done, Err(ChangeError::Taken { .. }));
    assert!(exists(editor.add(&organization("ACME01", "other"))));
    assert!(exists(editor.check_new(&organization("LAKE02", "other")).map(|()| PathBuf::new())));
    assert!(taken(editor.add(&organization("BURL03", "lake")).map(drop)) && taken(editor.check_free("acme")));
    let add = |of: &str, account: &str| {
        editor.change(&code(of), |organization| add_account(organization, Account::new(account))).map(drop)
    };
    assert!(taken(add("LAKE02", "acme")) && taken(add("LAKE02", "lake")));
    add("LAKE02", "lake-2").unwrap();
    editor.add(&organization("BURL03", "burl")).unwrap();
    assert_eq!(load_folder(folder.dir.path()).problems, []);
}

#[test]
fn what_the_server_would_refuse_is_not_written() {
    let folder = Folder::new(&[ACME]);
    let refused = folder.editor.change(&code("ACME01"), |organization| {
        organization.limits.sessions_max = Some(0);
        account_mut(organization, "acme")?.allow_from = vec!["office".to_owned()];
        Ok(())
    });
    let Err(ChangeError::Refused(found)) = refused else { panic!("{refused:?}") };
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["limits.sessions_max", "account[0].allow_from"]);
    let nobody = folder.editor.change(&code("ACME01"), |organization| {
        organization.name = "Acme".to_owned();
        set_disabled(organization, Some("nobody"), true)
    });
    assert!(nobody.unwrap_err().to_string().contains("it has acme"));
    assert_eq!(folder.text(ACME.0), ACME.1);
    let unknown = folder.editor.change(&code("NONE"), |_| Ok(()));
    assert!(matches!(unknown, Err(ChangeError::Unknown(_))));
}

#[test]
fn what_a_watched_folder_can_not_tell_is_refused_and_the_rest_is_not() {
    let folder = Folder::new(&[ACME, LAKE]);
    let set = |of: &str| {
        folder.editor.change(&code(of), |organization| {
            organization.completion = Completion::Sidecar;
            Ok(())
        })
    };
    assert!(set("ACME01").unwrap_err().to_string().contains("can't tell sidecar"));
    set("LAKE02").unwrap();
    folder.editor.change(&code("ACME01"), |organization| set_disabled(organization, None, true)).unwrap();
}

#[test]
fn paths_stay_as_they_are_written() {
    let text = "code = 'A'\n[delivery]\nkind = 'mllp'\naddress = 'r:1'\nca = 'ca.pem'\n";
    let folder = Folder::new(&[("A.toml", text)]);
    folder.editor.change(&code("A"), |organization| set_disabled(organization, None, true)).unwrap();
    assert!(folder.text("A.toml").contains("ca = 'ca.pem'"), "{}", folder.text("A.toml"));
}

#[test]
fn keys_and_certificates_are_given_once_and_taken_away() {
    let mut account = Account::new("acme");
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEys+QpaZZwLtzCqXxkFAH0CT0yLl0Kh+t1G2rua35DD jane";
    let keys = parse_keys(&format!("# Jane's\n\n{line}\n"));
    let keys = keys.unwrap();
    add_keys(&mut account, &keys).unwrap();
    assert!(matches!(add_keys(&mut account, &keys), Err(ChangeError::HasKey { .. })));
    remove_keys(&mut account, &keys).unwrap();
    assert!(matches!(remove_keys(&mut account, &keys), Err(ChangeError::NoKey { .. })));
    assert!(parse_keys("# nothing\n").is_err() && account.authorized_keys.is_empty());

    let certificate = crate::accounts::Fingerprint::parse(&"0A".repeat(32)).unwrap();
    bind(&mut account, certificate).unwrap();
    assert!(matches!(bind(&mut account, certificate), Err(ChangeError::Bound { .. })));
    unbind(&mut account, certificate).unwrap();
    assert!(matches!(unbind(&mut account, certificate), Err(ChangeError::NotBound { .. })));
}

#[test]
fn those_who_change_at_once_do_not_undo_each_other() {
    const AT_ONCE: usize = 8;
    let folder = Folder::new(&[ACME]);
    let start = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let (editor, start) = (folder.editor.clone(), &start);
            scope.spawn(move || {
                start.wait();
                let account = Account::new(format!("acme-{number}"));
                editor.change(&code("ACME01"), |organization| add_account(organization, account)).unwrap();
            });
        }
    });
    assert_eq!(folder.text(ACME.0).matches("[[account]]").count(), 1 + AT_ONCE);
}
