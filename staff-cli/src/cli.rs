//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// What the fund's staff do to the member portal.
///
/// Every command wants --reason: who did what, and why, is kept as evidence, of looking too. Without --function the
/// portal on this machine is meant (`cargo run`).
///
/// Ends with 0 where it is done, 1 where it was refused, 2 where what was typed is wrong, 3 where the portal was not
/// reached.
#[derive(Debug, Parser)]
#[command(name = "staff-cli", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One for each operation.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Put a new version of a legal document into force
    ///
    /// From then on whoever names the version before is told to read the new one; after a new charter the member
    /// accounts are closed until it is accepted. There is no taking back.
    PublishDocument {
        /// terms, charter or account-terms
        kind: String,
        /// The whole text in Markdown, its title in the first line behind "# "; - is standard input
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },

    /// Publish a news item on everybody's home, now or later
    PublishNews {
        /// Its title
        title: String,
        /// Its text in Markdown, without HTML; - is standard input
        file: PathBuf,
        /// From when on it is shown, such as 2026-12-01T08:00:00Z [default: now]
        #[arg(long, value_name = "RFC3339")]
        from: Option<String>,
        /// Until when it is shown [default: until it is withdrawn, or newer ones take its place]
        #[arg(long, value_name = "RFC3339")]
        until: Option<String>,
        #[command(flatten)]
        common: Common,
    },

    /// Take a news item away, shown or scheduled
    WithdrawNews {
        /// Its id, as publish-news answered it
        id: String,
        #[command(flatten)]
        common: Common,
    },

    /// Add an application to everybody's space, or change its entry
    PutApplication {
        /// Its id: lower-case letters, digits and hyphens; member-account is the member account's own
        id: String,
        /// Its title in French
        #[arg(long, value_name = "TEXT")]
        title_fr: String,
        /// Its title in English
        #[arg(long, value_name = "TEXT")]
        title_en: String,
        /// Where it is: a path of the portal, or https://…
        #[arg(long)]
        url: String,
        /// Who can open it: everyone, or account-readers (whoever may read an account in use)
        #[arg(long, default_value = "everyone")]
        audience: String,
        /// Its place in the list; the smaller first
        #[arg(long, default_value_t = 100)]
        order: u32,
        /// Keep the entry, and show it to nobody
        #[arg(long)]
        disabled: bool,
        #[command(flatten)]
        common: Common,
    },

    /// Take an application out of the registry
    RemoveApplication {
        /// Its id
        id: String,
        #[command(flatten)]
        common: Common,
    },

    /// Mail an address again that bounced or complained, after its owner mended it
    ResumeMail {
        /// The address
        email: String,
        #[command(flatten)]
        common: Common,
    },

    /// Show an establishment: its account, its manager and those before, who reads it, contests and alerts
    LookUpEstablishment {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        common: Common,
    },

    /// Show the user of an address: their establishment, their accounts, and what became of their mails
    LookUpUser {
        /// The address
        email: String,
        #[command(flatten)]
        common: Common,
    },

    /// Take the manager's role from whoever has it, or had it and is contested; two people have to say so
    ///
    /// The first call is good for a day, in which no access is given and the role goes nowhere. The second, with another
    /// --staff, takes role and access from the manager, ends what was given since they claimed, ends a contest, and tells
    /// both by mail. Who had access before keeps it, and the account can be claimed again, but not by them.
    ReleaseManager {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        common: Common,
    },

    /// Find a contested claim to be right: role and access can move again, its links end, and both are told by mail
    DismissContest {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        common: Common,
    },

    /// Let a user claim an account again who was released from it
    AllowClaim {
        #[command(flatten)]
        place: Place,
        /// Their address
        email: String,
        #[command(flatten)]
        common: Common,
    },

    /// Send a mail again; its link is in the mail alone
    ResendMail {
        /// To whom
        #[arg(required_unless_present = "id")]
        email: Option<String>,
        /// activation (the same link, good for another day) or reset (a new link, within the usual limits)
        #[arg(required_unless_present = "id")]
        mail: Option<String>,
        /// Instead: try a mail that is queued now, by its id as look-up-user shows it
        #[arg(long, value_name = "ID", conflicts_with_all = ["email", "mail"])]
        id: Option<String>,
        #[command(flatten)]
        common: Common,
    },

    /// Mail a pass that lets one claim of an account through, although too many numbers were wrong
    MailPass {
        #[command(flatten)]
        place: Place,
        /// To whom, after you have checked who asks [default: the contact on the fund's file]
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        common: Common,
    },

    /// Close a member account: reading stays, claims and grants end
    ///
    /// The next record of the account in the fund's file decides again.
    CloseAccount {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        common: Common,
    },

    /// List the contests that wait for a decision
    ListContests {
        /// Those that ended too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },

    /// List the newest alerts: limits on guessing that were reached, contests
    ListAlerts {
        #[command(flatten)]
        common: Common,
    },

    /// List what the back office sent and what waits for its member or its action, the oldest first
    ListWaiting {
        #[command(flatten)]
        common: Common,
    },
}

/// Which establishment.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Its SIRET (14 digits) or its member number (6 digits)
    pub(crate) establishment: String,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Why; kept as evidence
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,

    /// Who you are: your name, or your address at the fund [default: the environment's STAFF]
    #[arg(long, value_name = "NAME")]
    pub(crate) staff: Option<String>,

    /// Print the answer as JSON, for scripts; what is refused too
    #[arg(long)]
    pub(crate) json: bool,

    /// Where the portal on this machine answers
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080",
        conflicts_with_all = ["function", "profile", "region"])]
    pub(crate) endpoint: String,

    /// The function in AWS (the stack's output StaffFunctionName), invoked through the AWS CLI
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,

    /// The profile of the AWS CLI to do it with [default: that of the AWS CLI]
    #[arg(long, value_name = "PROFILE", requires = "function")]
    pub(crate) profile: Option<String>,

    /// The region of AWS [default: that of the profile]
    #[arg(long, value_name = "REGION", requires = "function")]
    pub(crate) region: Option<String>,
}

impl Command {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Self::PublishDocument { common, .. }
            | Self::PublishNews { common, .. }
            | Self::WithdrawNews { common, .. }
            | Self::PutApplication { common, .. }
            | Self::RemoveApplication { common, .. }
            | Self::ResumeMail { common, .. }
            | Self::LookUpEstablishment { common, .. }
            | Self::LookUpUser { common, .. }
            | Self::ReleaseManager { common, .. }
            | Self::DismissContest { common, .. }
            | Self::AllowClaim { common, .. }
            | Self::ResendMail { common, .. }
            | Self::MailPass { common, .. }
            | Self::CloseAccount { common, .. }
            | Self::ListContests { common, .. }
            | Self::ListAlerts { common }
            | Self::ListWaiting { common } => common,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn this_machine_and_aws_exclude_each_other() {
        let parse = |more: &[&str]| {
            let words = ["staff-cli", "list-alerts", "--reason", "x"].iter().chain(more);
            Arguments::try_parse_from(words)
        };
        assert!(parse(&[]).is_ok() && parse(&["--function", "f", "--profile", "p"]).is_ok());
        assert!(parse(&["--function", "f", "--endpoint", "http://127.0.0.1:1"]).is_err());
        assert!(parse(&["--profile", "p"]).is_err(), "of which function?");
        assert!(Arguments::try_parse_from(["staff-cli", "list-alerts"]).is_err(), "why?");
    }
}
