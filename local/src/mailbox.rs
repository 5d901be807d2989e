//! The mails that the portal sent: what SES would have delivered.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data::{UNFINISHED, write_whole};

/// A mail as it reached its reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The one address that it went to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// When it was taken.
    pub sent_at: Timestamp,
}

/// What becomes of the mails to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They arrive.
    Delivered,
    /// They come back for good.
    Bounced,
    /// They come back, and the next may arrive.
    BouncedForNow,
    /// They arrive, and are marked as unwanted.
    Complained,
}

/// The domain of SES's simulator, whose addresses have their fate in their names.
const SIMULATOR: &str = "simulator.amazonses.com";

impl Fate {
    /// The fate of an address of the simulator; a label behind `+` makes another address of the same fate.
    fn simulated(address: &str) -> Self {
        let Some((local, SIMULATOR)) = address.rsplit_once('@') else { return Self::Delivered };
        match local.split('+').next() {
            Some("bounce" | "suppressionlist") => Self::Bounced,
            Some("complaint") => Self::Complained,
            _ => Self::Delivered,
        }
    }
}

/// All mails, oldest first: in memory, and as files where there is a folder.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Option<PathBuf>,
    mails: Mutex<Kept>,
    fates: Mutex<BTreeMap<String, Fate>>,
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<Mail>,
    /// The number in the next file's name: the order of arrival, whatever the clock says.
    next: u64,
}

impl Mailbox {
    /// Opens the box with what the folder holds.
    pub(crate) fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        let mut kept = Kept::default();
        if let Some(folder) = &folder {
            let mut numbered = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.to_string_lossy().ends_with(UNFINISHED) {
                    // Cut off by a kill: it was never answered for, so it is sent again.
                    fs::remove_file(path)?;
                } else if let Some(number) = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()) {
                    numbered.push((number, path));
                }
            }
            numbered.sort();
            for (number, path) in numbered {
                let mail = serde_json::from_slice(&fs::read(&path)?).map_err(|error| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{} is no mail: {error}", path.display()))
                })?;
                kept.mails.push(mail);
                kept.next = number + 1;
            }
        }
        Ok(Self(Arc::new(Inner { folder, mails: Mutex::new(kept), fates: Mutex::default() })))
    }

    /// Keeps a mail. When this returns it survives a kill.
    pub(crate) fn keep(&self, mail: Mail) -> io::Result<()> {
        let mut kept = self.0.mails.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.0.folder {
            let content = serde_json::to_vec_pretty(&mail)?;
            write_whole(&folder.join(format!("{:08}.json", kept.next)), &content)?;
        }
        kept.next += 1;
        kept.mails.push(mail);
        Ok(())
    }

    /// Decides what becomes of the mails to an address from now on.
    pub(crate) fn decide(&self, address: &str, fate: Fate) {
        self.0.fates.lock().unwrap_or_else(PoisonError::into_inner).insert(address.to_owned(), fate);
    }

    /// What becomes of a mail to this address.
    pub(crate) fn fate_of(&self, address: &str) -> Fate {
        let decided = self.0.fates.lock().unwrap_or_else(PoisonError::into_inner).get(address).copied();
        decided.unwrap_or_else(|| Fate::simulated(address))
    }

    /// All mails, oldest first.
    pub(crate) fn all(&self) -> Vec<Mail> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str) -> Mail {
        Mail {
            to: "a@b.example".into(),
            subject: subject.into(),
            text: "t".into(),
            html: "h".into(),
            sent_at: "2012-10-15T02:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn mails_are_there_after_a_restart_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().to_owned());
        let mailbox = Mailbox::open(path.clone()).unwrap();
        for number in 0..12 {
            mailbox.keep(mail(&number.to_string())).unwrap();
        }
        fs::write(folder.path().join(format!("00000012.json{UNFINISHED}")), "{").unwrap();

        let mailbox = Mailbox::open(path).unwrap();
        mailbox.keep(mail("12")).unwrap();
        let subjects: Vec<String> = mailbox.all().into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects, (0..=12).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 13);
    }
}
