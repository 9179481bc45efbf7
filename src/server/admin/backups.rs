//! `/admin/backups`: how backups stand, and when and where they are made. Taking one away: `backup_download`.

use super::desk::{self, Answer, Desk, Done};
use crate::model::{AdminError, BackupRecord, BackupSettings};
use crate::ops::backup::due::{self, Due, Standing};
use crate::ops::backup::folder::Stored;
use crate::server::administration::backups::{self as operations, BackupChanges, Recorded, State};
use crate::server::pages::when::{ago, when};
use crate::server::respond::{self, Leads};
use crate::types::in_words::size;
use crate::types::{Form, Timestamp};
use crate::views;
use crate::views::admin::{BackupRow, Backups};
use crate::views::{Notice, Tone};
use std::path::Path;

pub(super) const PATH: &str = "/admin/backups";

/// Files that the page lists.
const ROWS: usize = 40;

const DONE: &[Done] = &[
    (
        "saved",
        "The schedule was saved, and the folder can be written to.",
    ),
    (
        "off",
        "No more backups are made. Those that there are stay.",
    ),
    ("made", "A backup was made and checked."),
];

/// `GET /admin/backups`.
pub fn show(desk: &Desk<'_>) -> Answer {
    drawn(desk, None)
}

/// The page; `refused` is a form that was not taken.
pub(super) fn drawn(desk: &Desk<'_>, refused: Option<views::Form>) -> Answer {
    let ctx = desk.ctx();
    let now = desk.incoming.now;
    let data = ctx.store.path();
    let state = operations::state(Recorded::of(ctx)?, data, now);
    let status = if refused.is_some() { 422 } else { 200 };
    let form = refused.unwrap_or_else(|| stored(&state.settings));
    let lock = match state.settings.recipients.is_empty() {
        true => "passphrase",
        false => "recipients",
    };
    let form = match form.value("lock") {
        "" => form.with("lock", lock),
        _ => form,
    };
    let trouble = notice(&state.settings, &state.record, now);
    Ok(desk.page("Backups", DONE, |mut page| {
        page.notices.extend(trouble);
        respond::page(status, Leads::Here, &view(page, form, state, data, now))
    }))
}

fn view(
    page: views::Page,
    form: views::Form,
    state: State,
    data: &Path,
    now: Timestamp,
) -> Backups {
    let State {
        settings,
        record,
        due,
        files,
        warning,
    } = state;
    let (files, unreadable) = match files {
        Ok(files) => (files, None),
        Err(why) => (Vec::new(), Some(views::capital(&why))),
    };
    Backups {
        page,
        form,
        restoring: restoring(&settings, &record, data),
        folder: settings.folder,
        warning: warning.map(|words| format!("{}.", views::capital(&words))),
        good: record.good.map(|good| BackupRow {
            when: ago(good.time, now),
            file: good.file,
            size: size(good.bytes),
            of_the_future: good.time > now,
        }),
        next: match due {
            Due::At(time) => Some(when(time)),
            Due::Never | Due::Now | Due::NowIfItStaysSo => None,
        },
        failure: record.failure.map(|failed| {
            (
                ago(failed.time, now),
                format!("{}.", views::capital(&failed.why)),
            )
        }),
        rows: files.iter().take(ROWS).map(|file| row(file, now)).collect(),
        more: files.len().saturating_sub(ROWS),
        unreadable,
        recipients: settings.recipients.len(),
    }
}

/// What is not well with backups. That there are none is no trouble. The overview has it from the doctor.
fn notice(settings: &BackupSettings, record: &BackupRecord, now: Timestamp) -> Option<Notice> {
    let failed = match (&record.failure, record.failed_since) {
        (Some(failure), 1..) => format!("The last backup failed: {}.", failure.why),
        _ => String::new(),
    };
    let (tone, text) = match due::standing(settings, record, now) {
        Standing::Off | Standing::Well => return None,
        Standing::Failing => (Tone::Warning, failed),
        Standing::Overdue(None) => (Tone::Bad, format!("There is no good backup. {failed}")),
        Standing::Overdue(Some(days)) => (
            Tone::Bad,
            format!("The last good backup is {days} days old. {failed}"),
        ),
    };
    Some(Notice {
        tone,
        text: text.trim_end().to_owned(),
        line: None,
    })
}

/// `POST /admin/backups`.
pub fn set(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let set = changes(form)
        .map_err(Into::into)
        .and_then(|changes| operations::set(desk.ctx(), &changes, &desk.actor()));
    match set {
        Ok(_) => Ok(desk.go(PATH, "saved")),
        Err(error) => refused(desk, shown_again(form), &desk::refusal(error)?),
    }
}

