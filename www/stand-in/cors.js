/** Cross-origin answers (Fetch Standard, CORS protocol), for all endpoints alike. */

/** @import { IncomingMessage, ServerResponse } from "node:http" */

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, POST",
  "Access-Control-Allow-Headers": "Authorization, Content-Type, X-ClassLink-SPA",
  "Access-Control-Max-Age": "600",
};

/**
 * Adds the headers, and answers an `OPTIONS` request. Without CORS there is no header, and `OPTIONS` is a method
 * that is not allowed: a page of another origin gets nothing but a network failure.
 *
 * @param {IncomingMessage} req
 * @param {ServerResponse} res
 * @param {boolean} enabled
 * @returns {boolean} Whether the request is answered.
 */
export function answerCors(req, res, enabled) {
  if (enabled) {
    res.setHeader("Access-Control-Allow-Origin", "*");
    res.setHeader("Access-Control-Expose-Headers", "Date, WWW-Authenticate");
  }
  if (req.method !== "OPTIONS") return false;
  if (enabled) res.writeHead(204, PREFLIGHT);
  else res.writeHead(405, { Allow: "GET, POST" });
  res.end();
  return true;
}
