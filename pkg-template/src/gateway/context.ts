/** The context in which a gateway's handlers run, and their responses. */

import type { AssertionSigner } from "./assertions.js";
import type { DeviceBinding } from "./device-binding.js";
import { GatewayFailure } from "./failure.js";
import type { LogWriter, RequestLog } from "./log-writer.js";
import type { Provider } from "./provider.js";
import type { RefreshCoordinator } from "./renewal.js";
import type { GatewayRequest } from "./request.js";
import type { Revocations } from "./revocation.js";
import type { Sessions } from "./session.js";
import type { ClientSettings, Settings } from "./settings.js";

/** The parts of one gateway. Everything that is kept between two requests is in them; no request depends on it. */
export interface GatewayContext {
  readonly settings: Settings;
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly renewals: RefreshCoordinator;
  readonly revocations: Revocations;
  readonly devices: DeviceBinding;
  /** Absent unless the configuration has keys for them. */
  readonly assertions: AssertionSigner | undefined;
  readonly logWriter: LogWriter;
}

/** A response before it becomes a `Response`. */
export interface GatewayResponse {
  readonly status: number;
  /** JSON text; absent for an empty response. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Set-Cookie` values. */
  readonly cookies?: readonly string[];
}

/**
 * Counts a request that is about to reach the provider.
 *
 * @throws {@link GatewayFailure} `rate_limited`
 */
export type CountUpstream = () => Promise<void>;

/** A handler, for one method of one path. */
export type Handler = (
  request: GatewayRequest,
  gateway: GatewayContext,
  entry: RequestLog,
  countUpstream: CountUpstream,
) => Promise<GatewayResponse>;

/**
 * Finds the registration that a request names.
 *
 * @throws {@link GatewayFailure} `request_invalid` unless there is exactly one id, `unknown_client`
 */
export function findClient(
  settings: Settings,
  parameters: URLSearchParams,
  entry: RequestLog,
): ClientSettings {
  const [clientId, ...more] = parameters.getAll("client_id");
  if (!clientId || more.length > 0) throw new GatewayFailure("request_invalid");
  const client = settings.clients.get(clientId);
  if (!client) throw new GatewayFailure("unknown_client");
  if (client.district !== undefined) entry.district = client.district;
  return client;
}
