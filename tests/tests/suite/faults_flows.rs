//! The flows: what is asked, what it is answered, and what changes by it.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use harness::PASSWORD;

use portal::store::Stage as Due;

use super::deeds::{self, Whose};
use super::stage::{Answer, Deed, Stage};

/// How the number of items of a kind changes.
pub(super) struct Change {
    pub(super) kind: &'static str,
    pub(super) least: i64,
    pub(super) most: i64,
    /// How many more there may be after a repeat.
    pub(super) again: i64,
}

const fn more(kind: &'static str, number: i64) -> Change {
    Change { kind, least: number, most: number, again: 0 }
}

const fn one(kind: &'static str) -> Change {
    more(kind, 1)
}

const fn gone(kind: &'static str) -> Change {
    more(kind, -1)
}

/// Each request that got through leaves so many, also one whose answer was lost.
const fn each(kind: &'static str, number: i64) -> Change {
    Change { kind, least: number, most: number, again: number }
}

pub(super) struct Flow {
    pub(super) name: &'static str,
    /// The function whose calls are struck.
    pub(super) function: &'static str,
    success: (u16, &'static str),
    /// What a repeat may be told besides, where the first request had its effect and its answer was lost.
    done: &'static [(u16, &'static str)],
    pub(super) effect: &'static [Change],
    pub(super) prepare: for<'a> fn(&'a Stage, usize) -> BoxFuture<'a, Deed>,
}

impl Flow {
    pub(super) fn is_success(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::Told { status, problem, .. } if (*status, problem.as_str()) == self.success)
    }

    pub(super) fn is_done(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::Told { status, problem, .. } if self.done.contains(&(*status, problem.as_str())))
    }

    /// Whether the function works behind the stream: nobody waits for its answer, and it comes back by itself.
    pub(super) fn is_behind_stream(&self) -> bool {
        ["send-mail", "write-export"].contains(&self.function)
    }
}

const USED: &[(u16, &str)] = &[(410, "link-invalid")];
const SIGNED_OUT: &[(u16, &str)] = &[(401, "authentication-required")];

/// What the first read of who was invited does, whichever route it takes.
const ACCESS_OPENED: &[Change] = &[
    gone("ACCOUNT INVITATION"),
    gone("INVITED ACCOUNT"),
    one("USER GRANT"),
    one("ACCOUNT GRANT"),
    one("EVENT access-granted"),
];

