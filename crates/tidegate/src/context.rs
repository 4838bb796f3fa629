//! What most commands need: the configuration, the server, the screen, who is asking.

use std::env;
use std::path::Path;

use chrono::Utc;

use crate::client::Client;
use crate::config::{self, Loaded, Problems};
use crate::failure::Failure;
use crate::render::Screen;

/// A command's surroundings.
pub(crate) struct Context {
    pub(crate) loaded: Loaded,
}

impl Context {
    /// Reads the configuration that is meant.
    pub(crate) fn load(named: Option<&Path>) -> Result<Self, Failure> {
        let path = config::locate(named).ok_or_else(Self::no_configuration)?;
        Ok(Self { loaded: config::load(&path)? })
    }

    /// The same for a server that starts, with what is wrong with its windows. Uploads are accepted even if
    /// nobody knows when they may be processed; until somebody does, none is.
    pub(crate) fn load_for_start(named: Option<&Path>) -> Result<(Loaded, Option<Problems>), Failure> {
        let path = config::locate(named).ok_or_else(Self::no_configuration)?;
        Ok(config::load_for_start(&path, Utc::now())?)
    }

    /// The same for a command that only speaks to the server. What is wrong with the file is told and
    /// does not keep staff from steering a server that runs.
    pub(crate) fn load_for_server(named: Option<&Path>) -> Result<Self, Failure> {
        let path = config::locate(named).ok_or_else(Self::no_configuration)?;
        let (loaded, problems) = config::load_leniently(&path)?;
        if problems.is_some() {
            eprintln!(
                "tidegate: {} is broken and is not taken up; see `tidegate check-config`",
                path.display()
            );
        }
        Ok(Self { loaded })
    }

    /// Nothing was named and none lies in the usual places.
    pub(crate) fn no_configuration() -> Failure {
        Failure::Configuration(
            "there is no configuration: neither ./tidegate.toml nor /etc/tidegate/tidegate.toml is there\n\
             Name one with --config, or make one with `tidegate init DIR`"
                .to_owned(),
        )
    }

    /// The running server of this configuration.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::new(self.loaded.control_socket())
    }

    /// Standard output, with times in the zone of the calendar.
    pub(crate) fn screen(&self) -> Screen {
        Screen::stdout(self.loaded.zone())
    }
}

/// The person at the keyboard: who called `sudo`, else the login.
pub(crate) fn actor() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|user| !user.is_empty())
        .unwrap_or_else(user_name)
}

/// The name of the user we run as, or its number where the host's own list has no name for it.
fn user_name() -> String {
    let number = rustix::process::getuid().as_raw().to_string();
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid:{number}"))
}
