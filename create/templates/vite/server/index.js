import { stopOnSignal } from "classlink-spa/gateway-node";
import express from "express";
import { app } from "./app.js";

const { PORT = "5173", HOST = "localhost", VITE_CLASSLINK_ISSUER: issuer = "" } = process.env;

const POLICY = [
  "default-src 'none'",
  // WebAssembly needs 'wasm-unsafe-eval', which allows nothing else.
  "script-src 'self' 'wasm-unsafe-eval'",
  // An issuer other than ClassLink is asked for its endpoints.
  `connect-src 'self' ${issuer}`,
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

app.use((_request, response, next) => {
  response.set({ "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff" });
  next();
});
app.use(
  "/assets",
  express.static("dist/assets", { immutable: true, maxAge: "1y", fallthrough: false }),
);
app.use(express.static("dist", { index: false }));
// Every other path is the page's own.
app.get("/{*path}", (_request, response) => {
  response.set("Cache-Control", "no-cache");
  response.sendFile("index.html", { root: "dist" });
});

// At SIGTERM: finishes the sign-ins that are under way.
stopOnSignal(
  app.listen(Number(PORT), HOST, () => {
    console.log(`Listening on http://${HOST}:${PORT}`);
  }),
);
