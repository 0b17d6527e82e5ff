/** Implements CORS (Fetch Standard, CORS protocol), for all endpoints. */

/** @import { IncomingMessage, ServerResponse } from "node:http" */

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, POST",
  "Access-Control-Allow-Headers": "Authorization, Content-Type, X-ClassLink-SPA",
  "Access-Control-Max-Age": "600",
};

/**
 * Adds the headers, and responds to an `OPTIONS` request. Without CORS there are no headers, and `OPTIONS` is not allowed: a page
 * of another origin gets a network error.
 *
 * @param {IncomingMessage} req
 * @param {ServerResponse} res
 * @param {boolean} isEnabled
 * @returns {boolean} Whether the response was sent.
 */
export function handleCors(req, res, isEnabled) {
  if (isEnabled) {
    res.setHeader("Access-Control-Allow-Origin", "*");
    res.setHeader("Access-Control-Expose-Headers", "Date, WWW-Authenticate");
  }
  if (req.method !== "OPTIONS") return false;
  if (isEnabled) res.writeHead(204, PREFLIGHT);
  else res.writeHead(405, { Allow: "GET, POST" });
  res.end();
  return true;
}
