//! Turns a tuple of maybe-values into the values.

/// A tuple of options of which all or none count.
pub trait AllOf {
    /// The tuple of values.
    type Values;

    /// The values, where none is missing.
    fn all(self) -> Option<Self::Values>;
}

/// A form without fields.
impl AllOf for () {
    type Values = ();

    fn all(self) -> Option<()> {
        Some(())
    }
}

macro_rules! all_of {
    ($($name:ident)+) => {
        impl<$($name),+> AllOf for ($(Option<$name>,)+) {
            type Values = ($($name,)+);

            #[allow(non_snake_case, reason = "the type parameters name the variables")]
            fn all(self) -> Option<Self::Values> {
                let ($($name,)+) = self;
                Some(($($name?,)+))
            }
        }
    };
}

all_of!(A);
all_of!(A B);
all_of!(A B C);
all_of!(A B C D);
all_of!(A B C D E);
all_of!(A B C D E F);
all_of!(A B C D E F G);
all_of!(A B C D E F G H);
all_of!(A B C D E F G H I);
