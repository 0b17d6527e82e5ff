//! `startLogin`: makes a pending login and leaves for the provider.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use crate::browser::{clock, navigation, random, storage};
use crate::config::{Config, LoginOptions};
use crate::error::Error;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::encoding::base64url;
use crate::protocol::pending::PendingLogin;
use crate::protocol::pkce::{CodeVerifier, RANDOM_BYTES};
use crate::session::{Event, Outcome};

/// A login that is ready to leave for the provider.
pub(super) struct PreparedLogin {
    pub(super) state: String,
    pub(super) url: String,
    pub(super) pending: PendingLogin,
    pub(super) config: Config,
}

impl Driver {
    /// Leaves for the provider: `startLogin`, and the login of a launch.
    pub(super) async fn start_login(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
        is_launch: bool,
    ) -> Result<Outcome, Error> {
        attempt.emit(&self, "login.started");
        let argument = self.argument(&attempt);
        let options = if is_launch {
            self.launch_options(&argument).await?
        } else {
            LoginOptions::read(&argument)?
        };
        let login = self.prepare_login(&attempt, &options).await?;
        self.leave(&attempt, &login, false).await
    }

    /// Returns the text that the call of an operation was made with.
    pub(super) fn argument(&self, attempt: &Attempt) -> String {
        attempt.call.and_then(|call| self.host.argument(call.0)).unwrap_or_default()
    }

    /// Keeps the status that the call of an operation resolves with.
    pub(super) fn prepare_status(&self, attempt: &Attempt, status: &str) {
        if let Some(call) = attempt.call {
            self.host.prepare_status(call.0, status);
        }
    }

    /// Makes a pending login.
    pub(super) async fn prepare_login(
        &self,
        attempt: &Attempt,
        options: &LoginOptions,
    ) -> Result<Box<PreparedLogin>, Error> {
        let config = self.config(options.district()).await?;
        let return_to = match options.return_to() {
            Some(url) => navigation::same_origin_path(url)?,
            None => navigation::default_return_to(config.redirect_uri(), config.base_path()),
        };
        let provider = self.providers.get(attempt, &config).await?;
        self.ensure_open()?;

        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        let scope = options.scope().unwrap_or_else(|| config.scope());
        let max_age = options.max_age();
        let verifier = CodeVerifier::from_random(&random::bytes()?);
        let pending = PendingLogin::new(
            verifier,
            clock::now_whole_secs(),
            &provider,
            &[
                ("client_id", Some(config.client_id())),
                ("redirect_uri", Some(config.redirect_uri())),
                ("issuer", Some(config.issuer())),
                ("scope", Some(&scope)),
                ("max_age", max_age.as_deref()),
                ("return_to", Some(&return_to)),
                ("app_state", options.app_state()),
                ("district", options.district()),
                ("restores", options.is_silent_restore().then_some("true")),
                ("support_code", Some(&attempt.support_code())),
            ],
        );
        let mut extra_params = options.extra_params();
        if let Some(max_age) = &max_age {
            extra_params.push(("max_age", max_age));
        }
        let request = AuthorizationRequest {
            endpoint: provider.authorization_endpoint(),
            client_id: config.client_id(),
            redirect_uri: config.redirect_uri(),
            scope: &scope,
            state: &state,
            verifier: &pending.verifier,
            extra_params: &extra_params,
        };
        let url = request.url();
        Ok(Box::new(PreparedLogin { state, url, pending, config }))
    }

    /// Stores a prepared login, and the mark of a launch that is `restarted` by it, and leaves for it; takes both back where
    /// the application's own navigation fails.
    pub(super) async fn leave(
        self: &Rc<Self>,
        attempt: &Attempt,
        login: &PreparedLogin,
        restarted: bool,
    ) -> Result<Outcome, Error> {
        storage::remove_stale_logins(clock::now_secs())?;
        storage::save_login(&login.state, &login.pending)?;
        if restarted {
            // Last: a mark without its login would take the next attempt for a loop.
            storage::save_launch_marker(
                &login.config.channel(),
                &login.state,
                clock::now_whole_secs(),
            )?;
        }
        self.dispatch(Event::Leaving { operation: attempt.operation });
        if let Err(error) = self.host.navigate(&login.url).await {
            // What can't be removed now is swept within the hour.
            let _ = storage::remove_login(&login.state);
            if restarted {
                let _ = storage::take_launch_marker(&login.config.channel());
            }
            return Err(error);
        }
        attempt.emit(self, "login.redirected");
        Ok(Outcome::Left)
    }
}
