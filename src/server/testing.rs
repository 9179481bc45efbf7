//! A server without sockets, on a file of its own, for tests.

use super::context::Context;
use crate::config::Config;
use std::path::PathBuf;

pub(super) struct House {
    pub(super) ctx: Context,
    pub(super) folder: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        self.ctx.store.close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One in a folder of that name.
pub(super) fn house(name: &str) -> House {
    let folder = std::env::temp_dir().join(format!("doorlight-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ctx = Context::open(Config {
        data: folder.join("doorlight.redb"),
        listen: "127.0.0.1:8080".parse().unwrap(),
        issuer: "http://localhost:8080".parse().unwrap(),
        trusted_proxies: Vec::new(),
    });
    House {
        ctx: ctx.unwrap(),
        folder,
    }
}
