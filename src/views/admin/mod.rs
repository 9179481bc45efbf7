//! The admin pages: for a person who runs the server and need not know OAuth.

mod application_parts;
mod applications;
mod audit;
mod backups;
mod confirm;
mod groups;
mod keys;
mod overview;
mod people;
mod registration;
mod resources;
mod sessions;
mod try_it;

pub use application_parts::Part;
pub use applications::{
    Application, ApplicationRow, Applications, NewApplication, RecentRefusal, RefusedRedirect,
    SecretRow, Undelivered, UndeliveredRow, application_defaults,
};
pub use audit::{Audit, EventRow, Refusal};
pub use backups::{BackupRow, Backups};
pub use confirm::{Confirm, CopyRow, Issued, ListHead};
pub use groups::{Group, GroupRow, Groups, NewGroup};
pub use keys::{KeyRow, KeyState, Keys};
pub use overview::{CheckRow, Checks, Counts, Overview};
pub use people::{NewPerson, People, Person, PersonRow, SetPassword};
pub use registration::{InitialTokenRow, Registration};
pub use resources::{NewResource, Resource, ResourceRow, Resources};
pub use sessions::{GrantRow, SessionRow, Sessions};
pub use try_it::{DecodedToken, SignatureCheck, TryIt, TryResult};
