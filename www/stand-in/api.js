/** Serves the second origin, ClassLink's `nodeapi.classlink.com`. */

import { allClaims, claimsForScopes, myInfo } from "./claims.js";
import { handleCors } from "./cors.js";
import { sendJson } from "./http.js";
import { API_PATHS } from "./paths.js";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Parts } from "./index.js" */

/**
 * Creates the handler of the second origin.
 *
 * @param {any} provider
 * @param {Parts} parts
 * @returns {(req: IncomingMessage, res: ServerResponse) => Promise<void>}
 */
export function createApi(provider, { settings, people, faults }) {
  return async (req, res) => {
    const path = pathOf(req);
    if (!Object.values(API_PATHS).includes(path)) {
      return sendJson(res, 404, { message: "Not found" });
    }
    if (handleCors(req, res, settings.cors)) return;
    if (await faults.apply(path, res)) return;
    res.setHeader("Cache-Control", "no-store");
    if (req.method !== "GET") return sendJson(res, 405, { message: "Method not allowed" });

    const bearer = /^Bearer ([\w.~+/-]+=*)$/i.exec(req.headers.authorization ?? "")?.[1];
    const token = bearer && (await provider.AccessToken.find(bearer));
    const person = token && !token.isExpired ? people.find(token.accountId) : undefined;
    if (!person) return sendJson(res, 401, { message: "Invalid or expired token" });

    const { account, district } = person;
    if (path === API_PATHS.userInfo) {
      const claims = allClaims(account, district, settings.tenantClaims);
      return sendJson(res, 200, claimsForScopes(claims, token.scopes));
    }
    if (settings.myInfoError !== undefined) {
      return sendJson(res, 200, { status: settings.myInfoError, message: "Something went wrong" });
    }
    return sendJson(res, 200, myInfo(account, district));
  };
}

/** @param {IncomingMessage} req */
function pathOf(req) {
  return new URL(req.url ?? "/", "http://stand-in.invalid").pathname;
}
