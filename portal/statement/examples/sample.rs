//! Writes a made-up statement, to look at and to measure: `sample [actions] > statement.pdf`.

use std::io::Write as _;

use jiff::civil::date;
use portal::domain::{ActionStatus, Cents, EntryKind, MemberNumber, Paid, Payee, Scheme, Siret, View};
use portal::store::ActionSums;
use statement_pdf::{Action, Contribution, Measures, Month, Remittance, Statement, render};

const TITLES: [&str; 5] = [
    "Conduite d’engins de chantier – CACES R482, catégorie A",
    "Travail en hauteur",
    "Habilitation électrique BR, recyclage",
    "Certiﬁcation « hauteur ≥ 3 m → ok », 10 ㎡, module Ⅳ, M. Nguyễn",
    "Lecture de plans et métré pour chefs d’équipe du gros œuvre et du second œuvre",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let actions: usize = std::env::args().nth(1).map_or(Ok(24), |count| count.parse())?;
    let rendered = render(&statement(actions).ok_or("a number or a year is none")?)?;
    Ok(std::io::stdout().write_all(&rendered.pdf)?)
}

fn statement(count: usize) -> Option<Statement> {
    let actions: Vec<Action> = (0..count).map(action).collect();
    let totals: Measures = actions.iter().map(|action| action.measures).sum();
    let paid = totals.paid;
    let contributions = vec![
        Contribution {
            date: date(2012, 2, 28),
            kind: EntryKind::ContributionLegal,
            label: "Contribution légale 2012".to_owned(),
            amount: Cents(12_310_000),
        },
        Contribution {
            date: date(2012, 9, 15),
            kind: EntryKind::ContributionRefund,
            label: "Trop-perçu".to_owned(),
            amount: Cents(-84_050),
        },
    ];
    let contributed = contributions.iter().map(|contribution| contribution.amount).sum();
    Some(Statement {
        member_number: MemberNumber::parse("012345").ok()?,
        siret: Siret::parse("53384615000019").ok()?,
        establishment: "MAÇONNERIE LEFÈVRE & FILS".to_owned(),
        view: View::parse("2012")?,
        from: Some(date(2012, 1, 1)),
        to: date(2012, 12, 31),
        as_of: "2013-03-04T09:05:00Z".parse().ok()?,
        postings: 8,
        totals,
        contributed,
        schemes: vec![(Scheme::Plan, totals)],
        months: vec![Month { first_day: date(2012, 8, 1), committed: totals.committed, paid, contributed }],
        actions,
        contributions,
        remittances: vec![
            Remittance {
                number: "V-2012-0042".to_owned(),
                date: date(2012, 11, 3),
                bank_reference: Some("CSTR 20121103 000042".to_owned()),
                sent: Paid { to_providers: Cents::ZERO, ..paid },
                returned: Paid::ZERO,
            },
            Remittance {
                number: "P-2012-0043".to_owned(),
                date: date(2012, 11, 4),
                bank_reference: Some("CSTR 20121104 000043".to_owned()),
                sent: Paid { to_company: Cents::ZERO, ..paid } + Paid::to(Payee::Provider, Cents(12_000)),
                returned: Paid::to(Payee::Provider, Cents(12_000)),
            },
        ],
    })
}

fn action(number: usize) -> Action {
    let cents = i64::try_from(number % 997).unwrap_or_default() * 1_031;
    let payee = if number.is_multiple_of(3) { Payee::Company } else { Payee::Provider };
    let status = ActionStatus::ALL[number % ActionStatus::ALL.len()];
    // One in fifty was paid twice, and one had a tenth of it taken back.
    let paid = if number % 50 == 7 { cents * 2 } else { cents };
    let recovered = if number % 50 == 9 { cents / 10 } else { 0 };
    let sums = ActionSums {
        committed: Cents(cents + 85_000),
        paid: Paid::to(payee, Cents(paid - recovered)),
        in_progress: Cents(12_345),
        recovered: Cents(recovered),
        ..ActionSums::default()
    };
    Action {
        id: format!("2012-{number:06}"),
        title: TITLES[number % TITLES.len()].to_owned(),
        scheme: Scheme::ALL[number % Scheme::ALL.len()],
        status,
        engaged: date(2012, 8, 30),
        measures: sums.measures(status),
    }
}
