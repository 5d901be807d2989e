//! Somebody who signs up.

use serde_json::{Value, json};

use crate::SIRET;

/// A password that the policy takes.
pub const PASSWORD: &str = "truelle béton mésange 41";

/// What a person enters at sign-up.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub siret: String,
    pub civility: &'static str,
    pub last_name: String,
    pub first_name: String,
}

impl Person {
    /// Mme MARTIN of the leaflet's establishment, at this address.
    pub fn at(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            siret: SIRET.to_owned(),
            civility: "mme",
            last_name: "MARTIN".to_owned(),
            first_name: "Jeanne".to_owned(),
        }
    }

    /// The same at another establishment.
    pub fn of(mut self, siret: &str) -> Self {
        self.siret = siret.to_owned();
        self
    }

    /// The same with another name.
    pub fn named(mut self, civility: &'static str, last_name: &str) -> Self {
        self.civility = civility;
        self.last_name = last_name.to_owned();
        self
    }

    /// The sign-up form, with these terms.
    pub fn form(&self, terms: &Value) -> Value {
        json!({
            "siret": self.siret,
            "civility": self.civility,
            "last_name": self.last_name,
            "first_name": self.first_name,
            "job_title": "Comptable",
            "email": self.email,
            "email_confirmation": self.email,
            "terms": terms,
        })
    }
}
