//! Doubts: an action looks mistaken, and may not any more when all of the batch is posted: its payments come behind it, a
//! commitment behind them.

use std::collections::{HashMap, HashSet};

use portal::store::{Action, ActionPlace, Batch};

use crate::ImportError;
use crate::post::Poster;
use crate::report::{Doubted, Report};
use crate::tables::Tables;
use crate::warning::Warning;

/// The count of doubts from which on those that are over are left out.
const LOOK_AGAIN_AT: usize = 2_000;

/// The most that are kept over a piece of a batch. Where more than these look mistaken at once, it is no matter of their order.
const MOST_KEPT: usize = 4_000;

impl<T: Tables> Poster<T> {
    /// Leaves out the doubts that are over, where there are many.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn thin_doubts(&self, report: &mut Report) -> Result<(), ImportError> {
        if report.doubted.len() < LOOK_AGAIN_AT {
            return Ok(());
        }
        let mut doubted = self.standing(std::mem::take(&mut report.doubted)).await?;
        let beyond = doubted.len().saturating_sub(MOST_KEPT);
        doubted.drain(..beyond).for_each(|doubted| report.warn_of(doubted.line));
        report.doubted = doubted;
        Ok(())
    }

    /// Warns of what still looks mistaken when all is posted.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn end_doubts(&self, report: &mut Report) -> Result<(), ImportError> {
        let doubted = std::mem::take(&mut report.doubted);
        self.standing(doubted).await?.into_iter().for_each(|doubted| report.warn_of(doubted.line));
        Ok(())
    }

    /// The doubts that stand, one of a kind for each action: the last line that gave rise to it, with the figures of now.
    async fn standing(&self, doubted: Vec<Doubted>) -> Result<Vec<Doubted>, ImportError> {
        let places: HashSet<ActionPlace> = doubted.iter().map(|doubted| doubted.place.clone()).collect();
        if places.is_empty() {
            return Ok(doubted);
        }
        let mut batch = Batch::new();
        let wanted: Vec<_> = places
            .into_iter()
            .map(|place| (batch.want::<Action>(Action::key_of(&place.account, &place.action_id)), place))
            .collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut actions = HashMap::new();
        for (wanted, place) in wanted {
            actions.extend(fetched.take(&wanted)?.map(|action| (place, action)));
        }
        let mut seen = HashSet::new();
        let mut standing: Vec<_> = doubted
            .into_iter()
            .rev()
            .filter_map(|mut doubted| {
                let action = actions.get(&doubted.place)?;
                let stands = Warning::of(action).any(|warning| warning == doubted.warning);
                let is_last = stands && seen.insert((doubted.warning, doubted.place.clone()));
                doubted.line.figures = Warning::particulars_of(action);
                is_last.then_some(doubted)
            })
            .collect();
        standing.reverse();
        Ok(standing)
    }
}
