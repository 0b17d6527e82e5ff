//! The exchange of a code for a session.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::provider::request_keys;
use super::restore::ask_gateway;
use super::tokens::{Answered, Asked};
use crate::browser::http::RequestKind;
use crate::browser::storage::UndeliveredSignOut;
use crate::config::Config;
use crate::error::Error;
use crate::protocol::id_token::IssuedFor;
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;
use crate::protocol::token::authorization_code_grant;
use crate::session::{Cookie, Event, Session, SessionId};

impl Driver {
    /// Sends the code and judges what comes back.
    pub(super) async fn exchange(
        self: &Rc<Self>,
        attempt: &Attempt,
        pending: &PendingLogin,
        config: &Config,
        code: &Secret,
    ) -> Result<Box<Session>, Error> {
        let name = pending.verifier.session_id();
        let id = SessionId(self.stores.intern(&name));
        let registration = self.stores.registration(config);
        if attempt.call.is_some() {
            let marks = UndeliveredSignOut::all(&config.channel());
            attempt.older_sign_outs.replace(marks.into_iter().map(|mark| mark.key).collect());
            self.dispatch(Event::Exchanging { operation: attempt.operation, registration, id });
        }
        let provider = &pending.provider();
        // Beside the token request, not after it. A failure here is tried again when the keys are needed.
        let keys = request_keys(attempt, provider, config, false);
        // Requests that set or clear the gateway's cookie stand in one queue.
        let _lock = match config.gateway() {
            Some(_) => Some(self.host.locked(&config.channel()).await),
            None => None,
        };
        let named = match config.gateway() {
            Some(_) => ["?session_id=", &name].concat(),
            None => String::new(),
        };
        let url = [provider.token_endpoint(), &named].concat();
        let kind = RequestKind::PostForm(&authorization_code_grant(pending, code));
        let sent = attempt.request(config, "the token endpoint", &url, kind, "no-store");
        let answered = Answered::read(&*sent.response().await?, config)?;
        let is_provisional = registration.has_gateway && answered.tokens.session_id.is_some();
        let asked = Asked {
            attempt,
            config,
            provider,
            issued_for: IssuedFor::Login(&pending.verifier.nonce()),
            max_age: pending.max_age(),
            scope: pending.scope(),
        };
        let mut session = self.judge(&asked, answered, keys).await?;
        // The page knows it from the verifier, whether or not the gateway does.
        session.id = Some(id);
        if is_provisional {
            // It counts once it is named. That it is not there shows that the browser kept no cookie.
            let is_kept = ask_gateway(attempt, config, Some(&name)).await?.is_some();
            session.cookie = if is_kept { Cookie::Kept } else { Cookie::Unconfirmed };
        }
        Ok(session)
    }
}
