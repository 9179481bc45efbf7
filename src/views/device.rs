//! Pages of a person who signs in on another device (RFC 8628 §3.3).

use super::{ClientFace, Page, ScopeLine, When};
use askama::Template;

/// Which device? `POST {base}/device` with `user_code` and `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/device_code.html", config = "assets/askama.toml")]
pub struct DeviceCode {
    /// The frame.
    pub page: Page,
    /// What stands in the field: what was typed, or what the address brought along.
    pub code: String,
    /// What went wrong.
    pub error: Option<String>,
    /// Seconds until another try is allowed.
    pub wait_seconds: Option<u64>,
}

/// Shall that device be signed in? `POST {base}/device/answer` with the button `decision` (`allow` or `deny`),
/// `device`, `seal`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/device_confirm.html", config = "assets/askama.toml")]
pub struct DeviceConfirm {
    /// The frame.
    pub page: Page,
    /// The application on the device.
    pub client: ClientFace,
    /// Name of the person who would be signed in there.
    pub person: String,
    /// What it asks for.
    pub scopes: Vec<ScopeLine>,
    /// The code, to compare.
    pub code: String,
    /// When the device asked.
    pub asked: When,
    /// Where it asked from; empty when that is not known.
    pub address: String,
    /// Whether that is where the reader is.
    pub same_network: bool,
    /// Which device: the hidden field `device`.
    pub device: String,
    /// That this person has seen this page: the hidden field `seal`.
    pub seal: String,
    /// Where "Not you?" leads.
    pub switch_to: String,
}

/// What came of it.
#[derive(Debug, Clone, Template)]
#[template(path = "public/device_done.html", config = "assets/askama.toml")]
pub struct DeviceDone {
    /// The frame.
    pub page: Page,
    /// The application on the device.
    pub client_name: String,
    /// Whether it was let in.
    pub allowed: bool,
}
