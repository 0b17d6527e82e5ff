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
  /** Where the person's fields come from: `id-token`, `userinfo` or `my-info`. */
  readonly VITE_PROFILE?: string;
}
