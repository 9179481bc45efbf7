//! A backup that comes in through the setup page: whether its body is taken at all, where it goes, and how the server
//! learns that there is another file to go on with.
//! Owns: one at a time, how large, and that nothing of it is in memory. The body is written to a file without a name in the
//! folder of the data file: there it is as safe as that, and gone with the process.
//! Not here: what the page says and checks (`pages::restore`), what is done to the backup (`administration::restore`), how
//! fast it must arrive (`listener`).

use super::context::Context;
use super::incoming::Incoming;
use super::listener::{Shutdown, Upload, Uploads};
use super::multipart::{Multipart, Said};
use super::pages::restore;
use super::routes;
use crate::ops::clock;
use crate::store::placed::{self, Placing};
use crate::types::Form;
use rouille::{Request, Response};
use rustix::fs::fstatvfs;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The largest body, in bytes: 2 GiB.
pub const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// What stays free on the disk of the data file, in bytes.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The field that is the file.
pub const FILE: &str = "backup";

/// The other fields, and how long each may be, in bytes.
const FIELDS: [(&str, usize); 5] = [
    ("csrf", 1024),
    ("passphrase", 4 * 1024),
    ("identity", 16 * 1024),
    ("end_sessions", 16),
    ("replace_keys", 16),
];

/// Where the page is, below the issuer's path.
pub const PATH: &str = "/setup/restore";

/// What a running server takes backups in by.
#[derive(Clone)]
pub struct Restoring(Arc<Inner>);

struct Inner {
    ctx: Arc<Context>,
    shutdown: Shutdown,
    is_taken: AtomicBool,
    ready: Mutex<Option<Placing>>,
}

impl Restoring {
    /// Ends the server by `shutdown` once there is another file to go on with.
    pub fn new(ctx: Arc<Context>, shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            ctx,
            shutdown,
            is_taken: AtomicBool::new(false),
            ready: Mutex::new(None),
        }))
    }

    /// The file to go on with, once the server has ended.
    pub fn ready(&self) -> Option<Placing> {
        let mut ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.take()
    }

    fn begin(&self, body: Multipart) -> io::Result<Box<dyn Upload>> {
        let seat = Seat::take(self).ok_or(ErrorKind::ResourceBusy)?;
        let file = placed::nameless(placed::folder(&self.0.ctx.config.data))?;
        let limit = room(&file)?;
        Ok(Box::new(Receiving {
            limit,
            body,
            content: Ok(Content {
                file: BufWriter::with_capacity(64 * 1024, file),
                size: 0,
                fields: BTreeMap::new(),
                now: None,
            }),
            seat,
        }))
    }
}

/// The bytes that a body may have: it stands on the disk twice, as it came and in the clear.
fn room(file: &File) -> io::Result<u64> {
    let disk = fstatvfs(file)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    Ok((free.saturating_sub(RESERVE) / 2).min(LARGEST))
}

impl Uploads for Restoring {
    /// Other forms that are sent there are small ones, and treated as such.
    fn concern(&self, method: &str, target: &str, fields: &[(String, String)]) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        let base = self.0.ctx.config.issuer.path();
        let mut types = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        method == "POST"
            && path.strip_prefix(base) == Some(PATH)
            && types.any(|(_, value)| Multipart::of(value).is_some())
    }

    fn admit(&self, request: &Request) -> Result<Box<dyn Upload>, Response> {
        let ctx = &self.0.ctx;
        let incoming = Incoming::new(ctx, request, &[], PATH, clock::now());
        let begun = restore::wanted(&incoming).map(|body| self.begin(body));
        match begun {
            Some(Ok(upload)) => Ok(upload),
            Some(Err(error)) => {
                log::warn!("a backup was not taken in: {error}");
                Err(routes::handle(ctx, request, &[]))
            }
            // The page says why.
            None => Err(routes::handle(ctx, request, &[])),
        }
    }
}

/// One backup at a time.
struct Seat(Restoring);

