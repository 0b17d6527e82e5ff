/** Authenticates the client at the token and revocation endpoints (RFC 6749, 2.3.1). */

import { GatewayFailure } from "./failure.js";
import type { GatewayMetadata } from "./options.js";
import type { ClientSettings } from "./settings.js";

/**
 * Adds the client secret to the form, or returns the header with it.
 *
 * @throws {@link GatewayFailure} `discovery_invalid` if the provider supports neither method.
 */
export function authenticate(
  client: ClientSettings,
  metadata: GatewayMetadata,
  form: URLSearchParams,
): Record<string, string> {
  const methods = metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  if (methods.includes("client_secret_basic")) {
    const pair = `${formEncode(client.clientId)}:${formEncode(client.clientSecret)}`;
    return { Authorization: `Basic ${btoa(pair)}` };
  }
  if (!methods.includes("client_secret_post")) throw new GatewayFailure("discovery_invalid");
  form.set("client_id", client.clientId);
  form.set("client_secret", client.clientSecret);
  return {};
}

/** Encodes the client id or the secret before they are joined (RFC 6749, appendix B). */
function formEncode(value: string): string {
  return new URLSearchParams([["", value]]).toString().slice(1);
}
