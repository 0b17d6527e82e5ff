import { toNodeHandler } from "classlink-spa/gateway-node";
import express from "express";
import { gateway } from "./gateway.js";

/** The gateway and the application's own API: beside Vite in development, beside the built page in production. */
export const app = express();
app.disable("x-powered-by");

app.use("/auth", toNodeHandler(gateway));

// For every route below: who is asking.
app.use("/api", async (request, response, next) => {
  const cookie = request.get("cookie") ?? "";
  const session = await gateway.getSession({ headers: new Headers({ cookie }) });
  response.set("Cache-Control", "no-store");
  if (!session) return response.status(401).json({ error: "not_signed_in" });
  response.locals.user = session.user;
  next();
});

/** In place of a database. */
const CLASSES = {
  student: ["Biology 1", "History 1"],
  teacher: ["Biology 1", "Biology 2", "Science club"],
};

app.get("/api/classes", (_request, response) => {
  response.json(CLASSES[response.locals.user.role] ?? []);
});
