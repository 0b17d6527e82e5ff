//! How the gateway shows the client secret to the token and revocation endpoints (RFC 6749, 2.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use classlink_spa::protocol::form;

use crate::config::Client;
use crate::failure::{Code, Refused};
use crate::metadata::Metadata;

/// Writes a form, with the secret in it or in the `Authorization` header beside it.
///
/// # Errors
/// `discovery_invalid` if the provider takes neither way.
pub fn authenticate(
    client: &Client,
    metadata: &Metadata,
    fields: &[(&str, &str)],
) -> Result<(Option<String>, String), Refused> {
    let takes = |method: &str| match &metadata.auth_methods {
        Some(methods) => methods.iter().any(|one| one == method),
        // Discovery 1.0, section 3.
        None => method == "client_secret_basic",
    };
    if takes("client_secret_basic") {
        // RFC 6749, appendix B: both parts are encoded before they are joined.
        let encode = |text: &str| form::encode(&[("", text)]).split_off(1);
        let pair = [encode(&client.id), encode(&client.secret)].join(":");
        let header = ["Basic ", &STANDARD.encode(pair)].concat();
        return Ok((Some(header), form::encode(fields)));
    }
    if !takes("client_secret_post") {
        return Err(Code::DiscoveryInvalid.into());
    }
    let secret = [("client_id", client.id.as_str()), ("client_secret", &client.secret)];
    Ok((None, form::encode(&[fields, &secret].concat())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings;

    #[test]
    fn secret_goes_into_the_header_or_the_form() {
        let settings = settings();
        let client = &settings.clients()[0];
        let methods = |methods: &[&str]| Metadata {
            auth_methods: Some(methods.iter().map(|&one| one.to_owned()).collect()),
            ..Metadata::default()
        };
        let both = methods(&["client_secret_post", "client_secret_basic"]);
        for metadata in [Metadata::default(), both] {
            let (header, form) = authenticate(client, &metadata, &[("code", "c 1")]).unwrap();
            assert_eq!(
                header.unwrap(),
                format!("Basic {}", STANDARD.encode("client-1:s3cret%2B%2F%3A%25"))
            );
            assert_eq!(form, "code=c+1");
        }
        let (header, form) =
            authenticate(client, &methods(&["client_secret_post"]), &[("code", "c")]).unwrap();
        assert_eq!(header, None);
        assert_eq!(form, "code=c&client_id=client-1&client_secret=s3cret%2B%2F%3A%25");
        assert!(authenticate(client, &methods(&["private_key_jwt"]), &[]).is_err());
    }
}
