//! Invented companies, places and courses. Nobody is meant.

use crate::distribution::Draw;
use crate::records::Scheme;

/// The leaflet's company, at index 0.
pub(crate) const LEAFLET_COMPANY: &str = "MARTIN BTP";
const LEAFLET_DOMAIN: &str = "martin";

/// Family names, without accents for the sake of the addresses made from them.
const SURNAMES: [&str; 48] = [
    "ABIVEN",
    "ARNAUD",
    "BARBIER",
    "BERTHO",
    "BESNARD",
    "BOUVET",
    "BRIAND",
    "CADIOU",
    "CARRE",
    "CHAUVIN",
    "COLLET",
    "CORRE",
    "DANIEL",
    "DELAUNAY",
    "DUCLOS",
    "FERRAND",
    "FOUCHER",
    "GARNIER",
    "GICQUEL",
    "GUEGUEN",
    "HAMON",
    "HERVE",
    "JOUAN",
    "KERMARREC",
    "LAGARDE",
    "LAMBERT",
    "LANDAIS",
    "LE BIHAN",
    "LE GOFF",
    "LEROY",
    "MALLET",
    "MARCHAND",
    "MERCIER",
    "MOREAU",
    "NICOLAS",
    "OLLIVIER",
    "PASQUIER",
    "PERRIN",
    "PICHON",
    "QUEMENER",
    "RENAULT",
    "RIVIERE",
    "ROUSSEL",
    "SALAUN",
    "TANGUY",
    "TESSIER",
    "VASSEUR",
    "VINCENT",
];

const TRADES: [&str; 20] = [
    "BTP",
    "BÂTIMENT",
    "CARRELAGE",
    "CHARPENTE",
    "CONSTRUCTION",
    "COUVERTURE",
    "DÉMOLITION",
    "ÉLECTRICITÉ",
    "ÉTANCHÉITÉ",
    "FAÇADES",
    "GÉNIE CIVIL",
    "ISOLATION",
    "MAÇONNERIE",
    "MENUISERIE",
    "PEINTURE",
    "PLÂTRERIE",
    "PLOMBERIE CHAUFFAGE",
    "RÉNOVATION",
    "TERRASSEMENT",
    "TRAVAUX PUBLICS",
];

const PLACES: [&str; 16] = [
    "BREST", "CHOLET", "DINAN", "FOUGERES", "LAVAL", "LORIENT", "MORLAIX", "NANTES", "NIORT", "PONTIVY", "QUIMPER",
    "REDON", "RENNES", "SAUMUR", "VANNES", "VITRE",
];

/// A company's name; the same for all its sites.
pub(crate) fn company(draw: &mut Draw) -> String {
    let surname = draw.pick(&SURNAMES).unwrap_or_default();
    let trade = draw.pick(&TRADES).unwrap_or_default();
    let place = draw.pick(&PLACES).unwrap_or_default();
    match draw.below(8) {
        0 => format!("ENTREPRISE {surname}"),
        1 => format!("{surname} ET FILS"),
        2 => format!("{trade} {surname}"),
        3 => format!("ETS {surname} {trade}"),
        4 => format!("{trade} DE {place}"),
        _ => format!("{surname} {trade}"),
    }
}

/// A branch of a company in a town.
pub(crate) fn branch(company: &str, draw: &mut Draw) -> String {
    format!("{company} {}", draw.pick(&PLACES).unwrap_or_default())
}

/// An address that can never be a real one: `.example` is reserved by RFC 2606.
pub(crate) fn contact_email(company: &str, draw: &mut Draw) -> String {
    let desk = draw.pick(&["compta", "contact", "direction", "formation", "rh"]);
    let desk = desk.unwrap_or("contact");
    if company == LEAFLET_COMPANY {
        return format!("compta@{LEAFLET_DOMAIN}.example");
    }
    format!("{desk}@{}.example", slug(company))
}

