//! What a connection asks for, and which answers are right.
//! One file per kind of caller; the load generator (`load`) knows none of them.

mod browser;
mod code_flow;
mod device;
mod fixed;
mod form;
mod refresh;
mod registration;
mod sign_in;
mod signed;

pub use browser::Browser;
pub use code_flow::CodeFlow;
pub use device::Poll;
pub use fixed::{Expect, Fixed, Keep, Rotating};
pub use refresh::Refresh;
pub use registration::{Registration, USES};
pub use sign_in::SignIn;
pub use signed::{Signed, Signer};

/// What the application under test is registered as, and how it reaches its server.
#[derive(Clone)]
pub struct Application {
    /// The value of the `Host` header: address and port.
    pub host: String,
    /// The value of the `Authorization` header.
    pub basic: String,
    pub client_id: String,
    pub redirect_uri: String,
}
