//! Habits of French passwords, each with its weak examples, and what must be left alone.

#![allow(clippy::unwrap_used, reason = "a test")]

use common_passwords::estimate;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// The guesses from which zxcvbn's score is 3.
const ENOUGH: f64 = 1e8;

const HABITS: [(&str, &[&str]); 12] = [
    (
        "addresses",
        &[
            "bretagne@laposte.net",
            "Doudou@hotmail.fr",
            "jean.dupont@sfr.fr",
            "http://www.maconnerie.com",
            "www.facebook.com",
        ],
    ),
    (
        "dates in words",
        &[
            "mercredi 25 décembre 2019",
            "3-Sept-1998!!",
            "Vendredi13Mai1977",
            "le 1er avril 2025",
            "14 juillet 1789",
            "Le-8-Mai-1945!",
        ],
    ),
    (
        "the calendar in a row",
        &["lundi mardi mercredi", "avril/mai/juin", "juin-juillet-aout", "samedi_dimanche_lundi"],
    ),
    (
        "towns of several words",
        &[
            "Saint-Etienne42",
            "Chalon-sur-Saône71",
            "Bourg-en-Bresse01000",
            "Boulogne-Billancourt92",
            "La-Rochelle17000!",
            "Saint Nazaire 44600",
            "69Villefranche-sur-Saône69",
            "Saint-Nazaire-Toulon",
        ],
    ),
    (
        "names of several words",
        &["Anne-Sophie et Marc", "Marie-Claude_Bernard", "Jean-Luc Nathalie 74", "Jean-Louis-Moreau-1968"],
    ),
    (
        "a name and a date with signs",
        &[
            "Sophie-24-12-1971",
            "Julien 3/9/1988",
            "Isabelle_15.08.65",
            "Marie-Laure 12/05/70",
            "chocolat 25/12/99",
            "Sandrine_1971_12_24",
        ],
    ),
    (
        "names, companies, departments",
        &[
            "Marie.Bernard69",
            "Thomas Moreau 33",
            "Sophie_Leroy_59",
            "EURL-Garnier-44",
            "SAS Durand 2026!",
            "Ets. Lefebvre 62",
            "Mme Bonnet 1968",
        ],
    ),
    (
        "clubs, slogans, famous names",
        &[
            "olympique-de-marseille",
            "ASSaintEtienne42!",
            "StadeRennais35000",
            "ICI C'EST PARIS 75",
            "Antoine Dupont 9!",
            "VivelOM13000!",
        ],
    ),
    ("cars", &["Renault-Clio-2026", "Renault5Turbo!", "Golf7GTI-2018", "XsaraPicasso2004", "Peugeot 405 TDI"]),
    ("phone numbers", &["06.11.22.33.44", "07-78-90-12-34!", "+33 6 12 34 56 79", "0698765432!!", "02_99_12_34_56"]),
    (
        "letter by letter and again",
        &[
            "s.o.l.e.i.l.69",
            "d o u d o u 75",
            "cchhooccoollaatt",
            "doudou13doudou",
            "Paris75001Paris",
            "1soleil2soleil3soleil",
            "nantes-44000-nantes",
        ],
    ),
    (
        "what is said",
        &[
            "j'aime mon mari",
            "l'amour toujours",
            "Vive la France 2026",
            "bonne-année-2026",
            "salut c'est maman",
            "BTP-Normandie-76",
        ],
    ),
];

#[test]
fn habits_take_few_guesses() {
    let strong = HABITS.iter().flat_map(|(habit, weak)| weak.iter().map(move |password| (habit, password)));
    let strong: Vec<_> = strong.filter(|(_, password)| estimate(password, &[]).count >= ENOUGH).collect();
    assert!(strong.is_empty(), "{strong:?}");
}

#[test]
fn sentences_of_ones_own_take_many() {
    for strong in [
        "j'ai oublié mon parapluie dans le train",
        "le facteur passe à midi avec son vélo",
        "l'été dernier j'ai repeint la clôture",
        "c'est l'heure du goûter des hérissons",
        "les chats les chiens et les poules",
        "on se voit mardi devant la gare",
        "il y a du thé dans l'arrosoir",
        "je range mes vis par taille",
        "vingt-deux clous rouillés",
        "the kettle sings before breakfast",
        "meine Katze schläft im Keller",
        "mi abuela cocina con ajo y limón",
        "o gato dorme no telhado",
    ] {
        assert!(estimate(strong, &[]).count >= ENOUGH, "{strong}: {:?}", estimate(strong, &[]));
    }
}

#[test]
fn random_signs_of_any_class_take_many() {
    const CLASSES: [&str; 5] = [
        "0123456789",
        "abcdefghijklmnopqrstuvwxyz",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "0123456789abcdef",
    ];
    let mut rng = StdRng::seed_from_u64(18);
    for class in CLASSES {
        let signs: Vec<char> = class.chars().collect();
        let drawn: Vec<String> = (0..400)
            .map(|_| (0..rng.random_range(18..=24)).map(|_| *signs.choose(&mut rng).unwrap()).collect())
            .collect();
        // The filters err: one text of 18 letters in some thousands is a long word and two short ones.
        let refused: Vec<&String> = drawn.iter().filter(|text| estimate(text, &[]).count < ENOUGH).collect();
        assert!(refused.len() <= 1, "{refused:?}");
    }
}