/// A name as a domain label: ASCII letters, digits, single hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for letter in name.chars() {
        let plain = match letter {
            'Â' | 'À' => 'a',
            'É' | 'È' | 'Ê' => 'e',
            'Ç' => 'c',
            'Ô' => 'o',
            other => other.to_ascii_lowercase(),
        };
        if plain.is_ascii_alphanumeric() {
            slug.push(plain);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// A course with the first and last year in which it went by that name.
type Course = (&'static str, i16, i16);

const ALWAYS: (i16, i16) = (0, i16::MAX);

const fn course(title: &'static str) -> Course {
    (title, ALWAYS.0, ALWAYS.1)
}

const SITE_COURSES: [Course; 20] = [
    // The recommendations of the health insurance fund changed their numbers in 2020.
    ("CACES R372m catégorie 1", 0, 2019),
    ("CACES R372m catégorie 9", 0, 2019),
    ("CACES R386 nacelles", 0, 2019),
    ("CACES R482 catégorie A", 2020, i16::MAX),
    ("CACES R486 nacelles", 2020, i16::MAX),
    ("AIPR encadrant", 2016, i16::MAX),
    ("RT 2012 et étanchéité à l'air", 2011, 2021),
    ("Amiante : encadrement de chantier", 0, i16::MAX),
    course("Habilitation électrique BR"),
    course("Sauveteur secouriste du travail"),
    course("Travail en hauteur et port du harnais"),
    course("Montage d'échafaudages"),
    course("Chef d'équipe gros œuvre"),
    course("Conduite de travaux"),
    course("Lecture de plans"),
    course("Métré et étude de prix"),
    course("Pose de menuiseries"),
    course("Enduits à la chaux"),
    course("Soudage à l'arc"),
    course("Gestes et postures"),
];

const DEGREES: [Course; 6] = [
    course("CAP Maçon"),
    course("CAP Couvreur"),
    course("BP Charpentier bois"),
    course("BTS Travaux publics"),
    course("Titre Coffreur bancheur"),
    course("Titre Conducteur de travaux"),
];

const VALIDATIONS: [Course; 3] =
    [course("VAE Chef de chantier"), course("VAE BTS Bâtiment"), course("VAE Titre Conducteur de travaux")];

const ASSESSMENTS: [Course; 2] = [course("Bilan de compétences"), course("Bilan de compétences approfondi")];

const HIRING_COURSES: [Course; 3] =
    [course("POE Aide-maçon"), course("POE Ouvrier routier"), course("POE Monteur en installations thermiques")];

/// What an action of this scheme may be called, where it is lodged in `year`.
pub(crate) fn title(scheme: Scheme, year: i16, draw: &mut Draw) -> &'static str {
    let courses: &[Course] = match scheme {
        Scheme::Professionalisation | Scheme::Apprenticeship | Scheme::ProA => &DEGREES,
        Scheme::Vae => &VALIDATIONS,
        Scheme::Assessment => &ASSESSMENTS,
        Scheme::Poe => &HIRING_COURSES,
        Scheme::Plan | Scheme::Pdc | Scheme::Dif | Scheme::Cpf => &SITE_COURSES,
    };
    let weights = courses.iter().map(|(_, from, to)| u32::from((*from..=*to).contains(&year)));
    courses[draw.weighted(weights)].0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Purpose;

    #[test]
    fn addresses_are_plain_and_reserved() {
        let mut draw = Draw::new(1, 1, Purpose::Company);
        for _ in 0..2_000 {
            let address = contact_email(&company(&mut draw), &mut draw);
            let domain = address.split_once('@').unwrap().1.strip_suffix(".example").unwrap();
            assert!(domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            assert!(!domain.is_empty() && !domain.starts_with('-') && !domain.contains("--"));
        }
    }

    #[test]
    fn a_slug_drops_accents_and_doubles() {
        assert_eq!(slug("LE GOFF - ÉTANCHÉITÉ FAÇADES "), "le-goff-etancheite-facades");
    }

    #[test]
    fn courses_go_by_the_names_of_their_time() {
        let mut draw = Draw::new(1, 1, Purpose::Actions);
        let titles: Vec<_> = (0..500).map(|_| title(Scheme::Plan, 2011, &mut draw)).collect();
        assert!(titles.contains(&"CACES R386 nacelles"));
        assert!(!titles.iter().any(|title| title.contains("R482") || title.contains("AIPR")));
    }
}
