//! Makes the filters of a list: `common-passwords LIST FILTERS`.

#![allow(clippy::print_stdout, reason = "its output")]

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [list, filters] = paths.as_slice() else { return Err("usage: common-passwords LIST FILTERS".into()) };
    let list = std::fs::read_to_string(list)?;
    let made = common_passwords::make(list.lines())?;
    std::fs::write(filters, &made)?;
    println!("{} lines, {} bytes", list.lines().count(), made.len());
    Ok(())
}
