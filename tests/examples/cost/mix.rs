//! A thousand requests as members make them.

/// A kind of request: how many of a thousand, and why.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) of_thousand: u32,
    #[allow(dead_code, reason = "it is there to be read")]
    why: &'static str,
}

const fn kind(name: &'static str, of_thousand: u32, why: &'static str) -> Kind {
    Kind { name, of_thousand, why }
}

/// Some 91,000 bookkeepers come several times a month, mostly to look: a visit is a log-in or a refresh, the home,
/// the summary, and some pages. Whatever writes is rare, whatever mails is rarer.
pub(crate) const MIX: [Kind; 27] = [
    kind("read a document", 10, "before a sign-up, and by readers of the site"),
    kind("sign up", 6, "a user signs up once; 91,000 within two years of a million requests a month"),
    kind("look at a link", 6, "one for each mailed link"),
    kind("create a password", 6, "ends a sign-up or a reset; hashes"),
    kind("forgotten password", 4, "one log-in in fifteen is forgotten"),
    kind("log in", 60, "begins a visit, where the last one is longer ago than a session lives"),
    kind("log in, wrongly", 8, "one in eight is mistyped"),
    kind("refresh", 120, "a token lives ten minutes, a visit some fifteen, and pages are left open"),
    kind("log out", 4, "few do"),
    kind("home", 120, "begins each visit"),
    kind("profile", 10, "read"),
    kind("change the profile", 2, "a new job title, a new name"),
    kind("accept the charter", 3, "once a user, and once a version"),
    kind("claim an account", 1, "once an account"),
    kind("accounts", 30, "who has several chooses one"),
    kind("users", 4, "managers"),
    kind("give access", 2, "accountants come and go"),
    kind("summary", 150, "the first page of an account"),
    kind("actions of a view", 200, "the page that the fund is asked about most: what was paid of what"),
    kind("an action", 85, "one in three of these lists"),
    kind("contributions", 35, "once a year and before it"),
    kind("remittances", 60, "to find a line of the bank's statement"),
    kind("a remittance", 35, "its lines"),
    kind("ledger page", 27, "who checks everything"),
    kind("ledger as CSV", 7, "a month's end"),
    kind("statement", 4, "a year's end"),
    kind("export in the background", 1, "a large account's whole ledger"),
];
