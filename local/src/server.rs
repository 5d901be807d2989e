//! Serving on loopback, and the signal that ends it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The signal to stop. Dropping the sender is the signal too, so nothing outlives its portal.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

/// Gives the signal when it is dropped.
#[derive(Debug)]
pub(crate) struct Stopper {
    _sender: watch::Sender<()>,
}

impl Stop {
    pub(crate) fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(());
        (Stopper { _sender: sender }, Self(receiver))
    }

    /// Whether the signal was given.
    pub(crate) fn is_given(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits for the signal.
    pub(crate) async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Listens on loopback; port 0 is any free one.
pub(crate) fn listen(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    // The standard library's bind allows an address whose last connections are not forgotten yet, and
    // still refuses one that somebody listens at.
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until the signal, then finishes what is running.
pub(crate) fn serve(listener: TcpListener, app: Router, stop: Stop) -> JoinHandle<()> {
    // Answers are small; waiting for more to send along would only delay them.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        // Accept errors are retried inside; it ends with the signal only.
        let _ = axum::serve(listener, app).with_graceful_shutdown(stop.wait()).await;
    })
}
