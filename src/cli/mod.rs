//! The command line: one file per verb. Each works beside a running server (over its socket, or reading the file while
//! the server writes it) and without one.

mod audit;
mod backup;
mod backups;
mod client;
mod client_edit;
mod clock;
mod doctor;
mod export;
mod health;
mod https;
mod import;
mod keys;
mod lock;
mod metrics;
mod outbound;
mod output;
mod password;
mod reach;
mod registration;
mod resource;
mod restore;
mod serve;
mod setup_link;
mod socket;
mod user;
mod verify;

use crate::config::Config;
use crate::ops::logging::LogFormat;
use crate::ops::{core_dumps, inspection};
use crate::store::panics::{self, Meaning};
use crate::types::Issuer;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use ipnet::IpNet;
use rustix::process::Signal;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Doorlight signs a household or a small team in to its own services (OAuth 2.0, OpenID Connect).
#[derive(Parser)]
#[command(name = "doorlight", version, about, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(subcommand)]
    verb: Option<Verb>,
}

const EXAMPLES: &str = "\
Examples:
  doorlight                                       run the server in this folder
  doorlight user add anna --no-password           add a person
  doorlight user link anna                        make the link with which she chooses a password
  doorlight client add Photos --redirect-uri URI  add an application
  doorlight help client add                       what a command takes";

#[derive(Args)]
struct SettingsArguments {
    /// The data file: everything Doorlight knows.
    #[arg(
        long,
        global = true,
        env = "DOORLIGHT_DATA",
        default_value = "./doorlight.redb",
        value_name = "FILE"
    )]
    data: PathBuf,
    /// The address to listen on.
    #[arg(
        long,
        global = true,
        env = "DOORLIGHT_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = listen_address,
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// Doorlight's own address, for browsers and applications [default: http://localhost, the port of --listen; where no
    /// server runs, that of the last one].
    #[arg(long, global = true, env = "DOORLIGHT_ISSUER", value_name = "URL")]
    issuer: Option<Issuer>,
    /// A proxy in front that is believed: an address or a range.
    #[arg(
        long,
        global = true,
        env = "DOORLIGHT_TRUSTED_PROXY",
        value_delimiter = ',',
        value_parser = network,
        value_name = "CIDR"
    )]
    trusted_proxy: Vec<IpNet>,
    /// How its log looks: text, or json for programs.
    #[arg(
        long,
        global = true,
        env = "DOORLIGHT_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    log_format: LogFormat,
    #[command(flatten)]
    https: https::HttpsArguments,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the server (the default).
    Serve,
    /// People.
    #[command(subcommand)]
    User(user::Verb),
    /// Applications.
    #[command(subcommand)]
    Client(client::Verb),
    /// Signing keys.
    #[command(subcommand)]
    Keys(keys::Verb),
    /// Applications that register themselves.
    #[command(subcommand)]
    Registration(registration::Verb),
    /// Services that access tokens are for.
    #[command(subcommand)]
    Resource(resource::Verb),
    /// Hosts at home that Doorlight itself may call.
    #[command(subcommand)]
    Outbound(outbound::Verb),
    /// Measurements, as Prometheus reads them.
    Metrics {
        #[command(subcommand)]
        verb: Option<metrics::Verb>,
    },
    /// What happened, newest first.
    #[command(after_help = "Example: doorlight audit --person anna --outcome refused")]
    Audit(audit::Arguments),
    /// Copy the data file as it is now, while the server goes on.
    #[command(after_help = "Example: doorlight backup /mnt/usb/doorlight.redb")]
    Backup(backup::Arguments),
    /// Backups that are made by themselves, each day.
    #[command(subcommand)]
    Backups(backups::Verb),
    /// Check that a backup, or the data file, is whole.
    #[command(after_help = "Example: doorlight verify /mnt/usb/doorlight.redb")]
    Verify(verify::Arguments),
    /// Write people, groups, applications and settings as JSON, to read, compare or move.
    #[command(after_help = "Example: doorlight export --with-secrets --to house.json")]
    Export(export::Arguments),
    /// Take in what `export` wrote: all of it, or nothing.
    #[command(after_help = "Example: doorlight --data moved.redb import house.json")]
    Import(import::Arguments),
    /// Put a backup in place of the data file, which is kept; while no server runs.
    #[command(after_help = "Example: doorlight restore /mnt/usb/doorlight.redb")]
    Restore(restore::Arguments),
    /// Make the one-time link that creates the first administrator.
    SetupLink,
    /// Look at everything that Doorlight stands on, and say which line to change.
    Doctor,
    /// The clock of the machine, where it is in doubt.
    #[command(subcommand)]
    Clock(clock::Verb),
    /// Exit with 0 if the server can write, else with 1: for container health checks.
    Health,
    /// Look at the file that is standard input, for the process that runs this.
    #[command(name = inspection::VERB, hide = true)]
    Inspect,
}

