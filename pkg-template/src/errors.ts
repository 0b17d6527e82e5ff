/**
 * The error that every rejection carries, and the name of a sign-in attempt.
 *
 * @packageDocumentation
 */

import { ENGLISH } from "./messages.js";
import type { ClassLinkErrorCode, ClassLinkErrorReason, ProviderError } from "./types.js";

/** Shared by every copy of the package on a page. */
const BRAND = Symbol.for("classlink-spa.ClassLinkError");

/** Whether `value` is a {@link ClassLinkError}, including one from another copy of the package. */
export function isClassLinkError(value: unknown): value is ClassLinkError {
  return (value as { [BRAND]?: true } | null | undefined)?.[BRAND] === true;
}

/** Crockford's base32: no letter that is easily misread aloud. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The parts of a {@link ClassLinkError}. */
export interface ClassLinkErrorInit {
  code: ClassLinkErrorCode;
  /** For developers. Default: the code. */
  message?: string;
  /** For users. Default: the English text of the code. */
  userMessage?: string;
  /** Default `false`. */
  retryable?: boolean;
  /** Default: a new one. */
  supportCode?: string;
  reason?: ClassLinkErrorReason;
  status?: number;
  clockOffset?: number;
  providerError?: ProviderError;
  /** Where the login that failed was to lead. */
  returnTo?: string;
  /** The application's own state of the login that failed. */
  appState?: unknown;
  cause?: unknown;
}

/**
 * The error that every call of this package rejects with. No message, stack, enumerable property or JSON form of it holds a token,
 * a code, a claim or the provider's own text.
 */
export class ClassLinkError extends Error {
  /** The kind of error: stable, to branch on. */
  declare readonly code: ClassLinkErrorCode;
  /** The text to show to the user, a student perhaps. */
  declare readonly userMessage: string;
  /** Whether the same call may succeed later, with nothing changed. */
  declare readonly retryable: boolean;
  /** Eight characters that name the sign-in attempt, as in events and in the gateway's log. */
  declare readonly supportCode: string;
  /** Which check failed (`id_token_invalid`, `tenant_not_allowed`). */
  declare readonly reason?: ClassLinkErrorReason;
  /** The HTTP status of the answer that was refused. */
  declare readonly status?: number;
  /** Seconds by which the device's clock is ahead of the true time (negative: behind), if it is to blame. */
  declare readonly clockOffset?: number;
  /** The provider's own words: not enumerable; not for users or logs. */
  declare readonly providerError?: ProviderError;
  /** Where the login that failed at the callback was to lead, for "Sign in again". Not enumerable. */
  declare readonly returnTo?: string;
  /** The `appState` of the login that failed at the callback. Not enumerable. */
  declare readonly appState?: unknown;

  /** `instanceof` holds for errors from another copy of the package as well, as `isClassLinkError` does. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this, and means its own instances.
    return this === ClassLinkError ? isClassLinkError(value) : super[Symbol.hasInstance](value);
  }

  static {
    Object.defineProperties(ClassLinkError.prototype, {
      name: { value: "ClassLinkError", writable: true, configurable: true },
      [BRAND]: { value: true },
    });
  }

  constructor(init: ClassLinkErrorInit) {
    super(init.message ?? init.code, init.cause === undefined ? undefined : { cause: init.cause });
    const { stack } = this;
    if (typeof stack === "string") {
      // A script inside a page is named by the address that the page was loaded from, and a callback's holds the code.
      Object.defineProperty(this, "stack", { value: stack.replace(/\?\S+/g, "?"), writable: true });
    }
    this.code = init.code;
    this.userMessage = init.userMessage ?? ENGLISH[init.code];
    this.retryable = init.retryable ?? false;
    this.supportCode = init.supportCode ?? newSupportCode();
    for (const key of ["reason", "status", "clockOffset"] as const) {
      if (init[key] != null) Object.assign(this, { [key]: init[key] });
    }
    const { providerError, returnTo, appState } = init;
    const hidden = {
      providerError: providerError && capped(providerError),
      returnTo,
      appState,
    };
    for (const [key, value] of Object.entries(hidden)) {
      if (value !== undefined) Object.defineProperty(this, key, { value });
    }
  }
}

/**
 * A name for a sign-in attempt: eight characters of Crockford's base32. It is not a secret. All zeros without Web
 * Crypto, where no sign-in works.
 */
export function newSupportCode(): string {
  const bytes = new Uint8Array(8);
  globalThis.crypto?.getRandomValues(bytes);
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}

function capped({ error, description, uri }: ProviderError): ProviderError {
  return Object.freeze({
    error: error.slice(0, 100),
    ...(description != null && { description: description.slice(0, 500) }),
    ...(uri != null && { uri: uri.slice(0, 500) }),
  });
}
