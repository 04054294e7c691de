//! Listening, and the life of connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::Origin;
use super::exchange::Exchange;
use super::shared::{Shared, lock};
use crate::wire::{Conn, Ending, Stream, Then};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// The accepting tasks. Each owns its connections, so that to abort it ends them.
#[derive(Debug)]
pub(super) struct Listeners {
    tasks: Vec<AbortHandle>,
    /// Senders that tell the tasks to stop listening when they are dropped.
    stops: Vec<tokio::sync::oneshot::Sender<()>>,
}

impl Listeners {
    pub(super) fn start(mut shared: Shared, address: IpAddr) -> io::Result<(Arc<Shared>, Self)> {
        let mut sockets = Vec::new();
        for (origin, place) in Origin::ALL.into_iter().zip(&mut shared.addresses) {
            let listener = bind(SocketAddr::new(address, 0))?;
            *place = listener.local_addr()?;
            sockets.push((origin, listener));
        }
        let shared = Arc::new(shared);
        let mut listeners = Self {
            tasks: Vec::new(),
            stops: Vec::new(),
        };
        for (origin, listener) in sockets {
            listeners.spawn(&shared, origin, listener);
        }
        Ok((shared, listeners))
    }

    pub(super) fn stop_listening(&mut self) {
        self.stops.clear();
    }

    pub(super) fn listen(&mut self, shared: &Arc<Shared>) -> io::Result<()> {
        if !self.stops.is_empty() {
            return Ok(());
        }
        for origin in Origin::ALL {
            let listener = bind(shared.address(origin))?;
            self.spawn(shared, origin, listener);
        }
        Ok(())
    }

    fn spawn(&mut self, shared: &Arc<Shared>, origin: Origin, listener: TcpListener) {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(accept(Arc::clone(shared), origin, listener, stopped));
        self.tasks.push(task.abort_handle());
        self.stops.push(stop);
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    // So that a port can be listened on again while its old connections linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(
    shared: Arc<Shared>,
    origin: Origin,
    listener: TcpListener,
    mut stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // What a test said before is in force before what a client does next.
            biased;
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    connections.spawn(connection(Arc::clone(&shared), origin, tcp));
                }
                // Out of descriptors, or a client that was gone before it was accepted.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end. Its errors are the client's business.
async fn connection(shared: Arc<Shared>, origin: Origin, tcp: TcpStream) {
    let number = shared.connections.fetch_add(1, Ordering::Relaxed);
    drop(tcp.set_nodelay(true));
    let ending = lock(&shared.plan).at_accept(origin);
    if let Some(ending) = ending {
        end(Conn::new(Stream::Plain(tcp)), ending).await;
        return;
    }
    #[cfg(feature = "tls")]
    let stream = match &shared.tls {
        Some(tls) => match tls.accept(tcp).await {
            Ok(stream) => stream,
            Err(_) => return,
        },
        None => Stream::Plain(tcp),
    };
    #[cfg(not(feature = "tls"))]
    let stream = Stream::Plain(tcp);
    let mut conn = Conn::new(stream);
    loop {
        match conn.head().await {
            Ok(Some(head)) => {
                let exchange = Exchange {
                    shared: &shared,
                    origin,
                    connection: number,
                    head: &head,
                };
                match exchange.run(&mut conn).await {
                    Ok(Then::KeepAlive) => {}
                    Ok(Then::End(ending)) => return end(conn, ending).await,
                    Err(_) => return,
                }
            }
            Ok(None) => return end(conn, Ending::Close).await,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return conn.refuse().await;
            }
            Err(_) => return,
        }
    }
}

async fn end(mut conn: Conn, ending: Ending) {
    match ending {
        Ending::Close => conn.stream.close().await,
        Ending::Reset => conn.stream.reset(),
        Ending::Stall => conn.until_end().await,
    }
}
