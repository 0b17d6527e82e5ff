/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** The client id of this app's registration. */
  readonly VITE_CLIENT_ID?: string;
  /** The issuer identifier. */
  readonly VITE_ISSUER?: string;
  /** The registered redirect URI: this app's `/callback`. */
  readonly VITE_REDIRECT_URI?: string;
  /** The provider's endpoints as JSON, by their discovery names; without it the issuer is discovered. */
  readonly VITE_METADATA?: string;
  /** Base URL of the back end that holds the client secret; without it the app is a public client. */
  readonly VITE_GATEWAY?: string;
  /** Where the user's fields come from: `id-token`, `userinfo` or `my-info`. */
  readonly VITE_PROFILE?: string;
  /** How a reload finds the session again if there is no gateway: `none`, `iframe` or `redirect`. */
  readonly VITE_RESTORE?: string;
  /** Seconds without activity after which users are signed out. */
  readonly VITE_IDLE_TIMEOUT?: string;
  /** The origin of the app's own API. */
  readonly VITE_API?: string;
  /** The registered URL that the provider's end of the session leads back to: this app's `/signed-out`. */
  readonly VITE_POST_LOGOUT_REDIRECT_URI?: string;
}
