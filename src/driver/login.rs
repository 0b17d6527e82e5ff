//! `startLogin`: makes a pending login and leaves for the provider.

use super::operation::Context;
use crate::browser::{clock, navigation, random, storage};
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::encoding::base64url;
use crate::protocol::metadata::ProviderMetadata;
use crate::protocol::pending::PendingLogin;
use crate::protocol::pkce::{CodeVerifier, RANDOM_BYTES};
use crate::session::{Event, Outcome};

/// A login that is ready to leave for the provider.
pub(super) struct PreparedLogin {
    pub(super) state: String,
    pub(super) url: String,
    pub(super) pending: PendingLogin,
}

impl Context {
    /// Makes a pending login.
    pub(super) async fn prepare_login(
        &self,
        options: &LoginOptions,
    ) -> Result<Box<PreparedLogin>, Error> {
        let return_to = match options.return_to() {
            Some(url) => navigation::same_origin_path(url)?,
            None => {
                navigation::default_return_to(self.config.redirect_uri(), self.config.base_path())
            }
        };
        let provider = self.provider().await?;
        self.driver.ensure_open()?;
        self.make_login(options, &return_to, &provider)
    }

    #[inline(never)]
    fn make_login(
        &self,
        options: &LoginOptions,
        return_to: &str,
        provider: &ProviderMetadata,
    ) -> Result<Box<PreparedLogin>, Error> {
        let config = &self.config;
        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        let scope = options.scope().unwrap_or_else(|| config.scope().to_owned());
        let max_age = options.max_age();
        let verifier = CodeVerifier::from_random(&random::bytes()?);
        let pending = PendingLogin::new(
            verifier,
            clock::now_whole_secs(),
            provider,
            &[
                ("client_id", Some(config.client_id())),
                ("redirect_uri", Some(config.redirect_uri())),
                ("issuer", Some(config.issuer())),
                ("scope", Some(&scope)),
                ("max_age", max_age.as_deref()),
                ("return_to", Some(return_to)),
                ("app_state", options.app_state()),
                ("district", options.district()),
                ("restores", options.is_silent_restore().then_some("true")),
                ("support_code", Some(&self.attempt.support_code())),
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
        Ok(Box::new(PreparedLogin { state, url, pending }))
    }

    /// Stores a pending login and leaves the page for it; removes it if the application's own navigation fails.
    pub(super) async fn leave(
        self,
        options: LoginOptions,
        restarts_launch: bool,
    ) -> Result<Outcome, Error> {
        let login = self.prepare_login(&options).await?;
        if self.attempt.cancel_signal().aborted() {
            let message = "a sign-out came before the page was left";
            return Err(Error::new(ErrorCode::NotSignedIn, message));
        }
        let registration = self.config.channel();
        store_login(registration, &login, restarts_launch)?;
        self.driver.dispatch(Event::Leaving { operation: self.attempt.operation });
        if let Err(error) = self.driver.host.navigate(&login.url).await {
            // A login that cannot be removed now is removed when it is stale.
            let _ = storage::remove_login(&login.state);
            if restarts_launch {
                let _ = storage::take_launch_marker(registration);
            }
            return Err(error);
        }
        self.emit("login.redirected");
        Ok(Outcome::Left)
    }
}

#[inline(never)]
fn store_login(
    registration: &str,
    login: &PreparedLogin,
    restarts_launch: bool,
) -> Result<(), Error> {
    if login.pending.is_silent_restore() {
        storage::mark_restore_redirect(registration)?;
    }
    storage::remove_stale_logins(clock::now_secs())?;
    storage::save_login(&login.state, &login.pending)?;
    if restarts_launch {
        // Last: a marker without its login would take the next attempt for a loop.
        storage::save_launch_marker(registration, &login.state, clock::now_whole_secs())?;
    }
    Ok(())
}
