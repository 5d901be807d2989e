//! Cursors of lists, as they come back from a client.

use portal::domain::{Id, MemberNumber};
use portal::security::SymmetricKey;
use query_ledger::cursor::{Bound, Cursor};

/// No text opens as a cursor by chance; and what a right tag would vouch for is read without a panic, and
/// comes back the same through a cursor made of it.
pub fn cursor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = SymmetricKey::from_secret("a secret of the fuzzer");
    let account = MemberNumber::parse("012345").expect("a member number");
    let bound = Bound { user: Id::from_bytes([7; 16]), account: &account, filter: "actions".to_owned() };
    assert_eq!(Cursor::open(text, &key, &bound), None, "{text:?} opened");
    if let Some(cursor) = Cursor::read(text) {
        let sealed = cursor.seal(&key, &bound);
        assert!(sealed.len() <= 2048, "the contract's longest cursor");
        assert_eq!(Cursor::open(&sealed, &key, &bound), Some(cursor));
    }
}
