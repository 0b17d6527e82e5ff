import { stopOnSignal, toNodeHandler } from "classlink-spa/gateway-node";
import express from "express";
import { gateway } from "./gateway.js";

const { PORT = "3000", HOST = "127.0.0.1" } = process.env;
const app = express();

app.use("/auth", toNodeHandler(gateway));

// For every route below: who is asking.
app.use(async (request, response, next) => {
  const cookie = request.get("cookie") ?? "";
  response.locals.session = await gateway.getSession({ headers: new Headers({ cookie }) });
  next();
});

app.get("/api/me", (_request, response) => {
  const { session } = response.locals;
  if (!session) return response.status(401).json({ error: "not_signed_in" });
  response.json({ id: session.user.id, role: session.user.role, expiresAt: session.expiresAt });
});

// At SIGTERM: finishes the sign-ins that are under way.
stopOnSignal(app.listen(Number(PORT), HOST));
