/**
 * The Reading Room's own API, on an origin of its own: where a user stopped reading. It takes an access token and asks
 * ClassLink whose it is.
 *
 * An access token says whose it is, not which app it was given to: an API whose answers matter takes the gateway's
 * session (`getSession`), or the ID token, which names its audience.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { readServerSettings } from "./environment.ts";

const BOOKMARKS = [
  { title: "The Secret Garden", page: 42 },
  { title: "Treasure Island", page: 17 },
  { title: "A Field Guide to Puddles", page: 8 },
] as const;

/** Starts it beside Vite's development server, at the origin that `VITE_API` names. */
export function bookmarkApi(): Plugin {
  return {
    name: "bookmark-api",
    apply: "serve",
    configureServer({ config, httpServer }) {
      const { VITE_API: origin } = config.env;
      if (!origin || !httpServer) return;
      const { origin: app, metadata } = readServerSettings(config.env, {});
      const api = createServer((request, response) => {
        answer(request, response, app, metadata.userinfo_endpoint ?? "").catch(() =>
          send(response, 502, { error: "ClassLink can't be asked" }),
        );
      });
      api.listen(Number(new URL(origin).port), "localhost");
      httpServer.once("close", () => {
        api.close();
        api.closeAllConnections();
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  app: string,
  userInfoEndpoint: string,
): Promise<void> {
  response.setHeader("Vary", "Origin");
  if (request.headers.origin === app) {
    response.setHeader("Access-Control-Allow-Origin", app);
    response.setHeader("Access-Control-Allow-Headers", "Authorization");
  }
  if (request.method === "OPTIONS") return send(response, 204);
  if (request.method !== "GET" || request.url !== "/bookmark") return send(response, 404, {});

  const { authorization } = request.headers;
  const whose = authorization
    ? await fetch(userInfoEndpoint, { headers: { authorization }, redirect: "error" })
    : undefined;
  if (!whose?.ok) {
    response.setHeader("WWW-Authenticate", "Bearer");
    return send(response, 401, { error: "no valid access token" });
  }
  const { sub, name } = (await whose.json()) as { sub: string; name?: string };
  const bookmark = BOOKMARKS[Number(sub) % BOOKMARKS.length] ?? BOOKMARKS[0];
  send(response, 200, { reader: name, ...bookmark });
}

function send(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { "Cache-Control": "no-store", "Content-Type": "application/json" });
  response.end(body && JSON.stringify(body));
}