/// As it was typed, without a private key that was pasted among the public ones: whoever stands behind the administrator, and
/// whatever keeps the page, must not get it.
fn shown_again(form: &Form) -> views::Form {
    let recipients: Vec<&str> = form
        .text("recipients")
        .lines()
        .filter(|line| !line.to_ascii_uppercase().contains("SECRET-KEY"))
        .collect();
    desk::typed(form).with("recipients", recipients.join("\n"))
}

/// `POST /admin/backups/off`.
pub fn switch_off(desk: &Desk<'_>) -> Answer {
    operations::switch_off(desk.ctx(), &desk.actor())?;
    Ok(desk.go(PATH, "off"))
}

/// `POST /admin/backups/run`.
pub fn run(desk: &Desk<'_>) -> Answer {
    match operations::run(desk.ctx(), &desk.actor()) {
        Ok(_) => Ok(desk.go(PATH, "made")),
        Err(error) => {
            let state = desk.ctx().settings()?;
            refused(desk, stored(&state.backups), &desk::refusal(error)?)
        }
    }
}

/// The page with what was typed and what is wrong with it.
pub(super) fn refused(desk: &Desk<'_>, mut typed: views::Form, error: &AdminError) -> Answer {
    match error {
        AdminError::Invalid { field, message } => {
            typed.refuse(field, format!("{}.", views::capital(message)));
        }
        other => typed.refuse("", format!("{}.", views::capital(&other.to_string()))),
    }
    drawn(desk, Some(typed))
}

/// The form as it is stored.
pub(super) fn stored(settings: &BackupSettings) -> views::Form {
    views::Form::new()
        .with("folder", settings.folder.clone().unwrap_or_default())
        .with("at", operations::time_of_day(settings.minute))
        .with("daily", settings.keep.daily.to_string())
        .with("weekly", settings.keep.weekly.to_string())
        .with("monthly", settings.keep.monthly.to_string())
        .with("recipients", settings.recipients.join("\n"))
}

fn changes(form: &Form) -> Result<BackupChanges, AdminError> {
    let number = |name: &'static str| {
        let text = form.text(name).trim();
        text.parse()
            .map(Some)
            .map_err(|_| AdminError::invalid(name, "must be a whole number"))
    };
    let recipients = form.text("recipients").lines().map(str::to_owned);
    Ok(BackupChanges {
        folder: Some(form.text("folder").to_owned()),
        at: Some(form.text("at").to_owned()),
        daily: number("daily")?,
        weekly: number("weekly")?,
        monthly: number("monthly")?,
        recipients: Some(recipients.collect()),
    })
}

fn row(file: &Stored, now: Timestamp) -> BackupRow {
    BackupRow {
        when: when(file.time),
        file: file.name.clone(),
        size: size(file.bytes),
        of_the_future: file.time > now,
    }
}

/// With the last good one as the example, to the place where this server looks for its file.
fn restoring(settings: &BackupSettings, record: &BackupRecord, data: &Path) -> Vec<String> {
    let folder = settings.folder.as_deref().unwrap_or("/mnt/usb");
    let usual = Path::new(folder).join("doorlight-2026-11-29-030000.redb");
    let file = record
        .good
        .as_ref()
        .map_or_else(|| usual.display().to_string(), |good| good.file.clone());
    let key = match file.ends_with(".age") {
        true => " --identity backup-key.txt",
        false => "",
    };
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let (file, data) = (quoted(file), quoted(data.display().to_string()));
    vec![
        format!("doorlight verify {file}{key}"),
        format!("doorlight --data {data} restore {file}{key}"),
    ]
}

/// For the shell, where it is no plain path.
fn quoted(path: String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match path.chars().all(plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BackupMade;

    #[test]
    fn the_lines_to_restore_with_can_be_pasted() {
        let mut record = BackupRecord::default();
        let data = Path::new("/var/lib/doorlight/doorlight.redb");
        let lines = |record: &BackupRecord| restoring(&BackupSettings::default(), record, data);
        assert_eq!(
            lines(&record)[0],
            "doorlight verify /mnt/usb/doorlight-2026-11-29-030000.redb"
        );
        record.good = Some(BackupMade {
            time: Timestamp::default(),
            file: "/mnt/the $(reboot) 'stick'/doorlight-2026-11-29-030000.redb.age".to_owned(),
            bytes: 1,
        });
        assert_eq!(
            lines(&record)[1],
            r"doorlight --data /var/lib/doorlight/doorlight.redb restore '/mnt/the $(reboot) '\''stick'\''/doorlight-2026-11-29-030000.redb.age' --identity backup-key.txt"
        );
    }
}
