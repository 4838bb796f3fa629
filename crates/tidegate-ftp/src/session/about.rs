//! What the server says of itself, and settings that only have one value.

use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::{FEATURE_RESTART, StorageBackend};

use super::Session;
use crate::failure;
use crate::listing::Facts;
use crate::reply::Reply;
use crate::verb::Verb;

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    pub(super) fn about(&mut self, verb: Verb, argument: &[u8]) -> Reply {
        let word = String::from_utf8_lossy(argument).trim().to_ascii_uppercase();
        match verb {
            Verb::Abor => {
                self.offer = None;
                Reply::new(226, "No transfer is running")
            }
            Verb::Noop | Verb::Clnt => Reply::new(200, "Fine"),
            Verb::Allo => Reply::new(202, "No space has to be reserved"),
            Verb::Syst => Reply::new(215, "UNIX Type: L8"),
            Verb::Feat => self.features(),
            Verb::Help => self.help(&word),
            Verb::Opts => self.options(&word),
            Verb::Type => representation(&word),
            Verb::Mode if word == "S" => Reply::new(200, "Mode is stream"),
            Verb::Mode => Reply::new(504, "There is stream mode only"),
            Verb::Stru if word == "F" => Reply::new(200, "Structure is file"),
            Verb::Stru => Reply::new(504, "There is file structure only"),
            Verb::Stat => Reply::list(211, "Status:", ["Logged in, no transfer is running"], "End"),
            _ => Reply::new(502, "Not supported"),
        }
    }

    fn features(&self) -> Reply {
        let is_encryptable = self.offers(Verb::Auth);
        let mut features = Vec::new();
        if is_encryptable {
            features.push("AUTH TLS".to_owned());
        }
        features.extend(["CLNT", "EPSV"].map(str::to_owned));
        if self.offers(Verb::Eprt) {
            features.push("EPRT".to_owned());
        }
        features.push("HASH SHA-256*".to_owned());
        // Not MFMT, although it is answered: clients that can rely on it take a file whose time differs for another
        // one, and send it again.
        features.push("MDTM".to_owned());
        features.push(format!("MLST {}", self.facts.feature()));
        if is_encryptable {
            features.extend(["PBSZ", "PROT"].map(str::to_owned));
        }
        if self.offers(Verb::Rest) {
            features.push("REST STREAM".to_owned());
        }
        features.extend(["SIZE", "TVFS", "UTF8", "XSHA256"].map(str::to_owned));
        Reply::list(211, "Features:", features, "End")
    }

    /// Whether a command can lead to anything here.
    fn offers(&self, verb: Verb) -> bool {
        match verb {
            Verb::Auth | Verb::Pbsz | Verb::Prot | Verb::Ccc => self.tls.config().is_some(),
            Verb::Port | Verb::Eprt => self.engine.settings.active_mode,
            Verb::Rest => self.storage.supported_features() & FEATURE_RESTART != 0,
            _ => true,
        }
    }

    fn help(&self, word: &str) -> Reply {
        if !word.is_empty() {
            let offered = Verb::named(word).filter(|verb| self.offers(*verb));
            return match offered.and_then(|_| Verb::usage(word)) {
                Some(usage) => Reply::new(214, usage),
                None => Reply::new(502, "There is no such command here"),
            };
        }
        let names: Vec<&str> =
            Verb::names().filter(|name| Verb::named(name).is_some_and(|verb| self.offers(verb))).collect();
        let rows = names.chunks(10).map(|row| row.join(" "));
        Reply::list(214, "Commands:", rows, "HELP <command> tells how one is written")
    }

    fn options(&mut self, word: &str) -> Reply {
        let (name, rest) = word.split_once(' ').unwrap_or((word, ""));
        match (name, rest.trim()) {
            ("UTF8", "" | "ON") | ("UTF-8", _) => Reply::new(200, "Names are bytes; UTF-8 is fine"),
            ("UTF8", "OFF") => Reply::new(504, "Names are bytes, whatever they mean"),
            ("HASH", "" | "SHA-256") => Reply::new(200, "SHA-256"),
            ("HASH", _) => Reply::new(501, "There is SHA-256 only"),
            ("MLST", facts) => {
                self.facts = Facts::chosen(facts);
                Reply::new(200, format!("MLST OPTS {}", self.facts.names()))
            }
            _ => Reply::new(501, "No such option"),
        }
    }

    /// SITE CHMOD, which clients send by habit: files have the mode that they have.
    pub(super) async fn site(&mut self, argument: &[u8]) -> Reply {
        let mut words = argument.splitn(3, |byte| *byte == b' ');
        let (verb, _mode, path) = (words.next().unwrap_or_default(), words.next(), words.next());
        if !verb.eq_ignore_ascii_case(b"CHMOD") {
            return Reply::new(504, "There is SITE CHMOD only");
        }
        let Some(path) = path else { return Reply::new(501, "Write: SITE CHMOD <mode> <file>") };
        match self.metadata(path).await {
            Ok(_) => Reply::new(200, "Modes stay as they are"),
            Err(error) => failure::reply(&error),
        }
    }
}

fn representation(word: &str) -> Reply {
    let mut words = word.split_whitespace();
    match (words.next().unwrap_or_default(), words.next()) {
        ("I", _) | ("L", Some("8")) | ("L8", None) => Reply::new(200, "Type is binary"),
        ("A", _) => Reply::new(200, "Type is ASCII; files are moved byte by byte all the same"),
        _ => Reply::new(504, "There are types A, I and L 8 only"),
    }
}
