/**
 * An application with the native gateway server: this program is the proxy in front of both. `/auth/` goes to the server, and
 * `/api/me` is answered when the server's `/auth/verify` says who is asking, as nginx, Caddy and Traefik do it.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { pipeline } from "node:stream/promises";
import { deferred } from "../support/deferred.mjs";
import { NATIVE_GATEWAY } from "../support/native-gateway.mjs";

const { PORT, HOST, ...env } = process.env;

const gateway = spawn(NATIVE_GATEWAY, ["serve"], {
  env: { ...env, LISTEN: "127.0.0.1:0" },
  stdio: ["ignore", "inherit", "pipe"],
});
const listening = deferred();
let said = "";
gateway.stderr.setEncoding("utf8").on("data", (text) => {
  said += text;
  process.stderr.write(text);
  const [, found] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
  if (found) listening.resolve(found);
});
const port = await listening.promise;

/** Asks the gateway. */
async function ask(options, body) {
  const outgoing = forward({ host: "127.0.0.1", port, ...options });
  if (body) await pipeline(body, outgoing);
  else outgoing.end();
  const [response] = await once(outgoing, "response");
  return response;
}

const server = createServer(async (incoming, outgoing) => {
  const { method, url = "/", headers } = incoming;
  const [path] = url.split("?");
  if (path?.startsWith("/auth/")) {
    const response = await ask({ method, path: url, headers }, incoming);
    outgoing.writeHead(response.statusCode, response.rawHeaders);
    return pipeline(response, outgoing);
  }
  if (path !== "/api/me") return outgoing.writeHead(404).end();
  const verified = await ask({ path: "/auth/verify", headers: { cookie: headers.cookie ?? "" } });
  verified.resume();
  const isSignedIn = verified.statusCode === 204;
  const header = (name) => verified.headers[`x-classlink-${name}`];
  outgoing.writeHead(isSignedIn ? 200 : 401, { "Content-Type": "application/json" });
  outgoing.end(
    JSON.stringify(
      isSignedIn
        ? {
            id: decodeURIComponent(String(header("user"))),
            role: header("role"),
            expiresAt: Number(header("session-expires")),
          }
        : { error: "not_signed_in" },
    ),
  );
});
server.listen(Number(PORT), HOST);

process.once("SIGTERM", () => {
  server.close();
  gateway.kill("SIGTERM");
  gateway.once("close", () => process.exit());
});
