/** Reads options, and collects the problems with them. */

import { decodeBase64Url } from "./encoding.js";
import { isObject, parseJson } from "./http.js";
import {
  ENDPOINTS,
  type GatewayAssertionOptions,
  type GatewayClient,
  type GatewayMetadata,
  type GatewayOptions,
  isSecureUrl,
  type OptionProblem,
  ownProperties,
} from "./options.js";
import { nodeCrypto } from "./platform.js";
import type { AssertionSettings, ClientSettings, PrivateKey } from "./settings.js";
import type { GatewayStore } from "./store.js";

const CLIENT_OPTIONS = ["clientId", "clientSecret", "redirectUris", "allowedTenants", "district"];

/** Reads one option after the other, and collects the problems with them. */
export class OptionReader {
  readonly #problems: OptionProblem[];

  constructor(problems: OptionProblem[]) {
    this.#problems = problems;
  }

  /** Adds a problem, unless the field has one. */
  refuse(field: string, problem: string): void {
    if (this.#problems.some((known) => known.field === field)) return;
    this.#problems.push({ field, problem });
  }

  /** Reads an object's own members, and refuses unknown ones. */
  object<T extends object>(field: string, value: T, known: readonly string[]): T {
    if (typeof value !== "object" || value === null) {
      this.refuse(field, "must be an object");
      return ownProperties({}) as T;
    }
    const own = this.#own(field, value);
    const unknown = Object.keys(own).find((name) => !known.includes(name));
    if (unknown !== undefined) this.refuse(field, `has no member "${unknown.slice(0, 40)}"`);
    return own;
  }

  /** Reads an object's own members; a getter or a proxy may throw. */
  #own<T extends object>(field: string, value: T): T {
    try {
      return ownProperties(value);
    } catch {
      this.refuse(field, "cannot be read: one of its getters throws");
      return ownProperties({}) as T;
    }
  }

  clients(given: readonly GatewayClient[]): Map<string, ClientSettings> {
    const clients = new Map<string, ClientSettings>();
    if (!Array.isArray(given) || given.length === 0) {
      this.refuse("clients", "must list at least one registration");
      return clients;
    }
    given.forEach((registration: GatewayClient, index) => {
      const field = `clients[${index}]`;
      const client = this.object(field, registration, CLIENT_OPTIONS);
      const clientId = this.identifier(`${field}.clientId`, client.clientId);
      if (clients.has(clientId)) {
        this.refuse(`${field}.clientId`, "is the id of an earlier registration");
      }
      const redirectUris = this.list(`${field}.redirectUris`, client.redirectUris, (value) => {
        if (!isSecureUrl(value)) {
          return "must be absolute, https or http on a loopback host, in plain characters, without a fragment";
        }
        return new URL(value).pathname.includes("//") ? "must not have // in its path" : undefined;
      });
      if (Array.isArray(client.redirectUris) && redirectUris.length === 0) {
        this.refuse(`${field}.redirectUris`, "must list at least one URI");
      }
      const tenants =
        client.allowedTenants &&
        this.list(`${field}.allowedTenants`, client.allowedTenants, (value) =>
          (typeof value === "string" && value !== "" && value === value.trim()) ||
          Number.isSafeInteger(value)
            ? undefined
            : "must be a tenant id: a string without blanks around it, or an integer",
        );
      clients.set(clientId, {
        clientId,
        clientSecret: this.secret(`${field}.clientSecret`, client.clientSecret),
        redirectUris: new Set(redirectUris),
        allowedTenants: tenants && new Set(tenants.map(String)),
        district:
          client.district === undefined
            ? undefined
            : this.identifier(`${field}.district`, client.district),
      });
    });
    return clients;
  }

