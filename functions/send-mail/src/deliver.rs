//! Handing a mail to SES.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use portal::domain::{Email, Id};
use portal::environment::{Environment, StartError};

use crate::mails::Rendered;

/// The name that a mail comes from.
const SENDER: &str = "Constructys";

/// Takes mails to SES.
#[derive(Clone)]
pub(crate) struct Postman {
    client: aws_sdk_sesv2::Client,
    from: String,
    configuration_set: String,
}

/// Why SES did not take a mail.
pub(crate) struct Refusal {
    /// For the log; names no address.
    pub(crate) reason: String,
    /// Whether it will never take this mail.
    pub(crate) is_final: bool,
}

impl Postman {
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let config = portal::aws_config!(aws_sdk_sesv2, environment, "SESV2");
        Ok(Self {
            client: aws_sdk_sesv2::Client::from_conf(config.build()),
            from: format!("{SENDER} <{}>", environment.variable("MAIL_FROM")?),
            configuration_set: environment.variable("MAIL_CONFIGURATION_SET")?.to_owned(),
        })
    }

    pub(crate) async fn send(&self, outbox_id: Id, to: &Email, mail: &Rendered) -> Result<(), Refusal> {
        let built = message(mail).and_then(|message| {
            // Events about the mail, such as a bounce, come back with the outbox entry's name.
            let tag = MessageTag::builder().name("outbox").value(outbox_id.to_string()).build()?;
            Ok((message, tag))
        });
        let (message, tag) = built.map_err(|error| Refusal { reason: error.to_string(), is_final: true })?;
        let request = self.client.send_email().from_email_address(&self.from);
        let sent = request
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .configuration_set_name(&self.configuration_set)
            .email_tags(tag)
            .send()
            .await;
        sent.map(drop).map_err(|error| refusal(&error))
    }
}

fn message(mail: &Rendered) -> Result<Message, aws_sdk_sesv2::error::BuildError> {
    let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
    Ok(Message::builder().subject(content(&mail.subject)?).body(body).build())
}

/// How SES says that an identity is not verified, under the code of a message that it does not like.
fn says_unverified(message: &str) -> bool {
    message.contains("not verified")
}

/// Tells a mail that SES will never take from a moment at which it takes none. SES's message may quote
/// the address, so only the code goes on.
fn refusal<R>(error: &SdkError<SendEmailError, R>) -> Refusal {
    match error {
        SdkError::ServiceError(service) => {
            let is_final = match service.err() {
                // While the sender's domain is not verified, or any more, or the account is in the sandbox, SES rejects
                // every mail; it will take it once that is put right.
                SendEmailError::MessageRejected(rejected) => !rejected.message().is_some_and(says_unverified),
                SendEmailError::BadRequestException(_) => true,
                _ => false,
            };
            Refusal { reason: service.err().code().unwrap_or("unknown").to_owned(), is_final }
        }
        SdkError::TimeoutError(_) => Refusal { reason: "time-out".to_owned(), is_final: false },
        _ => Refusal { reason: "connection".to_owned(), is_final: false },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::types::error::{BadRequestException, MessageRejected};

    use super::*;

    #[test]
    fn a_mail_waits_where_the_sender_is_not_verified_and_is_given_up_where_it_is_bad() {
        let is_final = |error| refusal(&SdkError::service_error(error, ())).is_final;
        let rejected =
            |message: &str| SendEmailError::MessageRejected(MessageRejected::builder().message(message).build());
        let unverified = "Email address is not verified. The following identities failed the check in region EU-WEST-3: \
                          portail@constructys.example";
        assert!(!is_final(rejected(unverified)));
        assert!(is_final(rejected("Transaction failed")));
        assert!(is_final(SendEmailError::BadRequestException(BadRequestException::builder().build())));
    }
}
