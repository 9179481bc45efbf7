//! Process settings: a handful, from flags or `DOORLIGHT_*` variables (DESIGN §5). The rest lives in the data file.

use crate::types::Issuer;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the server listens, what it calls itself, where its file is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data file.
    pub data: PathBuf,
    /// The TCP address; of a running server the one that it has, also where port 0 left the choice to the kernel.
    pub listen: SocketAddr,
    /// Doorlight's own address, as browsers and applications reach it.
    pub issuer: Issuer,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Config {
    /// The control socket, beside the data file.
    pub fn socket(&self) -> PathBuf {
        self.data.with_extension("sock")
    }
}

/// Where https comes from, in a Doorlight without a proxy in front of it.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// The certificate, and those between it and an authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM. The same file may hold both.
    pub key: PathBuf,
}