  metadata(given: GatewayMetadata): GatewayMetadata {
    if (typeof given !== "object" || given === null) {
      this.refuse("metadata", "must be an object");
      return {};
    }
    const metadata = this.#own("metadata", given);
    for (const name of ENDPOINTS) {
      if (metadata[name] !== undefined && !isSecureUrl(metadata[name])) {
        this.refuse(`metadata.${name}`, "must be an https or loopback URL");
      }
    }
    for (const name of [
      "id_token_signing_alg_values_supported",
      "token_endpoint_auth_methods_supported",
    ] as const) {
      const values = metadata[name];
      if (values === undefined) continue;
      this.list(`metadata.${name}`, values, (value) =>
        typeof value === "string" ? undefined : "must be a string",
      );
    }
    const methods = metadata.token_endpoint_auth_methods_supported;
    if (
      Array.isArray(methods) &&
      !methods.some((method) => /^client_secret_(basic|post)$/.test(method))
    ) {
      this.refuse(
        "metadata.token_endpoint_auth_methods_supported",
        "must contain client_secret_basic or client_secret_post",
      );
    }
    return ownProperties(
      Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    );
  }

  keys(given: readonly string[]): Uint8Array<ArrayBuffer>[] {
    if (!Array.isArray(given) || given.length === 0) {
      this.refuse("sealingKeys", "must list at least one key");
      return [];
    }
    const seen = new Set<string>();
    return given.map((key: unknown, index) => {
      const field = `sealingKeys[${index}]`;
      // A key from a file ends with a newline.
      const bytes = typeof key === "string" ? decodeKey(key.trim()) : undefined;
      if (!bytes) this.refuse(field, "must be a base64url string");
      else if (bytes.byteLength < 32) this.refuse(field, "must hold at least 32 random bytes");
      // 32 random bytes have fewer than 16 different values once in 10^12 keys or rarer; a placeholder has few.
      else if (new Set(bytes).size < 16) this.refuse(field, "is not random");
      else if (seen.has(bytes.join())) this.refuse(field, "is the same as an earlier key");
      seen.add(bytes?.join() ?? "");
      return bytes ?? new Uint8Array();
    });
  }

  /** Reads the options of assertions; `undefined` if there are none. */
  assertions(given: GatewayAssertionOptions | undefined): AssertionSettings | undefined {
    if (given === undefined) return undefined;
    const options = this.object("assertions", given, ["issuer", "audience", "keys"]);
    if (!Array.isArray(options.keys) || options.keys.length === 0) {
      this.refuse("assertions.keys", "must list at least one private key");
    }
    const keys = Array.isArray(options.keys) ? options.keys : [];
    return {
      issuer: this.identifier("assertions.issuer", options.issuer),
      audience: this.identifier("assertions.audience", options.audience),
      keys: keys.flatMap((key: string | JsonWebKey, index: number) => {
        const read = readPrivateKey(key);
        if (!read) {
          this.refuse(
            `assertions.keys[${index}]`,
            "must be a P-256 private key: PEM that begins with BEGIN PRIVATE KEY (PKCS #8), or a JWK",
          );
        }
        return read ?? [];
      }),
    };
  }

  /** Reads the bearer token of `metrics`: empty if none is required, `undefined` if metrics are not served. */
  metrics(given: GatewayOptions["metrics"]): string | undefined {
    if (given === undefined || given === false) return undefined;
    if (given === true) return "";
    const { token } = this.object("metrics", given, ["token"]);
    return this.secret("metrics.token", token);
  }

  /** Reads the store; `undefined` if the option is absent. */
  store(given: GatewayStore | undefined): GatewayStore | undefined {
    if (given === undefined) return undefined;
    const names = ["get", "set", "setIfAbsent", "delete", "increment"] as const;
    if (
      typeof given !== "object" ||
      given === null ||
      !names.every((name) => typeof given[name] === "function")
    ) {
      this.refuse("store", `must have the functions ${names.join(", ")}`);
      return undefined;
    }
    return given;
  }

  basePath(path: string): string {
    const bare = path === "/" ? "" : path;
    if (typeof path !== "string" || !/^(\/[\w.~-]+)*$/.test(bare)) {
      this.refuse("basePath", "must be a path such as /auth, without a final slash");
    }
    return bare;
  }