pub(super) const FLOWS: &[Flow] = &[
    Flow {
        name: "activation OUI, NON",
        function: "accounts",
        success: (200, ""),
        done: &[],
        effect: &[each("EVENT activation-changed", 1)],
        prepare: |stage, n| deeds::answer_oui_or_non(stage, n).boxed(),
    },
    Flow {
        name: "sign-up",
        function: "signup",
        success: (202, ""),
        done: &[],
        // A second wish within the minute becomes no second mail.
        effect: &[each("OUTBOX MAIL", 1), one("LINK LINK"), one("mail")],
        prepare: |stage, n| deeds::sign_up(stage, n).boxed(),
    },
    Flow {
        name: "sign-up with a key",
        function: "signup",
        success: (202, ""),
        done: &[],
        effect: &[one("OUTBOX MAIL"), one("LINK LINK"), one("mail"), one("IDEMPOTENCY ANSWER")],
        prepare: |stage, n| async move { deeds::sign_up(stage, n).await.with_key(n) }.boxed(),
    },
    Flow {
        name: "activation",
        function: "create-password",
        success: (204, ""),
        done: USED,
        effect: &[
            one("USER PROFILE"),
            one("EMAIL LOGIN"),
            one("SIRET USER"),
            gone("LINK LINK"),
            one("EVENT account-created"),
            one("ACCEPTANCE terms"),
            one("OUTBOX MAIL"),
            one("mail"),
        ],
        prepare: |stage, n| deeds::activate(stage, n).boxed(),
    },
    Flow {
        name: "forgotten password",
        function: "forgot-password",
        success: (202, ""),
        done: &[],
        effect: &[each("OUTBOX MAIL", 1), one("LINK LINK"), one("mail")],
        prepare: |stage, _| deeds::forget(stage).boxed(),
    },
    Flow {
        name: "reset",
        function: "create-password",
        success: (204, ""),
        done: USED,
        effect: &[gone("LINK LINK"), one("EVENT password-changed"), one("OUTBOX MAIL"), one("mail")],
        prepare: |stage, _| deeds::reset(stage).boxed(),
    },
    Flow {
        name: "log-in",
        function: "sessions",
        success: (200, ""),
        done: &[],
        effect: &[each("USER SESSION", 1), each("EVENT logged-in", 1)],
        prepare: |stage, _| deeds::log_in(stage, PASSWORD).boxed(),
    },
    Flow {
        name: "log-in, wrong",
        function: "sessions",
        success: (401, "bad-credentials"),
        done: &[],
        effect: &[each("failure of EMAIL", 1), each("EVENT log-in-failed", 1)],
        prepare: |stage, _| deeds::log_in(stage, "pas le bon mot de passe").boxed(),
    },
    Flow {
        name: "refresh",
        function: "sessions",
        success: (200, ""),
        done: &[],
        effect: &[],
        prepare: |stage, _| deeds::refresh(stage).boxed(),
    },
    Flow {
        name: "log-out",
        function: "sessions",
        success: (204, ""),
        done: SIGNED_OUT,
        effect: &[gone("USER SESSION"), one("EVENT logged-out")],
        prepare: |stage, _| deeds::log_out(stage, "current").boxed(),
    },
    Flow {
        name: "log-out everywhere",
        function: "sessions",
        success: (204, ""),
        done: SIGNED_OUT,
        effect: &[one("EVENT logged-out")],
        prepare: |stage, _| deeds::log_out(stage, "all").boxed(),
    },
    Flow {
        name: "acceptance",
        function: "accept-document",
        success: (201, ""),
        done: &[(200, "")],
        effect: &[one("ACCEPTANCE charter"), one("EVENT document-accepted"), one("OUTBOX MAIL"), one("mail")],
        prepare: |stage, _| deeds::accept(stage).boxed(),
    },
    Flow {
        name: "claim",
        function: "claim-manager",
        success: (201, ""),
        done: &[],
        effect: &[
            one("USER GRANT"),
            one("ACCOUNT GRANT"),
            one("USER PROOF"),
            one("ACCEPTANCE account-terms"),
            one("EVENT account-claimed"),
            // To who claimed, and to the contact on file, with a link.
            more("OUTBOX MAIL", 3),
            more("mail", 2),
            one("CONTEST-LINK LINK"),
        ],
        prepare: |stage, _| deeds::claim(stage).boxed(),
    },
    Flow {
        name: "contest",
        function: "contest-claim",
        success: (202, ""),
        done: USED,
        effect: &[
            gone("CONTEST-LINK LINK"),
            one("CONTESTS"),
            one("ALERTS"),
            one("SIRET ALERT"),
            one("EVENT claim-contested"),
            one("OUTBOX MAIL"),
            one("mail"),
        ],
        prepare: |stage, _| deeds::contest(stage).boxed(),
    },
    Flow {
        name: "release",
        function: "staff",
        success: (200, ""),
        done: &[],
        effect: &[
            one("USER BAR"),
            gone("USER GRANT"),
            gone("ACCOUNT GRANT"),
            one("EVENT manager-released"),
            one("EVENT access-revoked"),
            more("OUTBOX MAIL", 2),
            more("mail", 2),
        ],
        prepare: |stage, _| deeds::release(stage).boxed(),
    },
    Flow {
        name: "claim, wrong",
        function: "claim-manager",
        success: (404, "claim-refused"),
        done: &[],
        effect: &[
            one("failure of USER"),
            one("failure of SIRET"),
            one("EVENT claim-failed"),
            one("IDEMPOTENCY ANSWER"),
        ],
        prepare: |stage, n| deeds::claim_wrongly(stage, n).boxed(),
    },
    Flow {
        name: "another name",
        function: "profile",
        success: (200, ""),
        done: &[],
        effect: &[each("EVENT profile-changed", 1)],
        prepare: |stage, n| deeds::rename(stage, n).boxed(),
    },
    Flow {
        name: "another establishment",
        function: "profile",
        success: (200, ""),
        done: &[],
        effect: &[
            each("EVENT profile-changed", 1),
            gone("USER GRANT"),
            gone("ACCOUNT GRANT"),
            gone("USER PROOF"),
            one("EVENT access-revoked"),
        ],
        prepare: |stage, _| deeds::leave(stage).boxed(),
    },
    Flow {
        name: "another password",
        function: "profile",
        success: (204, ""),
        // The password that was current then is wrong now.
        done: &[(403, "bad-current-password")],
        effect: &[
            one("EVENT password-changed"),
            one("OUTBOX MAIL"),
            one("mail"),
            Change { kind: "failure of EMAIL", least: 0, most: 0, again: 1 },
            Change { kind: "EVENT log-in-failed", least: 0, most: 0, again: 1 },
        ],
        prepare: |stage, n| deeds::change_password(stage, n).boxed(),
    },
    Flow {
        name: "another address, asked",
        function: "profile",
        success: (202, ""),
        done: &[],
        effect: &[each("EVENT email-changed", 1), each("LINK LINK", 2), each("OUTBOX MAIL", 2), each("mail", 2)],
        prepare: |stage, n| deeds::ask_for_address(stage, n).boxed(),
    },
    Flow {
        name: "another address, confirmed",
        function: "change-email",
        success: (204, ""),
        done: USED,
        effect: &[gone("LINK LINK"), one("EMAIL RESERVATION"), one("EVENT email-changed")],
        prepare: |stage, n| deeds::follow(stage, n, Whose::New).boxed(),
    },
    Flow {
        name: "another address, undone",
        function: "change-email",
        success: (204, ""),
        done: USED,
        // The link goes, and one to set a password comes.
        effect: &[gone("EMAIL RESERVATION"), one("EVENT email-changed"), one("OUTBOX MAIL"), one("mail")],
        prepare: |stage, n| deeds::follow(stage, n, Whose::Old).boxed(),
    },
    Flow {
        name: "export",
        function: "profile",
        success: (200, ""),
        done: &[],
        effect: &[Change { kind: "EVENT data-exported", least: 1, most: 1, again: 1 }],
        prepare: |stage, _| deeds::export(stage).boxed(),
    },
    Flow {
        name: "erasure",
        function: "profile",
        success: (204, ""),
        done: SIGNED_OUT,
        effect: &[
            gone("USER PROFILE"),
            gone("EMAIL LOGIN"),
            gone("SIRET USER"),
            gone("USER SESSION"),
            gone("USER GRANT"),
            gone("ACCOUNT GRANT"),
            gone("USER PROOF"),
            one("EVENT access-revoked"),
            one("EVENT user-erased"),
            one("OUTBOX MAIL"),
            one("mail"),
        ],
        prepare: |stage, n| deeds::erase(stage, n).boxed(),
    },
    Flow {
        name: "access given",
        function: "manage-users",
        success: (202, ""),
        done: &[],
        effect: &[
            one("ACCOUNT INVITATION"),
            one("INVITED ACCOUNT"),
            one("EVENT access-granted"),
            one("OUTBOX MAIL"),
            one("mail"),
            one("IDEMPOTENCY ANSWER"),
        ],
        prepare: |stage, n| deeds::give_access(stage, n).boxed(),
    },
    Flow {
        name: "access asked for",
        function: "request-access",
        success: (202, ""),
        done: &[],
        effect: &[
            // The first of an account begins its count.
            Change { kind: "ACCOUNT REQUESTS", least: 0, most: 1, again: 0 },
            one("ACCOUNT REQUEST"),
            one("USER REQUEST"),
            one("EVENT access-requested"),
            one("OUTBOX MAIL"),
            one("mail"),
            one("IDEMPOTENCY ANSWER"),
        ],
        prepare: |stage, n| deeds::ask_for_access(stage, n).boxed(),
    },
    Flow {
        name: "access approved",
        function: "manage-users",
        success: (202, ""),
        done: &[],
        effect: &[
            gone("ACCOUNT REQUEST"),
            gone("USER REQUEST"),
            one("USER GRANT"),
            one("ACCOUNT GRANT"),
            one("EVENT access-granted"),
            one("OUTBOX MAIL"),
            one("mail"),
            one("IDEMPOTENCY ANSWER"),
        ],
        prepare: |stage, n| deeds::approve(stage, n).boxed(),
    },
    Flow {
        name: "access refused",
        function: "manage-users",
        success: (204, ""),
        done: &[(404, "not-found")],
        effect: &[
            gone("ACCOUNT REQUEST"),
            gone("USER REQUEST"),
            one("EVENT access-refused"),
            one("OUTBOX MAIL"),
            one("mail"),
        ],
        prepare: |stage, n| deeds::refuse(stage, n).boxed(),
    },
    Flow {
        name: "the role handed over",
        function: "manage-users",
        success: (200, ""),
        done: &[],
        effect: &[
            one("EVENT role-handed-over"),
            one("EVENT role-taken-over"),
            more("OUTBOX MAIL", 2),
            more("mail", 2),
            one("IDEMPOTENCY ANSWER"),
        ],
        prepare: |stage, n| deeds::hand_over(stage, n).boxed(),
    },
    Flow {
        name: "access opened",
        function: "query-ledger",
        success: (200, ""),
        done: &[],
        effect: ACCESS_OPENED,
        prepare: |stage, n| deeds::open_by(stage, n, "summary").boxed(),
    },
    Flow {
        name: "access opened by an export",
        function: "export-ledger",
        success: (200, ""),
        done: &[],
        effect: ACCESS_OPENED,
        prepare: |stage, n| deeds::open_by(stage, n, "ledger.csv").boxed(),
    },
    Flow {
        name: "access opened by a statement",
        function: "statement",
        success: (200, ""),
        done: &[],
        effect: ACCESS_OPENED,
        prepare: |stage, n| deeds::open_by(stage, n, "statement.pdf?view=2012").boxed(),
    },
    Flow {
        name: "an export asked for",
        function: "export-ledger",
        success: (202, ""),
        done: &[],
        effect: &[each("USER EXPORT", 1), one("ACCOUNT EXPORTS")],
        prepare: |stage, _| deeds::ask_for_export(stage).boxed(),
    },
    Flow {
        name: "an export written",
        function: "write-export",
        success: (202, ""),
        done: &[],
        effect: &[one("USER EXPORT"), one("ACCOUNT EXPORTS")],
        prepare: |stage, _| deeds::ask_for_export(stage).boxed(),
    },
    Flow {
        name: "access taken back",
        function: "manage-users",
        success: (204, ""),
        done: &[(404, "not-found")],
        effect: &[gone("ACCOUNT INVITATION"), gone("INVITED ACCOUNT"), one("EVENT access-revoked")],
        prepare: |stage, n| deeds::take_back(stage, n).boxed(),
    },
    Flow {
        name: "publication",
        function: "staff",
        success: (200, ""),
        done: &[],
        effect: &[one("DOCUMENT VERSION"), one("EVENT document-published")],
        prepare: |stage, n| deeds::publish(stage, n).boxed(),
    },
    Flow {
        name: "mail of a sign-up",
        function: "send-mail",
        success: (202, ""),
        done: &[],
        effect: &[one("OUTBOX MAIL"), one("LINK LINK"), each("mail", 1), WOKEN],
        prepare: |stage, n| deeds::sign_up(stage, n).boxed(),
    },
    Flow {
        name: "mail of a reset",
        function: "send-mail",
        success: (202, ""),
        done: &[],
        effect: &[one("OUTBOX MAIL"), one("LINK LINK"), each("mail", 1), WOKEN],
        prepare: |stage, _| deeds::forget(stage).boxed(),
    },
    Flow {
        name: "mails of a claim",
        function: "send-mail",
        success: (201, ""),
        done: &[],
        effect: &[
            one("USER GRANT"),
            one("ACCOUNT GRANT"),
            one("USER PROOF"),
            one("ACCEPTANCE account-terms"),
            one("EVENT account-claimed"),
            more("OUTBOX MAIL", 3),
            each("mail", 2),
            one("CONTEST-LINK LINK"),
            WOKEN,
        ],
        prepare: |stage, _| deeds::claim_later(stage).boxed(),
    },
    Flow {
        name: "mail of an acceptance",
        function: "send-mail",
        success: (201, ""),
        done: &[],
        effect: &[
            one("ACCEPTANCE charter"),
            one("EVENT document-accepted"),
            one("OUTBOX MAIL"),
            each("mail", 1),
            WOKEN,
        ],
        prepare: |stage, _| deeds::accept(stage).boxed(),
    },
    Flow {
        name: "sweep",
        function: "sweep-outbox",
        success: (200, ""),
        done: &[],
        effect: &[Change { kind: "OUTBOX WAKE", least: 1, most: 1, again: 1 }, one("mail")],
        prepare: |stage, _| deeds::sweep(stage).boxed(),
    },
    Flow {
        name: "rotation of keys",
        function: "rotate-keys",
        success: (200, ""),
        done: &[],
        // A key comes, and one that is of no use any more goes.
        effect: &[
            Change { kind: "SIGNING-KEYS", least: -1, most: 1, again: 0 },
            Change { kind: "day of the newest key", least: 29, most: 32, again: 0 },
        ],
        prepare: |stage, _| deeds::rotate(stage).boxed(),
    },
    Flow {
        name: "reconciling",
        function: "reconcile",
        success: (200, ""),
        done: &[],
        effect: &[],
        prepare: |_, _| deeds::reconcile().boxed(),
    },
    Flow {
        name: "a bounce",
        function: "mail-feedback",
        success: (200, ""),
        done: &[],
        effect: &[one("stopped address")],
        prepare: |stage, n| deeds::bounce(stage, n).boxed(),
    },
    Flow {
        name: "warning of the unused",
        function: "expire-users",
        success: (200, ""),
        done: &[],
        effect: &[one("EVENT inactivity-warned"), one("OUTBOX MAIL"), one("mail")],
        prepare: |stage, n| deeds::unused(stage, n, Due::Active).boxed(),
    },
    Flow {
        name: "end of the unused",
        function: "expire-users",
        success: (200, ""),
        done: &[],
        effect: &[
            gone("USER PROFILE"),
            gone("EMAIL LOGIN"),
            gone("SIRET USER"),
            gone("USER SESSION"),
            one("EVENT user-erased"),
            one("OUTBOX MAIL"),
            one("mail"),
        ],
        prepare: |stage, n| deeds::unused(stage, n, Due::Warned).boxed(),
    },
    Flow {
        name: "news",
        function: "staff",
        success: (200, ""),
        done: &[],
        effect: &[one("NEWS"), one("EVENT news-published")],
        prepare: |_, n| deeds::news(n).boxed(),
    },
    Flow {
        name: "an application",
        function: "staff",
        success: (200, ""),
        done: &[],
        effect: &[Change { kind: "APPLICATIONS REGISTRY", least: 0, most: 1, again: 0 }, one("EVENT application-put")],
        prepare: |_, n| deeds::application(n).boxed(),
    },
];

/// What the stream gave up on is woken.
const WOKEN: Change = Change { kind: "OUTBOX WAKE", least: 0, most: 1, again: 0 };
