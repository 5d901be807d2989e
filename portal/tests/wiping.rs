//! What is left of a password in the memory of the process that hashed it. The only test of its process: it
//! reads all of the memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt;

use portal::environment::rng;
use portal::security::{Hashing, Password, Verdict};

/// The password, every bit the other way round: the test's own copy is not to be found. An é is an e and an
/// accent, so that composing makes a copy.
const TYPED: [u8; 50] = flipped(b"truelle be\xCC\x81ton me\xCC\x81sange sur le toit de la grange");
/// From its middle: of what is freed, an allocator overwrites the beginning.
const PIECE: [u8; 12] = flipped(b"sange sur le");

/// One hash fills 19 MiB with what is no zero.
const HASH_BLOCKS: usize = 19_456;
const BLOCK: usize = 1024;

const fn flipped<const LENGTH: usize>(text: &[u8; LENGTH]) -> [u8; LENGTH] {
    let (mut flipped, mut at) = ([0; LENGTH], 0);
    while at < LENGTH {
        flipped[at] = !text[at];
        at += 1;
    }
    flipped
}

/// What of the writable memory is not zero, in blocks of 1 KiB, and how often the piece is in it.
fn look() -> (usize, usize) {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut buffer = vec![0; 1024 * BLOCK];
    let (mut filled, mut found) = (0, 0);
    for line in read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (usize::from_str_radix(start, 16).unwrap(), usize::from_str_radix(end, 16).unwrap());
        let mut at = start;
        while rest.starts_with("rw") && at < end {
            let length = buffer.len().min(end - at);
            // What the kernel keeps to itself is not read.
            if memory.read_exact_at(&mut buffer[..length], at as u64).is_ok() {
                let blocks = buffer[..length].chunks(BLOCK).filter(|block| block.iter().any(|byte| *byte != 0)).count();
                if blocks > 0 {
                    filled += blocks;
                    found += count(&buffer[..length]);
                }
            }
            buffer.fill(0);
            at += length;
        }
    }
    (filled, found)
}

fn count(memory: &[u8]) -> usize {
    let starts = memory.iter().enumerate().filter(|(_, byte)| **byte == !PIECE[0]).map(|(at, _)| at);
    starts.filter(|at| memory[*at..].iter().zip(&PIECE).filter(|(one, other)| **one == !**other).count() == 12).count()
}

fn typed() -> String {
    String::from_utf8(TYPED.iter().map(|byte| !byte).collect()).unwrap()
}

#[tokio::test]
async fn neither_a_password_nor_its_hashing_is_left_in_memory() {
    let hashing = Hashing::default();
    let (before, none) = look();
    assert_eq!(none, 0);
    let password = Password::of(typed());
    let (_, while_it_is_there) = look();
    assert!(while_it_is_there > 0, "a password is found where there is one");
    let hash = hashing.hash(&password, &mut rng()).await.unwrap();
    assert_eq!(hashing.verify(&password, Some(&hash)).await.unwrap(), Verdict::Right);
    drop(password);
    let (after, left) = look();
    assert_eq!(left, 0, "copies of the password");
    assert!(after < before + HASH_BLOCKS / 4, "{before} blocks before, {after} after");
}
