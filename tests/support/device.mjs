/** A device whose browser binds sessions to a key (W3C, Device Bound Session Credentials), as a server sees it. */

import { generateKeyPairSync, sign } from "node:crypto";

/** @import { GatewayClient } from "./gateway.mjs" */

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A device with a key. */
export class Device {
  #pair = generateKeyPairSync("ec", { namedCurve: "P-256" });

  /** The public key, as a JWK. */
  get jwk() {
    const { kty, crv, x, y } = this.#pair.publicKey.export({ format: "jwk" });
    return { crv, kty, x, y };
  }

  /**
   * A proof that the key is there.
   *
   * @param {string} challenge
   * @param {Record<string, unknown>} [header] Further members of the JWT's header.
   */
  prove(challenge, header = {}) {
    const input = [{ alg: "ES256", typ: "dbsc+jwt", ...header }, { jti: challenge }]
      .map(encode)
      .join(".");
    const key = { key: this.#pair.privateKey, dsaEncoding: /** @type {const} */ ("ieee-p1363") };
    return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
  }

  /**
   * Answers a registration header, as the browser does.
   *
   * @param {GatewayClient} browser
   * @param {{ headers: Headers }} answer
   */
  async register(browser, { headers }) {
    const { path, challenge } = readRegistration(headers);
    const proof = this.prove(challenge, { jwk: this.jwk });
    return askDevice(browser, path, { "Secure-Session-Response": proof });
  }

  /**
   * Refreshes a session: asks for a challenge, and proves.
   *
   * @param {GatewayClient} browser
   * @param {string} path
   * @param {string} sessionId
   */
  async refresh(browser, path, sessionId) {
    const asked = await askDevice(browser, path, { "Sec-Secure-Session-Id": sessionId });
    const challenge = readChallenge(asked.headers);
    if (challenge === undefined) return asked;
    return askDevice(browser, path, {
      "Sec-Secure-Session-Id": sessionId,
      "Secure-Session-Response": this.prove(challenge),
    });
  }
}

/** Sends a request as the browser itself does, with its cookies and without the SDK's header. */
export function askDevice(browser, path, headers) {
  return browser.send("POST", path, { headers: { "X-ClassLink-SPA": null, ...headers } });
}

/** The path and the challenge of a registration header. @param {Headers} headers */
export function readRegistration(headers) {
  const header = headers.get("Secure-Session-Registration") ?? "";
  const [, path, challenge] =
    /^\(ES256\);path="([\w?=-]+)";challenge="([\w-]+)"$/.exec(header) ?? [];
  if (path === undefined) throw new Error(`No registration is offered: ${header}`);
  return { path: `/auth/${path}`, challenge };
}

/** The challenge that a refresh must answer. @param {Headers} headers */
export function readChallenge(headers) {
  return /^"([\w-]+)";id="[\w-]{43}"$/.exec(headers.get("Secure-Session-Challenge") ?? "")?.[1];
}
