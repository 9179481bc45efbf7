//! A server without sockets, on a file of its own, for tests.

use super::context::Context;
use crate::config::Config;
use crate::store::testing::Folder;

pub(super) struct House {
    pub(super) ctx: Context,
    _folder: Folder,
}

impl Drop for House {
    fn drop(&mut self) {
        self.ctx.store.close();
    }
}

/// One in a folder of that name.
pub(super) fn house(name: &str) -> House {
    let folder = Folder::new(name);
    let ctx = Context::open(Config {
        data: folder.join("doorlight.redb"),
        listen: "127.0.0.1:8080".parse().unwrap(),
        issuer: "http://localhost:8080".parse().unwrap(),
        trusted_proxies: Vec::new(),
    });
    House {
        ctx: ctx.unwrap(),
        _folder: folder,
    }
}
