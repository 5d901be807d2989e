//! What is kept of a user beside the user: found by its partition, whatever it is, so that no kind of item is
//! forgotten.

use rand::CryptoRng;

use super::{Erasure, Leaver, Scene, end_invitations};
use crate::domain::Email;
use crate::http::Problem;
use crate::store::{
    AccessRequest, Batch, Grant, Item, Key, Link, Login, MailHistory, Outcome, Purpose, Query, Record as _,
    Reservation, Rights, StoreError, Table, Transaction, User,
};

impl Erasure {
    /// Deletes what can go before the user does, in as many steps as it takes: it is of no use without them,
    /// or comes back with their next log-in where this stops half-way.
    pub(super) async fn clear_before(
        &self,
        caller: &Leaver,
        call: &Scene<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Problem> {
        let user = &caller.user;
        let mut kept = vec![user.key(), Login::key_of(&user.email)];
        kept.extend(caller.session.clone());
        let mut keys = self.keys_in(Table::Identity, format!("USER#{}", user.user_id)).await?;
        keys.extend(self.keys_in(Table::Members, format!("USER#{}", user.user_id)).await?);
        keys.extend(self.keys_in(Table::Identity, format!("EMAIL#{}", user.email.as_str())).await?);
        // These go last, under the condition that they are what was read.
        let purposes = [Purpose::Activation, Purpose::Reset].map(|purpose| MailHistory::key_of(&user.email, purpose));
        keys.retain(|key| !kept.contains(key) && !purposes.contains(key));
        let mut reservations = self.reservations(user).await?;
        reservations.retain(|reservation| reservation.is_in_force(call.now));
        for Reservation { email: address, .. } in &reservations {
            let under = self.keys_in(Table::Identity, format!("EMAIL#{}", address.as_str())).await?;
            // Whoever signs in with an address has it, whatever else is written there.
            if under.contains(&Login::key_of(address)) {
                continue;
            }
            keys.extend(self.links_to(address).await?.into_iter().map(|hash| Link::key_of(&hash)));
            // Kept from others until the end: until then, the change can be undone.
            keys.extend(under.into_iter().filter(|key| *key != Reservation::key_of(address)));
            end_invitations(&self.store, address, user, "erased", call, rng).await?;
        }
        self.delete_all(keys, rng).await?;
        end_invitations(&self.store, &user.email, user, "erased", call, rng).await?;
        Ok(())
    }

    /// Deletes what a log-in or a read of the same moment wrote just before the user went. Nothing can be
    /// written any more.
    pub(super) async fn clear_after(&self, user: &User, rng: &mut impl CryptoRng) -> Result<(), Problem> {
        let mut keys = self.keys_in(Table::Identity, format!("USER#{}", user.user_id)).await?;
        let Rights { grants, requests, .. } = Rights::of(&self.store, user.user_id).await?;
        keys.extend(grants.iter().map(|grant| Grant::mirror_key_of(user.user_id, &grant.member_number)));
        keys.extend(requests.iter().map(|request| AccessRequest::key_of(user.user_id, &request.member_number)));
        keys.extend(self.keys_in(Table::Members, format!("USER#{}", user.user_id)).await?);
        self.delete_all(keys, rng).await
    }

    /// What is reserved for a user, in force or not: an address before one of their changes may be somebody
    /// else's by now.
    pub(super) async fn reservations(&self, user: &User) -> Result<Vec<Reservation>, StoreError> {
        let mut batch = Batch::new();
        let before = user.addresses_before().into_iter();
        let wanted: Vec<_> = before.map(|address| batch.want(Reservation::key_of(address))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut reservations: Vec<Reservation> = Vec::new();
        for wanted in &wanted {
            reservations.extend(fetched.take(wanted)?);
        }
        reservations.retain(|reservation| reservation.user_id == user.user_id);
        Ok(reservations)
    }

    /// The newest links that were mailed to an address for its password.
    pub(super) async fn links_to(&self, address: &Email) -> Result<Vec<String>, StoreError> {
        let [activation, reset] = self.histories(address).await?;
        Ok([activation, reset].into_iter().flatten().filter_map(|history| history.newest_link).collect())
    }

    /// The mails of late to an address: for an activation, and for a reset.
    pub(super) async fn histories(&self, address: &Email) -> Result<[Option<MailHistory>; 2], StoreError> {
        let mut batch = Batch::new();
        let wanted = [Purpose::Activation, Purpose::Reset].map(|p| batch.want(MailHistory::key_of(address, p)));
        let mut fetched = self.store.fetch(batch).await?;
        let [activation, reset] = &wanted;
        Ok([fetched.take(activation)?, fetched.take(reset)?])
    }

    async fn keys_in(&self, table: Table, partition: String) -> Result<Vec<Key>, StoreError> {
        let items = self.store.query_all_items(&Query::partition(table, partition)).await?;
        Ok(items.iter().filter_map(|item| key_of(table, item)).collect())
    }

    async fn delete_all(&self, keys: Vec<Key>, rng: &mut impl CryptoRng) -> Result<(), Problem> {
        for keys in keys.chunks(Transaction::MOST) {
            let mut transaction = Transaction::new();
            for key in keys {
                transaction.delete(key.clone(), None);
            }
            if let Outcome::Refused(_) = self.store.commit(&transaction, rng).await? {
                return Err(Problem::Internal { context: "a delete without a condition was refused".to_owned() });
            }
        }
        Ok(())
    }
}

fn key_of(table: Table, item: &Item) -> Option<Key> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    Some(Key::new(table, text("pk")?, text("sk")?))
}