/// What every verb gets.
#[derive(Clone)]
struct Shared {
    config: Config,
    /// Whether its issuer was set, and does not only follow from where it listens.
    issuer_is_set: bool,
    log_format: LogFormat,
    https: https::Https,
    json: bool,
}

/// A verb that did not do what it was asked: one line for standard error, exit code 1.
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Parses the arguments and runs the verb.
pub fn main() -> ExitCode {
    // Before there is a secret in memory.
    if let Err(error) = core_dumps::forbid() {
        complain(&format!("core dumps stay allowed: {error}"));
    }
    inspection::this_program_answers();
    let arguments = match parse(&mut grammar()) {
        Ok(arguments) => arguments,
        Err(error) => return usage(error),
    };
    let settings = arguments.settings;
    let issuer_is_set = settings.issuer.is_some();
    let config = Config {
        data: settings.data,
        listen: settings.listen,
        issuer: settings
            .issuer
            .unwrap_or_else(|| Issuer::on_this_machine(settings.listen.port())),
        trusted_proxies: settings.trusted_proxy,
    };
    let https = match settings.https.settled() {
        Ok(https) => https,
        Err(why) => {
            complain(why);
            return ExitCode::from(2);
        }
    };
    let shared = Shared {
        config,
        issuer_is_set,
        log_format: settings.log_format,
        https,
        json: settings.json,
    };
    // A limit on the size of files (SIGXFSZ) is an error of one write, not the end of the process.
    let limit = Arc::new(AtomicBool::new(false));
    if let Err(error) = signal_hook::flag::register(Signal::XFSZ.as_raw(), limit) {
        complain(&error.to_string());
        return ExitCode::from(1);
    }
    let verb = arguments.verb.unwrap_or(Verb::Serve);
    let done = if matches!(verb, Verb::Serve) {
        serve::run(&shared)
    } else {
        quietly(|| run(&shared, verb))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(why)) => {
            complain(&why);
            ExitCode::from(1)
        }
    }
}

fn parse(grammar: &mut Command) -> Result<Arguments, clap::Error> {
    grammar
        .try_get_matches_from_mut(std::env::args_os())
        .and_then(|matches| Arguments::from_arg_matches(&matches))
}

/// The arguments, without the variables that are set to nothing: so a compose file writes one that is not set. In the help
/// of a verb, those of every verb stand behind its own.
fn grammar() -> Command {
    Arguments::command().mut_args(|argument| {
        let heading = match argument.get_id().as_str() {
            "data" | "json" => "For every command",
            _ => "Settings of the server",
        };
        let argument = argument.help_heading(heading).hide_env_values(true);
        let empty = argument
            .get_env()
            .and_then(std::env::var_os)
            .is_some_and(|value| value.is_empty());
        if empty { argument.env(None) } else { argument }
    })
}

/// The same for what a person reads: each verb shows of the settings that all take those that it uses. It takes a copy of
/// each for each verb, so that a verb that is run goes without.
fn narrowed(command: Command) -> Command {
    let settings: Vec<Arg> = command.get_arguments().cloned().collect();
    command.mut_subcommands(|verb| {
        let path = verb.get_name().to_owned();
        showing(verb, &path, &settings)
    })
}

fn showing(verb: Command, path: &str, settings: &[Arg]) -> Command {
    let copies = settings.iter().map(|setting| {
        let shown = uses(path, setting.get_id().as_str());
        setting.clone().hide(!shown)
    });
    verb.args(copies).mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        showing(below, &path, settings)
    })
}

