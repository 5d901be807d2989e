//! Makes the filters of the lists: `common-passwords PACKAGES WORDS FOLDER`, where PACKAGES is the folder of the npm packages of
//! `package.json`, WORDS is wordfreq's list of French words, most frequent first, and FOLDER gets the filters.

#![allow(clippy::print_stdout, reason = "its output")]

mod lists;

use std::error::Error;
use std::path::PathBuf;

use common_passwords::{build, dictionary};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [packages, words, folder] = paths.as_slice() else {
        return Err("usage: common-passwords PACKAGES WORDS FOLDER".into());
    };
    let passwords = lists::passwords(packages)?;
    let common: Vec<String> = common_passwords::entries(passwords.iter().map(String::as_str)).collect();
    std::fs::write(folder.join("common.filter"), build(&common)?)?;
    let tiers = lists::dictionary(packages, words, &passwords)?;
    for ((file, guesses), words) in dictionary::TIERS.into_iter().zip(&tiers) {
        let filter = build(words)?;
        println!("{file}: {} words of {guesses} guesses, {} bytes", words.len(), filter.len());
        std::fs::write(folder.join(file), filter)?;
    }
    Ok(())
}
