//! One server under test with its people and its application, and the ways to ask it things.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Attempt;
use crate::callers::{Application, Browser, CodeFlow, Keep, SignIn, Signer, USES};
use crate::connection::Target;
use crate::grown;
use crate::http;
use crate::load::{self, Caller, Outcome, Until};
use crate::machine::Cores;
use crate::process::{Program, Server, free_address};

const PASSWORD: &str = "quartz lantern orchard violet 47";

pub struct World {
    /// `A`, `B`, …: how the table names it.
    pub label: char,
    pub program: Program,
    pub application: Application,
    /// The same by name only: it has a key and no secret.
    pub by_key: Application,
    /// That key.
    pub signer: Rc<Signer>,
    server: Option<Server>,
    /// Another one, with very many people; made when it is first asked for.
    grown: Option<Box<World>>,
    browser: Browser,
    directory: PathBuf,
}

impl World {
    /// A new data file with so many users, one of them an administrator, and one application
    /// that may do everything the scenarios need.
    pub fn create(
        label: char,
        binary: &Path,
        parent: &Path,
        cores: Cores,
        log: Option<&Path>,
        users: usize,
    ) -> Attempt<Self> {
        let directory = parent.join(format!("bench-{}-{label}", std::process::id()));
        fs::create_dir_all(&directory)?;
        // From here on dropping the world removes the directory.
        let address = free_address()?;
        let host = address.to_string();
        let application = Application {
            client_id: String::new(),
            basic: String::new(),
            redirect_uri: "http://127.0.0.1:9/callback".to_owned(),
            host: host.clone(),
        };
        let mut world = Self {
            label,
            program: Program {
                binary: std::path::absolute(binary)?,
                data: directory.join("doorlight.redb"),
                address,
                cores,
                log: log.map(Path::to_path_buf),
                https: None,
            },
            by_key: application.clone(),
            application,
            signer: Rc::new(Signer::new()?),
            server: None,
            grown: None,
            browser: Browser::new(&host),
            directory,
        };
        world.restart()?;
        for number in 0..users {
            world.add_user(number)?;
        }
        world.add_application()?;
        world.add_signer()?;
        world.sign_in()?;
        Ok(world)
    }

    /// Adds very many people and refresh tokens to the file.
    pub fn grow(&mut self, people: usize) -> Attempt<()> {
        self.stop()?;
        grown::fill(&self.program.data, people)?;
        self.restart()?;
        Ok(())
    }

