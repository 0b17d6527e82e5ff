/** The settings that the servers beside the app read from the environment. The secrets are the gateway's alone. */

import type { ProviderMetadata } from "classlink-spa";

/** The settings of both servers. */
export interface ServerSettings {
  readonly clientId: string;
  readonly issuer: string;
  /** The app's own origin, as browsers see it. */
  readonly origin: string;
  readonly metadata: ProviderMetadata;
  /** None without a client secret. */
  readonly gateway?: GatewaySettings;
}

interface GatewaySettings {
  readonly basePath: string;
  readonly clientSecret: string;
  readonly sealingKeys: readonly string[];
  readonly redirectUris: readonly string[];
  /** Seconds. */
  readonly idleTimeout?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads it: `VITE_…` is public, for the app has it too; `CLASSLINK_…` stays on the server. What is missing of the public
 * part the app's own page says.
 */
export function readServerSettings(shared: Environment, secret: Environment): ServerSettings {
  const redirectUri = shared.VITE_REDIRECT_URI ?? "http://localhost/";
  const clientSecret = secret.CLASSLINK_CLIENT_SECRET;
  const idleTimeout = shared.VITE_IDLE_TIMEOUT;
  return {
    clientId: shared.VITE_CLIENT_ID ?? "",
    issuer: shared.VITE_ISSUER ?? "",
    origin: new URL(redirectUri).origin,
    metadata: JSON.parse(shared.VITE_METADATA || "{}"),
    ...(shared.VITE_GATEWAY &&
      clientSecret && {
        gateway: {
          basePath: shared.VITE_GATEWAY,
          clientSecret,
          sealingKeys: (secret.CLASSLINK_SEALING_KEYS ?? "").split(" "),
          redirectUris: (secret.CLASSLINK_REDIRECT_URIS ?? redirectUri).split(" "),
          ...(idleTimeout && { idleTimeout: Number(idleTimeout) }),
        },
      }),
  };
}
