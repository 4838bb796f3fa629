//! Bare axum routes, to hold the status page against: `bare FILE...` serves each file's bytes at `/0`, `/1` and so on, and
//! prints where. See `tests/bench/status`.

use std::error::Error;
use std::future::ready;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut router = Router::new();
    for (number, file) in std::env::args_os().skip(1).enumerate() {
        let bytes = Bytes::from(std::fs::read(file)?);
        router = router.route(&format!("/{number}"), get(move || ready(bytes.clone())));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}