impl Seat {
    fn take(restoring: &Restoring) -> Option<Self> {
        let taken = restoring.0.is_taken.swap(true, Ordering::AcqRel);
        (!taken).then(|| Self(restoring.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.is_taken.store(false, Ordering::Release);
    }
}

/// Why what came in is of no use.
#[derive(Debug)]
pub enum Fault {
    /// It is no form of ours.
    Malformed,
    /// It cannot be written down.
    Write(io::Error),
}

/// A body on its way in.
struct Receiving {
    limit: u64,
    body: Multipart,
    content: Result<Content, Fault>,
    seat: Seat,
}

struct Content {
    file: BufWriter<File>,
    size: u64,
    fields: BTreeMap<&'static str, Zeroizing<Vec<u8>>>,
    /// The part that is coming in.
    now: Option<&'static str>,
}

impl Content {
    fn hear(&mut self, said: Said<'_>) -> Result<(), Fault> {
        match said {
            Said::Begin { name, is_file } => self.begin(&name, is_file),
            Said::Data(data) if self.now == Some(FILE) => {
                self.size += u64::try_from(data.len()).unwrap_or(0);
                self.file.write_all(data).map_err(Fault::Write)
            }
            Said::Data(data) => self.field(data),
            Said::End => Ok(()),
        }
    }

    /// Each part is one that the form has, and comes once.
    fn begin(&mut self, name: &str, is_file: bool) -> Result<(), Fault> {
        let fields = FIELDS.iter().map(|(name, _)| *name);
        let known = fields.chain([FILE]).find(|known| *known == name);
        let known = known.ok_or(Fault::Malformed)?;
        let again = self.fields.insert(known, Zeroizing::default()).is_some();
        if again || is_file != (known == FILE) {
            return Err(Fault::Malformed);
        }
        self.now = Some(known);
        Ok(())
    }

    fn field(&mut self, data: &[u8]) -> Result<(), Fault> {
        let now = self.now.ok_or(Fault::Malformed)?;
        let field = self.fields.get_mut(now).ok_or(Fault::Malformed)?;
        let longest = FIELDS.iter().find(|(name, _)| *name == now);
        let longest = longest.map_or(0, |(_, longest)| *longest);
        if field.len() + data.len() > longest {
            return Err(Fault::Malformed);
        }
        field.extend_from_slice(data);
        Ok(())
    }

    fn finish(self, seat: Seat) -> Result<Received, Fault> {
        let mut pairs = Vec::new();
        for (name, value) in &self.fields {
            let text = std::str::from_utf8(value).map_err(|_| Fault::Malformed)?;
            pairs.push(((*name).to_owned(), text.to_owned()));
        }
        let written = self.file.into_inner();
        let mut file = written.map_err(|error| Fault::Write(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(Fault::Write)?;
        Ok(Received {
            form: Form::from_pairs(pairs),
            file,
            size: self.size,
            seat,
        })
    }
}

impl Upload for Receiving {
    fn limit(&self) -> u64 {
        self.limit
    }

    fn take(&mut self, piece: &[u8]) {
        let Ok(content) = &mut self.content else {
            return;
        };
        let mut heard = Ok(());
        let taken = self.body.take(piece, &mut |said| {
            if heard.is_ok() {
                heard = content.hear(said);
            }
        });
        if let Err(fault) = heard.and(taken.map_err(|_| Fault::Malformed)) {
            // The file and its room go at once.
            self.content = Err(fault);
        }
    }

    fn answer(self: Box<Self>, request: &Request) -> Response {
        let ctx = self.seat.0.0.ctx.clone();
        let is_whole = self.body.is_done();
        let seat = self.seat;
        let received = self.content.and_then(|content| match is_whole {
            true => content.finish(seat),
            false => Err(Fault::Malformed),
        });
        routes::handle_upload(&ctx, request, received)
    }
}

/// A form whose file was taken in.
pub struct Received {
    /// Its fields, without the file.
    pub form: Form,
    /// The file, wound back to its beginning.
    pub file: File,
    /// The size of the file in bytes.
    pub size: u64,
    seat: Seat,
}

impl Received {
    /// Lets the server end, and whoever runs it go on with that file.
    pub fn hand_over(self, placing: Placing) {
        let inner = &self.seat.0.0;
        *inner.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(placing);
        inner.shutdown.trigger();
    }
}