  /** Reads a positive number, or `false` as `Infinity` if `canBeFalse`. */
  positive(field: string, value: number | false, canBeFalse = false): number {
    if (value === false && canBeFalse) return Number.POSITIVE_INFINITY;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    this.refuse(field, `must be a positive number${canBeFalse ? " or false" : ""}`);
    return 1000;
  }

  /** Reads a boolean. */
  flag(field: string, value: boolean | undefined, defaultValue: boolean): boolean {
    if (value !== undefined && typeof value !== "boolean") {
      this.refuse(field, "must be true or false");
    }
    return value ?? defaultValue;
  }

  /** Reads an id. It is compared exactly, so blanks around it are refused. */
  identifier(field: string, value: unknown): string {
    if (typeof value !== "string" || value === "") {
      this.refuse(field, "must be a string and not empty");
    } else if (value !== value.trim()) {
      this.refuse(field, "must not begin or end with blanks or newlines");
    }
    return String(value);
  }

  /** Reads a secret, without the newline that a file ends with. */
  secret(field: string, value: unknown): string {
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    this.refuse(field, "must be a string and not empty");
    return "";
  }

  callable<T extends (...args: never[]) => unknown>(
    field: string,
    value: T | undefined,
  ): T | undefined {
    if (value === undefined || typeof value === "function") return value;
    this.refuse(field, "must be a function");
    return undefined;
  }

  list<T>(
    field: string,
    values: readonly T[],
    findProblem: (value: T) => string | undefined,
  ): readonly T[] {
    if (!Array.isArray(values)) {
      this.refuse(field, "must be an array");
      return [];
    }
    values.forEach((value: T, index) => {
      const problem = findProblem(value);
      if (problem) this.refuse(`${field}[${index}]`, problem);
    });
    return values;
  }
}

/** Decodes either base64 alphabet, with or without padding: `openssl` writes one, Node the other. */
function decodeKey(key: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w+/-]+={0,2}$/.test(key)) return undefined;
  try {
    return decodeBase64Url(key.replace(/[+/]/g, (c) => (c === "+" ? "-" : "_")).replace(/=+$/, ""));
  } catch {
    return undefined;
  }
}

/** Reads a private key: the bytes of PKCS #8 in PEM (RFC 7468), or a JWK, which may be text. */
function readPrivateKey(given: unknown): PrivateKey | undefined {
  if (typeof given === "object" && given !== null) return readJwk(given);
  if (typeof given !== "string") return undefined;
  if (given.trimStart().startsWith("{")) return readJwk(parseJson(given));
  // An environment variable may have \n for its newlines.
  const text = given.replaceAll("\\n", "\n");
  const [, base64] =
    /^\s*-----BEGIN PRIVATE KEY-----\s+([\w+/=\s]+)-----END PRIVATE KEY-----\s*$/.exec(text) ?? [];
  const bytes = base64 === undefined ? undefined : decodeKey(base64.replace(/\s/g, ""));
  return bytes && isP256(bytes) ? bytes : undefined;
}

/** Returns whether a private key is on the curve P-256; `true` if only asynchronous APIs could find out. */
function isP256(pkcs8: Uint8Array): boolean {
  if (!nodeCrypto) return true;
  try {
    const key = Buffer.from(pkcs8);
    const { asymmetricKeyDetails } = nodeCrypto.createPrivateKey({
      key,
      format: "der",
      type: "pkcs8",
    });
    return asymmetricKeyDetails?.namedCurve === "prime256v1";
  } catch {
    return false;
  }
}

function readJwk(jwk: unknown): JsonWebKey | undefined {
  if (!isObject(jwk)) return undefined;
  const { kty, crv, x, y, d } = jwk;
  const isComplete = [x, y, d].every((one) => typeof one === "string" && /^[\w-]{43}$/.test(one));
  return kty === "EC" && crv === "P-256" && isComplete ? (jwk as JsonWebKey) : undefined;
}
