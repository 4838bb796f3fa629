//! Data connections and what runs over them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::{io, pin::pin};

use unftp_core::auth::{Authenticator, UserDetailProvider};
use unftp_core::storage::{Error, FEATURE_RESTART, Metadata, StorageBackend};

use super::{Outcome, Session};
use crate::control::Control;
use crate::data::{Abort, Offer, Refused, parse_eprt, parse_port};
use crate::errand::{Errand, Route, pass_over};
use crate::failure;
use crate::line::{Ahead, Line, NoLine};
use crate::reply::Reply;
use crate::verb::Verb;

impl<S, A> Session<'_, S, A>
where
    A: Authenticator + UserDetailProvider,
    S: StorageBackend<A::User>,
    S::Metadata: 'static,
{
    /// PASV, EPSV, PORT, EPRT.
    pub(super) fn offer(&mut self, verb: Verb, argument: &[u8]) -> Reply {
        self.offer = None;
        match verb {
            Verb::Epsv => self.extended_passive(argument),
            _ if self.extended_only => Reply::new(503, "After EPSV ALL there is EPSV only"),
            Verb::Pasv => self.passive(),
            _ if !self.engine.settings.active_mode => Reply::new(502, "Use EPSV or PASV"),
            Verb::Port => self.active(parse_port(argument, self.peer.ip())),
            _ => self.active(parse_eprt(argument, self.peer.ip())),
        }
    }

    fn extended_passive(&mut self, argument: &[u8]) -> Reply {
        let is_v6 = self.local.ip().to_canonical().is_ipv6();
        match argument {
            b"" => {}
            b"1" if !is_v6 => {}
            b"2" if is_v6 => {}
            word if word.eq_ignore_ascii_case(b"ALL") => {
                self.extended_only = true;
                return Reply::new(200, "EPSV only from now on");
            }
            _ => return Reply::new(522, if is_v6 { "Use (2)" } else { "Use (1)" }),
        }
        match self.lease() {
            Ok(port) => Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)")),
            Err(reply) => reply,
        }
    }

    fn passive(&mut self) -> Reply {
        let IpAddr::V4(own) = self.local.ip().to_canonical() else {
            return Reply::new(425, "Use EPSV over IPv6");
        };
        match self.lease() {
            Ok(port) => Reply::new(227, passive_text(self.passive_host.unwrap_or(own), port)),
            Err(reply) => reply,
        }
    }

    fn lease(&mut self) -> Result<u16, Reply> {
        let lease = self.engine.ports.lease(self.local.ip());
        let lease = lease.map_err(|_| Reply::new(425, "All data ports are in use; try again"))?;
        let port = lease.port();
        self.offer = Some(Offer::Passive(lease));
        Ok(port)
    }

    fn active(&mut self, address: Result<SocketAddr, Refused>) -> Reply {
        match address {
            Ok(address) => {
                self.offer = Some(Offer::Active(address));
                Reply::new(200, "Will connect there")
            }
            Err(Refused::Syntax) => Reply::new(501, "The address can't be read"),
            Err(Refused::Family) => Reply::new(522, "Use (1,2)"),
            Err(Refused::NotAllowed) => Reply::new(504, "Only your own address and ports from 1024 on"),
        }
    }

    /// REST: where the next transfer begins.
    pub(super) fn restart(&mut self, argument: &[u8]) -> Reply {
        if self.storage.supported_features() & FEATURE_RESTART == 0 {
            return Reply::new(502, "Transfers begin at the beginning here");
        }
        let offset = std::str::from_utf8(argument).ok().and_then(|text| text.trim().parse().ok());
        let Some(offset) = offset else { return Reply::new(501, "The offset can't be read") };
        self.restart_at = offset;
        Reply::new(350, format!("The next transfer begins at {offset}"))
    }

    /// What a command wants to be moved. What can't be sent is refused here: an encrypted data connection
    /// that just ended would be told by many clients as a broken one, instead of the reply.
    pub(super) async fn errand(&mut self, verb: Verb, argument: &[u8], start: u64) -> Outcome {
        if self.tls.is_demanded() && self.protection.data.is_none() {
            return Reply::new(521, "Data must be encrypted: PBSZ 0, then PROT P").into();
        }
        if self.offer.is_none() {
            return Reply::new(425, "First EPSV or PASV").into();
        }
        let errand = match verb {
            Verb::Stor => Ok(Errand::Store { path: self.path(argument), start }),
            Verb::Stou => Ok(Errand::StoreUnique { path: self.path(unique_name().as_bytes()) }),
            Verb::Appe => Ok(Errand::Append { path: self.path(argument) }),
            Verb::Retr => self.fetch(argument, start).await,
            _ => self.listing(verb, argument).await.map(|text| Errand::List { text }),
        };
        match errand {
            Ok(errand) => Outcome::Transfer(errand),
            Err(reply) => {
                self.offer = None;
                reply.into()
            }
        }
    }

    async fn fetch(&self, argument: &[u8], start: u64) -> Result<Errand, Reply> {
        let found = self.metadata(argument).await.map_err(|error| failure::reply(&error))?;
        if found.is_dir() {
            return Err(Reply::new(550, "It is a directory"));
        }
        // RFC 1123, 4.1.3.4.
        if start > found.len() {
            return Err(Reply::new(554, "The file ends before the offset of REST"));
        }
        Ok(Errand::Fetch { path: self.path(argument), start })
    }

    /// Runs a transfer from its data connection to its last reply. Breaks if the session is over.
    pub(super) async fn transfer(
        &mut self,
        control: &mut Control,
        errand: Errand,
    ) -> io::Result<ControlFlow<()>> {
        let (Some(offer), Ok(user)) = (self.offer.take(), self.user()) else {
            return control.send(&Reply::new(425, "First EPSV or PASV")).await.map(ControlFlow::Continue);
        };
        let (abort, mut heard) = (Abort::default(), Heard::default());
        let opening = offer.open(self.local.ip(), self.peer.ip(), self.engine.settings.connect_max);
        let opening = abort.unless(async { opening.await.map_err(Error::from) });
        let (reply, refused) = match self.attend(control, opening, &abort, &mut heard).await? {
            Ok(data) => {
                control.send(&errand.opening()).await?;
                let (control_link, remarks) = (Arc::clone(&self.link), self.remarks.clone());
                let handshake = self.protection.data.clone();
                let route = Route { data, handshake, control: control_link, remarks, abort: abort.clone() };
                let moving = errand.run(&self.storage, user, route);
                self.attend(control, moving, &abort, &mut heard).await?
            }
            Err(error) if abort.is_set() => (failure::reply(&error), None),
            Err(_) => (Reply::new(425, "The data connection did not come about"), None),
        };
        control.send(&reply).await?;
        if heard.abort {
            control.send(&Reply::new(226, "The transfer has ended")).await?;
        }
        if heard.ending == Some(Ending::Quit) {
            control.send(&Reply::new(221, "Goodbye")).await?;
        }
        if let Some(data) = refused {
            // Who goes on with something else has read the reply.
            tokio::select! {
                () = pass_over(data) => {}
                came = control.next(), if !heard.enough() => came.into_iter().for_each(|line| control.postpone(line)),
            }
        }
        Ok(if heard.ending.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// The end of `moving`; answers meanwhile what can be answered.
    async fn attend<T>(
        &self,
        control: &mut Control,
        moving: impl Future<Output = T>,
        abort: &Abort,
        heard: &mut Heard,
    ) -> io::Result<T> {
        let mut moving = pin!(moving);
        loop {
            if heard.is_deaf {
                abort.stop_listening();
            }
            tokio::select! {
                biased;
                came = hear(control, heard.enough()), if !heard.is_deaf => match came {
                    Came::Line(line) => match Verb::named(&line.verb) {
                        Some(Verb::Abor) => {
                            heard.abort = true;
                            abort.set();
                        }
                        Some(Verb::Quit) => heard.ending = Some(Ending::Quit),
                        Some(Verb::Noop) => control.send(&Reply::new(200, "Fine")).await?,
                        Some(Verb::Pwd) => control.send(&self.working_directory()).await?,
                        Some(Verb::Stat) if line.argument.is_empty() => {
                            let lines = ["Logged in, a transfer is running"];
                            control.send(&Reply::list(211, "Status:", lines, "End")).await?;
                        }
                        _ => {
                            control.postpone(line);
                            heard.postponed = true;
                        }
                    },
                    // Who is gone has not said that the file is whole.
                    Came::Nothing(NoLine::End | NoLine::TooLong) => {
                        heard.ending = Some(Ending::Lost);
                        heard.is_deaf = true;
                        abort.set();
                    }
                    Came::Ahead(ahead) => {
                        heard.is_deaf = true;
                        if ahead != Ahead::Full {
                            abort.set();
                        }
                    }
                },
                moved = &mut moving => return Ok(moved),
            }
        }
    }
}

/// What came over the control connection while a transfer ran.
enum Came {
    Line(Line),
    Nothing(NoLine),
    /// Behind a line that waits for the end of the transfer.
    Ahead(Ahead),
}

async fn hear(control: &mut Control, ahead_only: bool) -> Came {
    if ahead_only {
        return Came::Ahead(control.look_ahead().await);
    }
    control.next().await.map_or_else(Came::Nothing, Came::Line)
}

/// What was heard while a transfer ran.
#[derive(Debug, Default)]
struct Heard {
    abort: bool,
    postponed: bool,
    ending: Option<Ending>,
    /// Nothing more is read before the transfer has ended.
    is_deaf: bool,
}

/// Why the session is over with the transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The client has said so.
    Quit,
    /// Its connection is lost.
    Lost,
}

impl Heard {
    /// Whether the rest has to wait for the end of the transfer, but for an ABOR.
    fn enough(&self) -> bool {
        self.postponed || self.ending.is_some()
    }
}

fn passive_text(address: Ipv4Addr, port: u16) -> String {
    let ([a, b, c, d], [high, low]) = (address.octets(), port.to_be_bytes());
    format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})")
}

/// A name that nobody has: the present instant to the nanosecond.
fn unique_name() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!("upload-{}", since.unwrap_or_default().as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passive_addresses_are_six_numbers() {
        let text = passive_text(Ipv4Addr::new(192, 0, 2, 1), 50_001);
        assert_eq!(text, "Entering Passive Mode (192,0,2,1,195,81)");
    }
}
