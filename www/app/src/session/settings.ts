/** Reads the sign-in's configuration from the build's environment. */

import type { ClassLinkConfig, ProviderMetadata } from "classlink-spa";

/** A configuration, or what is wrong with the environment, one sentence each. */
export type Settings =
  | { readonly config: ClassLinkConfig }
  | { readonly problems: readonly string[] };

type Env = Pick<ImportMetaEnv, `VITE_${string}` & keyof ImportMetaEnv>;

const PROFILES = ["id-token", "userinfo", "my-info"] as const;
const RESTORES = ["none", "iframe", "redirect"] as const;

/** The origin of the app's own API, which gets the access token; none without one. */
export const API_ORIGIN = import.meta.env.VITE_API;

/** Where the provider sends users after a sign-out, if it has a way. */
export const POST_LOGOUT_REDIRECT_URI = import.meta.env.VITE_POST_LOGOUT_REDIRECT_URI;

/** The issuer is asked for although the client has a default: a demo shouldn't go to the live service unasked. */
export function readSettings(env: Env): Settings {
  const clientId = env.VITE_CLIENT_ID;
  const issuer = env.VITE_ISSUER;
  const redirectUri = env.VITE_REDIRECT_URI;
  const metadata = env.VITE_METADATA ? parseMetadata(env.VITE_METADATA) : undefined;
  const profile = PROFILES.find((known) => known === env.VITE_PROFILE);
  const restore = RESTORES.find((known) => known === env.VITE_RESTORE);

  const problems: string[] = [];
  if (!clientId) problems.push("VITE_CLIENT_ID is not set.");
  if (!issuer) problems.push("VITE_ISSUER is not set.");
  if (!redirectUri) problems.push("VITE_REDIRECT_URI is not set.");
  if (metadata === null) problems.push("VITE_METADATA is not a JSON object.");
  if (env.VITE_PROFILE && !profile) {
    problems.push(`VITE_PROFILE is none of ${PROFILES.join(", ")}.`);
  }
  if (env.VITE_RESTORE && !restore) {
    problems.push(`VITE_RESTORE is none of ${RESTORES.join(", ")}.`);
  }
  if (!clientId || !issuer || !redirectUri || problems.length > 0) return { problems };

  return {
    config: {
      clientId,
      issuer,
      redirectUri,
      ...(metadata && { metadata }),
      ...(env.VITE_GATEWAY && { gateway: env.VITE_GATEWAY }),
      ...(profile && { profile }),
      ...(API_ORIGIN && { apiOrigins: [API_ORIGIN] }),
      session: {
        ...(restore && { restore }),
        ...(env.VITE_IDLE_TIMEOUT && { idleTimeout: Number(env.VITE_IDLE_TIMEOUT) }),
      },
    },
  };
}

/** `null` for anything but a JSON object; the client checks the members. */
function parseMetadata(json: string): ProviderMetadata | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
