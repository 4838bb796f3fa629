//! The commands that the engine knows, and what HELP and FEAT say of them.

/// A command (RFC 959; 2228 AUTH, CCC, PBSZ, PROT; 2389 FEAT, OPTS; 2428 EPRT, EPSV; 3659 MDTM, MLSD, MLST, SIZE;
/// draft-bryan-ftp-hash-03 HASH).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Abor,
    Acct,
    Allo,
    Appe,
    Auth,
    Ccc,
    Cdup,
    Clnt,
    Cwd,
    Dele,
    Eprt,
    Epsv,
    Feat,
    Hash,
    Help,
    List,
    Mdtm,
    Mfmt,
    Mkd,
    Mlsd,
    Mlst,
    Mode,
    Nlst,
    Noop,
    Opts,
    Pass,
    Pasv,
    Pbsz,
    Port,
    Prot,
    Pwd,
    Quit,
    Rest,
    Retr,
    Rmd,
    Rnfr,
    Rnto,
    Site,
    Size,
    Stat,
    Stor,
    Stou,
    Stru,
    Syst,
    Type,
    User,
    Xsha256,
}

/// Names and older names of commands, with their arguments as HELP shows them.
const TABLE: &[(&str, Verb, &str)] = &[
    ("ABOR", Verb::Abor, ""),
    ("ACCT", Verb::Acct, "<account>"),
    ("ALLO", Verb::Allo, "<bytes>"),
    ("APPE", Verb::Appe, "<file>"),
    ("AUTH", Verb::Auth, "TLS"),
    ("CCC", Verb::Ccc, ""),
    ("CDUP", Verb::Cdup, ""),
    ("CLNT", Verb::Clnt, "<client>"),
    ("CWD", Verb::Cwd, "[<directory>]"),
    ("DELE", Verb::Dele, "<file>"),
    ("EPRT", Verb::Eprt, "|<family>|<address>|<port>|"),
    ("EPSV", Verb::Epsv, "[<family>|ALL]"),
    ("FEAT", Verb::Feat, ""),
    ("HASH", Verb::Hash, "<file>"),
    ("HELP", Verb::Help, "[<command>]"),
    ("LIST", Verb::List, "[<path>]"),
    ("MDTM", Verb::Mdtm, "<file>"),
    ("MFMT", Verb::Mfmt, "<time> <file>"),
    ("MKD", Verb::Mkd, "<directory>"),
    ("MLSD", Verb::Mlsd, "[<directory>]"),
    ("MLST", Verb::Mlst, "[<path>]"),
    ("MODE", Verb::Mode, "S"),
    ("NLST", Verb::Nlst, "[<path>]"),
    ("NOOP", Verb::Noop, ""),
    ("OPTS", Verb::Opts, "<command> [<option>]"),
    ("PASS", Verb::Pass, "<password>"),
    ("PASV", Verb::Pasv, ""),
    ("PBSZ", Verb::Pbsz, "0"),
    ("PORT", Verb::Port, "<h1>,<h2>,<h3>,<h4>,<p1>,<p2>"),
    ("PROT", Verb::Prot, "C|P"),
    ("PWD", Verb::Pwd, ""),
    ("QUIT", Verb::Quit, ""),
    ("REST", Verb::Rest, "<offset>"),
    ("RETR", Verb::Retr, "<file>"),
    ("RMD", Verb::Rmd, "<directory>"),
    ("RNFR", Verb::Rnfr, "<path>"),
    ("RNTO", Verb::Rnto, "<path>"),
    ("SITE", Verb::Site, "CHMOD <mode> <file>"),
    ("SIZE", Verb::Size, "<file>"),
    ("STAT", Verb::Stat, "[<path>]"),
    ("STOR", Verb::Stor, "<file>"),
    ("STOU", Verb::Stou, ""),
    ("STRU", Verb::Stru, "F"),
    ("SYST", Verb::Syst, ""),
    ("TYPE", Verb::Type, "A|I"),
    ("USER", Verb::User, "<name>"),
    ("XCUP", Verb::Cdup, ""),
    ("XCWD", Verb::Cwd, "[<directory>]"),
    ("XMKD", Verb::Mkd, "<directory>"),
    ("XPWD", Verb::Pwd, ""),
    ("XRMD", Verb::Rmd, "<directory>"),
    ("XSHA256", Verb::Xsha256, "<file>"),
];

impl Verb {
    /// The command of a name in upper case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|(known, _, _)| *known == name).map(|(_, verb, _)| *verb)
    }

    /// How a command is written.
    pub(crate) fn usage(name: &str) -> Option<String> {
        let (name, _, arguments) = TABLE.iter().find(|(known, _, _)| *known == name)?;
        Some(format!("{name} {arguments}").trim_end().to_owned())
    }

    /// All names, for HELP.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _, _)| *name)
    }

    /// Whether it is answered before anyone has logged in.
    pub(crate) fn is_open_to_all(self) -> bool {
        matches!(
            self,
            Self::User
                | Self::Pass
                | Self::Acct
                | Self::Quit
                | Self::Noop
                | Self::Help
                | Self::Syst
                | Self::Feat
                | Self::Opts
                | Self::Clnt
                | Self::Abor
                | Self::Auth
                | Self::Ccc
                | Self::Pbsz
                | Self::Prot
        )
    }

    /// Whether it must be followed by an argument.
    pub(crate) fn needs_argument(self) -> bool {
        matches!(
            self,
            Self::Appe
                | Self::Auth
                | Self::Dele
                | Self::Eprt
                | Self::Hash
                | Self::Mdtm
                | Self::Mfmt
                | Self::Mkd
                | Self::Mode
                | Self::Opts
                | Self::Pbsz
                | Self::Port
                | Self::Prot
                | Self::Rest
                | Self::Retr
                | Self::Rmd
                | Self::Rnfr
                | Self::Rnto
                | Self::Site
                | Self::Size
                | Self::Stor
                | Self::Stru
                | Self::Type
                | Self::User
                | Self::Xsha256
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_all_their_names() {
        assert_eq!(Verb::named("XPWD"), Some(Verb::Pwd));
        assert_eq!(Verb::named("LPRT"), None);
        assert_eq!(Verb::named(""), None);
        assert_eq!(Verb::usage("NOOP").unwrap(), "NOOP");
        assert_eq!(Verb::usage("SIZE").unwrap(), "SIZE <file>");
        assert!(Verb::names().is_sorted());
    }
}
