//! The HTTP/1.1 listener: sockets, limits, deadlines, and bytes to requests and back. RFC 9110, RFC 9112 and
//! RFC 8446.
//!
//! It owns everything between `accept` and a handler: how many connections there may be and which is closed when there
//! are too many (`registry`), which heads and bodies are refused (`head`, `body`), which are too large for memory
//! (`upload`), what requests and answers may take of the memory (`memory`, `input`, `content`, `records`), how long
//! anything may take (`connection`), who the client is behind a proxy (`forwarded`), how an answer is framed
//! (`response`), and what is encrypted how (`tls`).
//! It knows nothing of OAuth, and of rouille only the types `Request` and `Response`.
//!
//! One thread serves one connection. The thread that accepts never blocks on a client, and nothing ends it but a
//! [`Shutdown`].

mod accept;
mod bind;
mod body;
mod connection;
mod content;
mod counters;
mod date;
mod forwarded;
#[cfg(fuzzing)]
pub mod fuzzing;
mod head;
mod input;
mod limits;
mod memory;
mod records;
mod refusal;
mod registry;
mod response;
mod shutdown;
mod socket;
mod tls;
mod upload;
mod wire;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use ipnet::IpNet;

pub use bind::Listener;
pub use counters::counters;
pub use limits::{Limits, raise_nofile_limit};
pub use shutdown::Shutdown;
pub use tls::{Pair, Tls};
pub use upload::{Upload, Uploads};

use connection::Context;
use head::Head;
use memory::Memory;
use registry::Registry;

/// Answers a request, whose body stands beside it: `rouille` would own the bytes, and give them back unwiped. It runs on the
/// connection's thread; a panic is answered 500.
///
/// The request's remote address is the client's, and `is_secure` its scheme, both as a trusted proxy reports them.
/// `Forwarded` and `X-Forwarded-*` are there only when a trusted proxy sent them.
pub type Handler = Arc<dyn Fn(&rouille::Request, &[u8]) -> rouille::Response + Send + Sync>;

/// Bytes that the body of a request may have, by method and target (in origin form), where [`Limits::body`] does not
/// fit. The body is held in memory.
pub type BodyLimit = fn(method: &str, target: &str) -> Option<usize>;

/// A socket and what answers on it.
pub struct Service {
    listener: Listener,
    site: Site,
}

/// What of a service the connections need.
struct Site {
    handler: Handler,
    body_limit: Option<BodyLimit>,
    uploads: Option<Arc<dyn Uploads>>,
    tls: Option<Tls>,
}

impl Service {
    /// Answers with `handler` what arrives at `listener`.
    pub fn new(listener: Listener, handler: Handler) -> Self {
        Self {
            listener,
            site: Site {
                handler,
                body_limit: None,
                uploads: None,
                tls: None,
            },
        }
    }

    /// Allows some requests another size of body.
    #[must_use]
    pub fn with_body_limit(mut self, body_limit: BodyLimit) -> Self {
        self.site.body_limit = Some(body_limit);
        self
    }

    /// Allows some requests a body that is taken piece by piece, and has no bound but its own.
    #[must_use]
    pub fn with_uploads(mut self, uploads: Arc<dyn Uploads>) -> Self {
        self.site.uploads = Some(uploads);
        self
    }

    /// Speaks TLS, and nothing else, on this socket.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.site.tls = Some(tls);
        self
    }
}

impl Site {
    fn body_limit(&self, method: &str, target: &str) -> Option<usize> {
        self.body_limit
            .and_then(|body_limit| body_limit(method, target))
    }

    fn uploads(&self, head: &Head) -> Option<&dyn Uploads> {
        self.uploads
            .as_deref()
            .filter(|uploads| uploads.concern(&head.method, &head.target, &head.fields))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Service")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// Serves until the shutdown is triggered and the running requests are finished, or cut off at
/// [`Limits::drain_timeout`]. Fails only if it cannot start.
pub fn serve(
    services: Vec<Service>,
    trusted_proxies: Vec<IpNet>,
    limits: Limits,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let context = Arc::new(Context {
        registry: Arc::new(Registry::new(&limits)),
        large_requests: Memory::of(limits.large_requests),
        large_answers: Memory::of(limits.large_answers),
        limits,
        trusted_proxies,
    });
    thread::scope(|scope| {
        for service in services {
            let (context, shutdown_here) = (&context, shutdown);
            let started = thread::Builder::new()
                .name("accept".to_owned())
                .spawn_scoped(scope, move || accept::run(service, context, shutdown_here));
            if let Err(error) = started {
                shutdown.trigger();
                return Err(error);
            }
        }
        Ok(())
    })?;
    let cut_off = context.registry.drain(context.limits.drain_timeout);
    if cut_off > 0 {
        log::warn!(
            "{cut_off} requests were still running at the end of the shutdown and were cut off"
        );
    }
    Ok(())
}
