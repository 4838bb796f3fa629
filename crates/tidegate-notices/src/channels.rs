//! The ways by which senders reach the registry, as announcements tell of them.

/// What becomes of each way while files wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// Those by which files go on coming, such as `FTP, FTPS and SFTP`.
    pub doors: String,
    /// Whether there is a web service, which answers 503.
    pub web_service: bool,
    /// Whether there are web pages that answer 503, too.
    pub web_pages: bool,
    /// Where everyone sees whether files are processed, such as `https://registry.example/status`.
    pub status_page: Option<String>,
}