/// Whether a verb uses a setting. Those that write do what the server would where none runs: links, and what is told to
/// applications, hold the issuer, which has its port from the address to listen on unless it is set.
fn uses(verb: &str, setting: &str) -> bool {
    match (verb, setting) {
        (_, "data" | "json") | ("serve", _) => true,
        ("doctor", setting) => setting != "log_format",
        ("health", setting) => matches!(setting, "listen" | "tls_cert" | "tls_key"),
        ("user link" | "client add" | "import" | "setup-link", setting) => {
            matches!(setting, "issuer" | "listen")
        }
        _ => false,
    }
}

fn run(shared: &Shared, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Serve => serve::run(shared),
        Verb::User(verb) => user::run(shared, verb),
        Verb::Client(verb) => client::run(shared, verb),
        Verb::Keys(verb) => keys::run(shared, &verb),
        Verb::Registration(verb) => registration::run(shared, verb),
        Verb::Resource(verb) => resource::run(shared, verb),
        Verb::Outbound(verb) => outbound::run(shared, verb),
        Verb::Metrics { verb } => metrics::run(shared, verb),
        Verb::Audit(arguments) => audit::run(shared, arguments),
        Verb::Backup(arguments) => backup::run(shared, &arguments),
        Verb::Backups(verb) => backups::run(shared, verb),
        Verb::Verify(arguments) => verify::run(shared, &arguments),
        Verb::Export(arguments) => export::run(shared, &arguments),
        Verb::Import(arguments) => import::run(shared, &arguments),
        Verb::Restore(arguments) => restore::run(shared, &arguments),
        Verb::SetupLink => setup_link::run(shared),
        Verb::Doctor => doctor::run(shared),
        Verb::Clock(verb) => clock::run(shared, &verb),
        Verb::Health => health::run(shared),
        Verb::Inspect => Ok(inspection::answer()?),
    }
}

/// A damaged data file may make redb panic: that is one line too.
fn quietly(act: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    std::panic::set_hook(Box::new(|_| {
        if let Meaning::End(last) = panics::meaning() {
            complain(&last.to_string());
            std::process::exit(1);
        }
    }));
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(Failure(
            "this ended unexpectedly; the data file may be damaged".to_owned(),
        ))
    })
}

/// Help and version go to standard output; a mistake is one line on standard error and exit code 2. A command whose
/// verb is missing shows its verbs there.
fn usage(error: clap::Error) -> ExitCode {
    let mut command = narrowed(grammar());
    let error = parse(&mut command).err().unwrap_or(error);
    if !error.use_stderr() {
        // A closed pipe is no reason to fail.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if let Some(help) = verbs(&mut command, &error) {
        // Nor is a closed standard error.
        let _ = write!(std::io::stderr(), "{help}");
        return ExitCode::from(2);
    }
    let text = error.to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let (tips, line): (Vec<&str>, Vec<&str>) = lines
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with("tip:"));
    let mut line = line.join(" ");
    // What was meant; what clap advises beside is for programs that take other programs' flags.
    for tip in tips.iter().filter_map(|tip| tip.strip_prefix("tip: ")) {
        if tip.contains(" similar ") {
            line = format!("{line}; {tip}");
        }
    }
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    complain(&match called(&text) {
        Some(command) => format!("{line}; {command} --help says what there is"),
        None => line.to_owned(),
    });
    ExitCode::from(2)
}

/// The command that was meant, as far as it was understood: `doorlight user`.
fn called(error: &str) -> Option<String> {
    let usage = error
        .lines()
        .find_map(|line| line.trim().strip_prefix("Usage: "))?;
    let words = usage.split_whitespace();
    let names: Vec<&str> = words
        .take_while(|word| !word.starts_with(['[', '<', '-']))
        .collect();
    Some(names.join(" "))
}

/// The help of the command that needs a verb, if that is what is missing.
fn verbs(command: &mut Command, error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Some(error.to_string()),
        ErrorKind::MissingSubcommand => {
            // Its whole name: `doorlight user`.
            let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
                return None;
            };
            let name = name.rsplit(' ').next()?;
            Some(command.find_subcommand_mut(name)?.render_help().to_string())
        }
        _ => None,
    }
}

fn complain(why: &str) {
    let line: String = why
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "doorlight: {line}");
}

/// An address with its port.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| {
        "expected an address and a port, such as 127.0.0.1:8080; 0.0.0.0 stands for every address of this machine"
            .to_owned()
    })
}

/// An address or a range.
fn network(text: &str) -> Result<IpNet, String> {
    // `a, b` is how people write a list.
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "expected an address or a range, such as 172.18.0.0/16".to_owned())
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
