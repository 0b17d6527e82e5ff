//! `startLogin`: makes a pending login and leaves for the provider.

use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::{Client, State};
use crate::browser::{clock, navigation, random, storage};
use crate::config::LoginOptions;
use crate::error::Error;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::encoding::base64url;
use crate::protocol::pending::PendingLogin;
use crate::protocol::pkce::{CodeVerifier, RANDOM_BYTES};

/// A login that is stored and ready to leave for the provider.
pub(super) struct PreparedLogin {
    pub(super) state: String,
    url: String,
}

impl Client {
    /// Leaves for the provider.
    ///
    /// # Errors
    /// The application's error: see `startLogin` in `types.ts`.
    pub async fn start_login(&self, options: &str) -> Result<(), JsValue> {
        let attempt = Attempt::new(self);
        attempt.emit(self, "login.started");
        let begun = async {
            let options = LoginOptions::read(options)?;
            let login = self.prepare_login(&attempt, options).await?;
            self.leave(&attempt, &login).await
        };
        begun.await.map_err(|error: Error| attempt.failed(self, &error))
    }

    /// Makes and stores a pending login.
    pub(super) async fn prepare_login(
        &self,
        attempt: &Attempt,
        options: LoginOptions,
    ) -> Result<PreparedLogin, Error> {
        let config = self.config(options.district.as_deref()).await?;
        let return_to = match &options.return_to {
            Some(url) => navigation::same_origin_path(url)?,
            None => navigation::default_return_to(&config.redirect_uri),
        };
        let provider = self.providers.get(&config).await?;
        self.require_open()?;

        let state = base64url(random::bytes::<RANDOM_BYTES>()?);
        let pending = PendingLogin {
            verifier: CodeVerifier::from_random(&random::bytes()?),
            client_id: config.client_id,
            redirect_uri: config.redirect_uri,
            issuer: config.issuer,
            issuer_promised: provider.issuer_promised,
            endpoints: provider.endpoints,
            algorithms: provider.algorithms,
            scope: options.scope.unwrap_or(config.scope).join(" "),
            max_age: options.wishes.max_age,
            return_to,
            app_state: options.app_state,
            district: options.district,
            created_at: clock::now_seconds(),
            support_code: attempt.support_code.clone(),
        };
        let request = AuthorizationRequest {
            endpoint: &provider.authorization_endpoint,
            client_id: &pending.client_id,
            redirect_uri: &pending.redirect_uri,
            scope: &pending.scope,
            state: &state,
            verifier: &pending.verifier,
            wishes: &options.wishes,
        };
        let url = request.url();
        storage::sweep_logins(clock::now())?;
        storage::save_login(&state, &pending)?;
        Ok(PreparedLogin { state, url })
    }

    /// Leaves for a prepared login; takes it back where the application's own navigation fails.
    pub(super) async fn leave(
        &self,
        attempt: &Attempt,
        login: &PreparedLogin,
    ) -> Result<(), Error> {
        let signed_in = self.session();
        self.enter(State::Redirecting);
        if let Err(error) = self.host.navigate(&login.url).await {
            // What can't be removed now is swept within the hour.
            let _ = storage::remove_login(&login.state);
            self.enter(signed_in.map_or(State::SignedOut, State::SignedIn));
            return Err(error);
        }
        attempt.emit(self, "login.redirected");
        Ok(())
    }
}
