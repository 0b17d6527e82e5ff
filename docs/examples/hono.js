import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { stopOnSignal } from "classlink-spa/gateway-node";
import { Hono } from "hono";
import { gateway, me } from "./gateway.js";

const { PORT = "3000", HOST = "127.0.0.1" } = process.env;
const app = new Hono();

app.all("/auth/*", (c) => {
  const { address } = getConnInfo(c).remote;
  return gateway.handle(c.req.raw, { remoteAddress: address });
});
app.get("/api/me", (c) => me(c.req.raw));

// At SIGTERM: finishes the sign-ins that are under way.
stopOnSignal(serve({ fetch: app.fetch, port: Number(PORT), hostname: HOST }));
