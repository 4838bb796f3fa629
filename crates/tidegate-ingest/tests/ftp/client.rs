//! An FTP client small enough to break off at any point.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) text: String,
}

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Client {
    pub(crate) control: BufReader<Box<dyn Stream>>,
    host: IpAddr,
    pub(crate) greeting: Reply,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(crate) async fn over(stream: TcpStream) -> Self {
        let host = stream.peer_addr().unwrap().ip();
        Self::greeted(Box::new(stream), host).await
    }

    /// On a connection that is there.
    pub(crate) async fn greeted(stream: Box<dyn Stream>, host: IpAddr) -> Self {
        let greeting = Reply { code: 0, text: String::new() };
        let mut client = Self { control: BufReader::new(stream), host, greeting };
        client.greeting = client.reply().await;
        client
    }

    pub(crate) async fn login(address: SocketAddr, account: &str) -> Self {
        let mut client = Self::connect(address).await;
        assert_eq!(client.try_login(account, crate::rig::PASSWORD).await.code, 230);
        client
    }

    pub(crate) async fn try_login(&mut self, account: &str, password: &str) -> Reply {
        assert_eq!(self.command(&format!("USER {account}")).await.code, 331);
        self.command(&format!("PASS {password}")).await
    }

    pub(crate) async fn command(&mut self, line: &str) -> Reply {
        self.send(line).await;
        self.reply().await
    }

    pub(crate) async fn send(&mut self, line: &str) {
        self.control.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }

    /// Reads a reply; of a multi-line one all lines.
    pub(crate) async fn reply(&mut self) -> Reply {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.control.read_line(&mut line)).await;
            assert_ne!(read.expect("a reply in time").unwrap(), 0, "the connection ended after {text:?}");
            text.push_str(&line);
            if line.as_bytes()[..3].iter().all(u8::is_ascii_digit) && line.as_bytes()[3] == b' ' {
                return Reply { code: line[..3].parse().unwrap(), text };
            }
        }
    }

    pub(crate) async fn quit(mut self) {
        assert_eq!(self.command("QUIT").await.code, 221);
        self.closed().await;
    }

    /// Waits for the server to close.
    pub(crate) async fn closed(mut self) -> String {
        let mut rest = String::new();
        let _ = timeout(PATIENCE, self.control.read_to_string(&mut rest)).await.expect("an end in time");
        rest
    }

    pub(crate) async fn passive(&mut self) -> TcpStream {
        let reply = self.command("EPSV").await;
        assert_eq!(reply.code, 229, "{reply:?}");
        let port = reply.text.split('|').nth(3).unwrap().parse().unwrap();
        let address = SocketAddr::new(self.host, port);
        TcpStream::connect(address).await.unwrap()
    }

    /// Begins an upload: the data connection is ready for bytes.
    pub(crate) async fn begin(&mut self, command: &str) -> TcpStream {
        let data = self.passive().await;
        let reply = self.command(command).await;
        assert_eq!(reply.code, 150, "{reply:?}");
        data
    }

    pub(crate) async fn store(&mut self, name: &str, bytes: &[u8]) -> Reply {
        self.upload(&format!("STOR {name}"), bytes).await
    }

    pub(crate) async fn upload(&mut self, command: &str, bytes: &[u8]) -> Reply {
        let mut data = self.begin(command).await;
        // A server that refuses in the middle closes the connection; its reply says why.
        let _ = data.write_all(bytes).await;
        drop(data);
        self.reply().await
    }

    /// Runs a command that sends data; its bytes and the final reply.
    pub(crate) async fn fetch(&mut self, command: &str) -> (Vec<u8>, Reply) {
        let mut data = self.passive().await;
        let opening = self.command(command).await;
        if opening.code != 150 {
            return (Vec::new(), opening);
        }
        let mut bytes = Vec::new();
        timeout(PATIENCE, data.read_to_end(&mut bytes)).await.expect("data in time").unwrap();
        (bytes, self.reply().await)
    }

    /// The names in a directory.
    pub(crate) async fn names(&mut self, directory: &str) -> Vec<String> {
        let (bytes, reply) = self.fetch(&format!("NLST {directory}")).await;
        assert_eq!(reply.code, 226, "{reply:?}");
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}
