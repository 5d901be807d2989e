//! What things are called here: names are logical ids, in ARNs of a region and an account that are made up.

/// The region that the local portal pretends to be in.
pub(crate) const REGION: &str = "eu-west-3";
/// The account that it pretends to be.
pub(crate) const ACCOUNT: &str = "000000000000";

/// A table's ARN.
pub(crate) fn table_arn(id: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{id}")
}

/// A secret's ARN, which is what `Ref` gives.
pub(crate) fn secret_arn(id: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{id}")
}

/// A bucket's name: S3 knows no capitals.
#[must_use]
pub fn bucket_name(id: &str) -> String {
    kebab(id)
}

/// `ForgotPassword` as `forgot-password`.
pub(crate) fn kebab(id: &str) -> String {
    let mut out = String::new();
    for character in id.chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names() {
        assert_eq!(kebab("ForgotPassword"), "forgot-password");
        assert_eq!(bucket_name("FeedBucket"), "feed-bucket");
    }
}
