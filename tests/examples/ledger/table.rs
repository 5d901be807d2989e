//! What is printed.

/// One figure, beside what it has to reach.
pub(crate) struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    limit: String,
    reached: bool,
    note: String,
}

impl Row {
    /// A figure that has nothing to reach yet.
    pub(crate) fn new(what: &str, value: f64, unit: &'static str) -> Self {
        Self { what: what.to_owned(), value, unit, limit: String::new(), reached: true, note: String::new() }
    }

    /// It may be so much.
    pub(crate) fn at_most(&mut self, limit: f64) -> &mut Self {
        self.limit = format!("at most {limit:.2}");
        self.reached = self.value <= limit;
        self
    }

    /// It must be so much.
    pub(crate) fn at_least(&mut self, limit: f64) -> &mut Self {
        self.limit = format!("at least {limit:.2}");
        self.reached = self.value >= limit;
        self
    }

    /// What it was made from.
    pub(crate) fn note(&mut self, note: String) -> &mut Self {
        self.note = note;
        self
    }

    /// Prints the line.
    pub(crate) fn print(&self) {
        let Self { what, value, unit, limit, reached, note } = self;
        let result = if *reached { "reached" } else { "SHORT" };
        println!("{what:<66} {value:>8.3} {unit:<3} {limit:<14} {result:<8} {note}");
    }
}

/// The middle one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
