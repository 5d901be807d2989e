//! HTTP: from a request to a caller and a form, from a result to an answer or a problem document.

mod answer;
mod call;
mod field;
mod form;
mod language;
mod problem;
mod serve;

pub use answer::Answer;
pub use call::Call;
pub use form::Form;
pub use language::Language;
pub use problem::{FieldError, Problem};
pub use serve::serve;
