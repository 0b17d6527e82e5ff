//! The exchange of an authorization code for a session.

use super::operation::Context;
use super::tokens::{Grant, TokenRequestContext};
use crate::browser::storage::UndeliveredSignOut;
use crate::error::Error;
use crate::protocol::id_token::IssuedFor;
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;
use crate::session::{Cookie, Event, Session, SessionId};

impl Context {
    /// Sends the code and validates the response.
    pub(super) async fn exchange(
        &self,
        pending: &PendingLogin,
        code: &Secret,
    ) -> Result<Box<Session>, Error> {
        let session_id = pending.verifier.session_id();
        let id = SessionId(self.driver.stores.intern(&session_id));
        if self.attempt.call.is_some() {
            let marks = UndeliveredSignOut::all(self.config.channel());
            self.attempt.older_sign_outs.replace(marks);
            let registration = self.driver.stores.registration(&self.config);
            let operation = self.attempt.operation;
            self.driver.dispatch(Event::Exchanging { operation, registration, id });
        }
        let provider = &pending.provider();
        // Beside the token request, not after it. A failure here is tried again when the keys are needed.
        let keys = self.request_keys(provider, false);
        let grant = Grant::Code { pending, code, session_id: &session_id };
        let received = self.request_tokens(grant).await?.ok_or_else(super::closed_error)?;
        let is_provisional =
            self.config.gateway().is_some() && received.tokens.session_id.is_some();
        let requested = TokenRequestContext {
            provider,
            issued_for: IssuedFor::Login(&pending.verifier.nonce()),
            max_age: pending.max_age(),
            scope: pending.scope(),
        };
        let mut session = self.validate_token_response(&requested, received, keys).await?;
        // The page derives it from the verifier, whether or not the gateway knows it.
        session.id = Some(id);
        if is_provisional {
            // It counts once it is named. That it is not there shows that the browser kept no cookie.
            let named = self.request_tokens(Grant::Session(Some(&session_id))).await?;
            session.cookie = if named.is_some() { Cookie::Kept } else { Cookie::Unconfirmed };
        }
        Ok(session)
    }
}
