//! What belongs together because something links it.

/// Disjoint sets: each points at a set that it was joined with before it, the first at itself.
#[derive(Default)]
pub(crate) struct Groups(Vec<usize>);

impl Groups {
    /// A new set.
    pub(crate) fn add(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    /// The set that stands for all that it was joined with: the first of them.
    pub(crate) fn root(&self, mut group: usize) -> usize {
        while self.0[group] != group {
            group = self.0[group];
        }
        group
    }

    /// Makes one of two.
    pub(crate) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}
