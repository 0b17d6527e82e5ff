/**
 * The gateway within Vite's development server. An application mounts the same handler in a server of its own: the
 * guide on the gateway shows how.
 */

import { createGateway } from "classlink-spa/gateway";
import { toNodeHandler } from "classlink-spa/gateway-node";
import type { Plugin } from "vite";
import { readServerSettings } from "./environment.ts";
import { logLine } from "./log.ts";

/** Answers below the gateway's base path; without a client secret in the environment there is no gateway. */
export function gateway(): Plugin {
  return {
    name: "classlink-gateway",
    apply: "serve",
    configureServer({ middlewares, config }) {
      const settings = readServerSettings(config.env, process.env);
      if (!settings.gateway) return;
      const { basePath, clientSecret, sealingKeys, redirectUris, idleTimeout } = settings.gateway;
      const { clientId, issuer, metadata } = settings;
      const handle = toNodeHandler(
        createGateway({
          issuer,
          metadata,
          basePath,
          clients: [{ clientId, clientSecret, redirectUris }],
          sealingKeys,
          ...(idleTimeout !== undefined && { session: { idleTimeout } }),
          log: (entry) => console.log(logLine(entry)),
        }),
        { origin: settings.origin },
      );
      middlewares.use(basePath, handle);
    },
  };
}
