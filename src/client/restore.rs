//! `restoreSession`: who is signed in when a page has been loaded anew.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::exchange::{Answered, Asked};
use super::provider::request_keys;
use super::session::Session;
use super::{Client, State, UnderWay};
use crate::browser::http::{Request, RequestKind};
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::task::await_promise;
use crate::browser::{clock, navigation, storage};
use crate::config::{Config, LoginOptions};
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::Callback;
use crate::protocol::gateway::session_url;
use crate::protocol::id_token::IssuedFor;

impl Client {
    /// `restoreSession`: one restore for all who ask, after a sign-in that is under way. `may_leave` says whether this page
    /// may be left for it.
    pub fn restoring(self: &Rc<Self>, may_leave: bool) -> Promise {
        let under_way = self.under_way.borrow().clone();
        if let Some(UnderWay { promise, restores: true }) = under_way {
            return promise;
        }
        let client = self.clone();
        let restored = self.run(Box::pin(async move {
            if let Some(sign_in) = under_way {
                // How it ended its own caller hears.
                let _ = await_promise(sign_in.promise).await;
            }
            client.restore(may_leave).await
        }));
        self.wait_for(&restored, true);
        restored
    }

    /// Finds a session again.
    ///
    /// # Errors
    /// The application's error: see `restoreSession` in `types.ts`.
    async fn restore(self: &Rc<Self>, may_leave: bool) -> Result<JsValue, JsValue> {
        let restored = self.find_and_begin(may_leave).await;
        self.under_way.borrow_mut().take_if(|under_way| under_way.restores);
        restored.map(|()| self.user())
    }

    async fn find_and_begin(self: &Rc<Self>, may_leave: bool) -> Result<(), JsValue> {
        if self.live_session().is_none() {
            let attempt = Attempt::new(self);
            let sign_outs = self.sign_outs.get();
            let was_unknown = self.restore_failed.replace(false);
            let found = loop {
                let sign_ins = self.sign_ins_elsewhere.get();
                let found = self.find_session(&attempt, may_leave).await;
                if sign_ins == self.sign_ins_elsewhere.get() {
                    break found;
                }
            };
            // A sign-in or a sign-out that came between is newer than what was found.
            let is_current = sign_outs == self.sign_outs.get()
                && matches!(
                    *self.state.borrow(),
                    State::Loading | State::SignedOut | State::Error(_)
                );
            match found {
                Ok(Some(session)) if is_current => {
                    self.begin(session);
                    attempt.emit(self, "session.restored");
                }
                Ok(None) if was_unknown || matches!(*self.state.borrow(), State::Loading) => {
                    if is_current {
                        self.enter(State::SignedOut);
                    }
                }
                Err(error) => {
                    let error = attempt.not_renewed(self, &error);
                    if is_current {
                        self.restore_failed.set(true);
                        self.enter(State::Error(error.clone()));
                    }
                    return Err(error);
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    async fn find_session(
        self: &Rc<Self>,
        attempt: &Attempt,
        may_leave: bool,
    ) -> Result<Option<Rc<Session>>, Error> {
        let config = self.config(None).await?;
        if storage::take_logout_state().is_some_and(|state| self.host.strip_state(&state)) {
            // The person has just come back from signing out.
            return Ok(None);
        }
        match config.restore() {
            "gateway" => self.gateway_session(attempt, &config).await,
            // The provider's session outlives a sign-out, and would sign the same user in again.
            _ if storage::is_signed_out() => Ok(None),
            "iframe" => self.framed_session(attempt, &config).await,
            "redirect" if may_leave => self.redirect_once(attempt, &config).await,
            _ => Ok(None),
        }
    }

    /// The session in the gateway's cookie. A sign-out that it has not heard of comes first.
    async fn gateway_session(
        &self,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Option<Rc<Session>>, Error> {
        if UndeliveredSignOut::of(config.client_id()).is_set() {
            self.end_gateway_session(config, &attempt.support_code).await?;
            return Ok(None);
        }
        let provider = &self.providers.get(config).await?;
        let keys = request_keys(attempt, provider, config, false);
        let Some(answered) = ask_gateway(attempt, config).await? else {
            return Ok(None);
        };
        let asked = Asked {
            attempt,
            config,
            provider,
            issued_for: IssuedFor::Session,
            max_age: None,
            scope: &config.scope(),
        };
        self.judge(&asked, answered, keys).await.map(Some)
    }

    /// Asks the provider in a hidden frame. That nobody is there, and that the frame stays silent, as it does where
    /// third-party cookies are blocked, is an answer.
    async fn framed_session(
        self: &Rc<Self>,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Option<Rc<Session>>, Error> {
        if navigation::is_framed() {
            return Ok(None);
        }
        let options = LoginOptions::restoring(&config.scope());
        match self.login_aside(attempt, &options, &JsValue::UNDEFINED).await {
            Ok(found) => Ok(found.map(|(_, session)| session)),
            Err(error) if is_nobody(error.code) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks the provider by a redirect that asks nobody anything: see [`storage::can_restore_by_redirect`].
    async fn redirect_once(
        &self,
        attempt: &Attempt,
        config: &Config,
    ) -> Result<Option<Rc<Session>>, Error> {
        let page = navigation::page_url();
        let is_callback = !matches!(Callback::parse(&page), Callback::NotACallback);
        if is_callback
            || navigation::is_framed()
            || !storage::can_restore_by_redirect(clock::now_secs())?
        {
            return Ok(None);
        }
        let options = LoginOptions::restoring(&config.scope());
        let login = self.prepare_login(attempt, &options).await?;
        storage::mark_restore_redirect()?;
        self.leave(attempt, &login, false).await?;
        Ok(None)
    }
}

/// Asks the gateway for its session; `None` where there is none.
pub(super) async fn ask_gateway(
    attempt: &Attempt,
    config: &Config,
) -> Result<Option<Answered>, Error> {
    let gateway = config.gateway().unwrap_or_default();
    let request = Request {
        endpoint_name: "the gateway's session",
        url: &session_url(gateway, config.client_id()),
        kind: RequestKind::Post,
        cache: "no-store",
        timeout_ms: config.timeout_ms,
        support_code: attempt.at_gateway(config),
    };
    let answer = request.send().await?;
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
