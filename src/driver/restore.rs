//! `restoreSession`: finds out who is signed in when a page was loaded.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::provider::request_keys;
use super::tokens::{Answered, Asked};
use crate::browser::http::RequestKind;
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{clock, navigation, storage};
use crate::config::{Config, LoginOptions};
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::Callback;
use crate::protocol::gateway::session_url;
use crate::protocol::id_token::IssuedFor;
use crate::session::Outcome;

/// The gateway's session endpoint in messages.
pub(super) const GATEWAY_SESSION: &str = "the gateway's session";

impl Driver {
    /// Finds a session again.
    pub(super) async fn restore(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        may_leave: bool,
    ) -> Result<Outcome, Error> {
        let config = self.config(None).await?;
        let state = storage::take_logout_state(&config.channel());
        if state.is_some_and(|state| self.host.strip_state(&state)) {
            // The user has just come back from signing out.
            return Ok(Outcome::NoSession);
        }
        match config.restore() {
            "gateway" => self.restore_from_gateway(&attempt, &config).await,
            // The provider's session outlives a sign-out, and would sign the same user in again.
            _ if storage::is_signed_out() => Ok(Outcome::NoSession),
            "iframe" => self.restore_by_iframe(&attempt, &config).await,
            "redirect" if may_leave => self.restore_by_redirect(&attempt, &config).await,
            _ => Ok(Outcome::NoSession),
        }
    }

    /// Asks for the session in the gateway's cookie. Sign-outs that it has not confirmed come first, also those of
    /// meanwhile.
    async fn restore_from_gateway(
        &self,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Outcome, Error> {
        let provider = &self.providers.get(attempt, config).await?;
        let marks = || UndeliveredSignOut::all(&config.channel());
        loop {
            for mark in marks() {
                self.deliver_sign_out(attempt, config, &mark).await?;
                if mark.session_id.is_none() {
                    return Ok(Outcome::NoSession);
                }
            }
            let keys = request_keys(attempt, provider, config, false);
            let answered = {
                let _lock = self.host.locked(&config.channel()).await;
                ask_gateway(attempt, config, None).await?
            };
            if !marks().is_empty() {
                continue;
            }
            let Some(answered) = answered else {
                return Ok(Outcome::NoSession);
            };
            let asked = Asked {
                attempt,
                config,
                provider,
                issued_for: IssuedFor::Session,
                max_age: None,
                scope: &config.scope(),
            };
            return self.judge(&asked, answered, keys).await.map(Outcome::Session);
        }
    }

    /// Asks the provider in a hidden iframe. That nobody is there, and that the iframe does not respond, as it does not
    /// where third-party cookies are blocked, is an answer.
    async fn restore_by_iframe(
        self: &Rc<Self>,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Outcome, Error> {
        if navigation::is_framed() {
            return Ok(Outcome::NoSession);
        }
        let options = LoginOptions::restoring(&config.scope());
        match self.login_in_child_window(attempt, &options).await {
            Ok(Some((_, session))) => Ok(Outcome::Session(session)),
            Ok(None) => Ok(Outcome::NoSession),
            Err(error) if is_nobody(error.code) => Ok(Outcome::NoSession),
            Err(error) => Err(error),
        }
    }

    /// Asks the provider by a redirect that asks nobody anything: see [`storage::can_restore_by_redirect`].
    async fn restore_by_redirect(
        self: &Rc<Self>,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Outcome, Error> {
        let page = navigation::page_url();
        let is_callback = !matches!(Callback::parse(&page), Callback::NotACallback);
        if is_callback
            || navigation::is_framed()
            || !storage::can_restore_by_redirect(&config.channel(), clock::now_secs())?
        {
            return Ok(Outcome::NoSession);
        }
        let options = LoginOptions::restoring(&config.scope());
        let login = self.prepare_login(attempt, &options).await?;
        storage::mark_restore_redirect(&config.channel())?;
        self.leave(attempt, &login, false).await
    }
}

/// Asks the gateway for the session of this id or, without it, for whichever there is; `None` if there is none.
pub(super) async fn ask_gateway(
    attempt: &Attempt,
    config: &Config,
    id: Option<&str>,
) -> Result<Option<Box<Answered>>, Error> {
    let url = session_url(config.gateway().unwrap_or_default(), config.client_id(), id);
    let sent = attempt.request(config, GATEWAY_SESSION, &url, RequestKind::Post, "no-store");
    let answer = sent.response().await?;
    if answer.status == 204 {
        return Ok(None);
    }
    Answered::read(&answer, config).map(Some)
}

/// Whether the provider's answer to `prompt=none` says that nobody is there who could be signed in without a word
/// (`OpenID` Connect Core 1.0, 3.1.2.6).
pub(super) fn is_nobody(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Provider(code) => code.requires_interaction(),
        _ => false,
    }
}
