//! Who may log in: the files in `orgs.d/`, kept up to date, and the check of a login.
//!
//! Invariant: a broken file never shuts anybody out and never lets anybody in: what it said before
//! stays in force until it can be read again. Sessions that are open are not looked at here.

mod bans;
mod certificates;
mod change;
mod directory;
mod edit;
mod file;
mod folder;
mod keys;
mod login;
mod networks;
mod password;
mod problem;
mod remembered;
mod watch;
mod write;

pub use bans::{Ban, Bans};
pub use certificates::{Fingerprint, FingerprintError};
pub use change::{
    ChangeError, Changed, OrgEditor, account_mut, add_account, add_keys, bind, parse_keys, remove_account,
    remove_keys, set_disabled, unbind,
};
pub use directory::Directory;
pub use folder::{OrgFolder, load_folder};
pub use keys::{KeyError, SenderKey};
pub use login::{Login, LoginRefused, Logins};
pub(crate) use networks::{parse_network, source};
pub use password::{PasswordError, PasswordHashing};
pub use problem::{Problem, Problems};
pub use watch::watch;
pub use write::{WriteError, create_organization};