    /// The same program on another file, with so many more people in it. This one's server waits meanwhile.
    pub fn grown(&mut self, people: usize) -> Attempt<&mut World> {
        if self.grown.is_none() {
            let program = &self.program;
            let label = self.label.to_ascii_lowercase();
            let mut world = World::create(
                label,
                &program.binary,
                &self.directory,
                program.cores,
                program.log.as_deref(),
                2,
            )?;
            world.grow(people)?;
            self.grown = Some(Box::new(world));
        }
        Ok(self.grown.as_mut().ok_or("there is no large file")?)
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A request of the administrator's browser.
    pub fn page_request(&self, target: &str) -> Vec<u8> {
        self.browser.get(target)
    }

    fn add_user(&self, number: usize) -> Attempt<()> {
        let name = user_name(number);
        let email = format!("{name}@example.org");
        let mut arguments = vec!["user", "add", &name, "--email", &email, "--group", "family"];
        arguments.extend((number == 0).then_some("--admin"));
        arguments.extend(["--password-stdin", "--json"]);
        self.program.verb(&arguments, &format!("{PASSWORD}\n"))?;
        Ok(())
    }

    fn add_application(&mut self) -> Attempt<()> {
        let redirect_uri = self.application.redirect_uri.clone();
        let printed = self.program.verb(
            &[
                "client",
                "add",
                "bench",
                "--redirect-uri",
                &redirect_uri,
                "--grant",
                "authorization_code,refresh_token,client_credentials,device_code",
                "--scope",
                "openid profile email offline_access",
                // RS256 signs two thousand times a second on this core and would hide everything else.
                "--id-token-alg",
                "ES256",
                "--trusted",
                "--may-introspect",
                "--json",
            ],
            "",
        )?;
        let printed: Value = serde_json::from_str(&printed)?;
        let text = |key: &str| {
            let value = printed.get(key).and_then(Value::as_str);
            value.ok_or_else(|| format!("`client add --json` printed no {key}"))
        };
        self.application.client_id = text("client_id")?.to_owned();
        self.application.basic = http::basic(text("client_id")?, text("client_secret")?);
        Ok(())
    }

    fn add_signer(&mut self) -> Attempt<()> {
        let file = self.directory.join("jwks.json");
        fs::write(&file, json!({ "keys": [self.signer.jwk()] }).to_string())?;
        let file = file.to_str().ok_or("the directory has no name in UTF-8")?;
        let printed = self.program.verb(
            &[
                "client",
                "add",
                "signer",
                "--auth-method",
                "private_key_jwt",
                "--jwks-file",
                file,
                "--grant",
                "client_credentials",
                "--json",
            ],
            "",
        )?;
        let printed: Value = serde_json::from_str(&printed)?;
        let id = printed.get("client_id").and_then(Value::as_str);
        self.by_key.client_id = id.ok_or("`client add --json` printed no id")?.to_owned();
        Ok(())
    }

    /// Initial access tokens, for registrations.
    pub fn initial_tokens(&self, count: usize) -> Attempt<Vec<String>> {
        self.program.verb(&["registration", "token"], "")?;
        let uses = USES.to_string();
        let one = |_| {
            let words = ["registration", "add-token", "--uses", &uses, "--json"];
            let printed: Value = serde_json::from_str(&self.program.verb(&words, "")?)?;
            let token = printed.get("token").and_then(Value::as_str);
            Ok(token
                .ok_or("`registration add-token` printed no token")?
                .to_owned())
        };
        (0..count).map(one).collect()
    }

    fn sign_in(&mut self) -> Attempt<()> {
        let mut callers = [self.sign_in_caller(0)];
        self.once_each(&mut callers)?;
        let [signed_in] = callers;
        self.browser = signed_in.into_browser();
        Ok(())
    }

    /// Stops the server if it runs and starts it again on the same file.
    pub fn restart(&mut self) -> Attempt<Duration> {
        self.stop()?;
        let (server, took) = self.program.start()?;
        self.server = Some(server);
        Ok(took)
    }

    pub fn stop(&mut self) -> Attempt<()> {
        if let Some(mut grown) = self.grown.take() {
            grown.stop()?;
        }
        self.server.take().map_or(Ok(()), Server::stop)
    }

    pub fn server(&self) -> Attempt<&Server> {
        Ok(self.server.as_ref().ok_or("the server does not run")?)
    }

    /// A browser without a session that signs in as this user.
    pub fn sign_in_caller(&self, user: usize) -> SignIn {
        SignIn::new(&self.application, &user_name(user), PASSWORD)
    }

    /// A browser with the session of the administrator that goes through the code flow.
    pub fn code_flow(&self, scope: &'static str) -> CodeFlow {
        CodeFlow::new(&self.application, &self.browser, scope)
    }

    pub fn run<C: Caller>(
        &self,
        callers: &mut [C],
        until: &Until,
        sources: u8,
        tick: &mut dyn FnMut(),
    ) -> io::Result<Outcome> {
        let target = Target {
            address: self.program.address,
            sources,
        };
        load::run(&target, callers, until, tick)
    }

    /// One operation of each caller, all of which must succeed.
    pub fn once_each<C: Caller>(&self, callers: &mut [C]) -> Attempt<()> {
        let outcome = self.run(callers, &Until::OnceEach, 1, &mut || {})?;
        match outcome.first_wrong {
            Some(what) => Err(format!("server {}: {what}", self.label).into()),
            None => Ok(()),
        }
    }

    /// The body of an answer that must be 200 and JSON.
    pub fn ask(&self, request: Vec<u8>) -> Attempt<(Vec<u8>, Value)> {
        let mut callers = [Keep::new(request)];
        self.once_each(&mut callers)?;
        let [asked] = callers;
        let (status, body) = asked.answer.ok_or("no answer")?;
        if status != 200 {
            return Err(format!("{status} {}", String::from_utf8_lossy(&body)).into());
        }
        let value = serde_json::from_slice(&body)?;
        Ok((body, value))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn user_name(number: usize) -> String {
    format!("person{number}")
}
