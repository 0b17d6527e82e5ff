/**
 * Finds sessions in cookies, and writes them. They are sealed (AES-256-GCM), so that any instance can read them and none has
 * to remember them. Cookies that were changed, truncated, mixed or copied between registrations are not a session.
 *
 * ## Sign-outs and replacements, whatever the order of responses
 *
 * A browser sends the cookies that it has when it sends a request, and stores a response's cookies when that arrives: late,
 * or after another's. So each session has a session id, cookies of its own, and an order (milliseconds since 1970, and later
 * than every session that its sign-in saw). Of a registration's sessions the one of the highest order is the session.
 *
 * - A sign-in and a sign-out write the order below which sessions are over. A session that they ended stays ended when a
 *   late response sets its cookie again, and a late sign-in does not replace a newer one.
 * - A sign-out that names a session whose cookie has not arrived yet marks that one as ended.
 * - A page that names the session id in the token request (`POST token?session_id=…`) gets a provisional session: it
 *   counts once the page has named it in a session request, which it can when the response has arrived whole. Until then
 *   no page load finds it, and after {@link PROVISIONAL_SECS} it is over: a sign-in whose response was cut off leaves no
 *   session. For `getSession` it counts at once, so that the page's first requests are served.
 */

import type { User } from "../shared-types.js";
import {
  COOKIE_BUDGET_BYTES,
  clearCookie,
  deriveRegistrationKey,
  proofCookie,
  type RegistrationCookies,
  type RequestCookies,
  sessionTag,
} from "./cookies.js";
import type { DeviceBinding } from "./device-binding.js";
import { GatewayFailure } from "./failure.js";
import type { OpenSession, Session, SessionCodec } from "./session-codec.js";
import type { ClientSettings, Settings } from "./settings.js";
import { toUser } from "./user.js";

/** The most bytes of a sealed session. With the largest ID token, 250 bytes are left for the rest. */
const SESSION_LIMIT_BYTES = 6.5 * 1024;

/** How long a session is used without being sealed again, in seconds. */
const RESEAL_SECS = 60;

/** How long a session may be provisional, in seconds. */
const PROVISIONAL_SECS = 60;

/** A registration's sessions in one request. */
export interface FoundSessions {
  readonly cookies: RegistrationCookies;
  /** Every session that could be opened, also those that are over. */
  readonly opened: readonly OpenSession[];
  /** The current session; it may be provisional. */
  readonly newest: OpenSession | undefined;
  /** The session that would be the current one if the browser had the proof of its device. */
  readonly unproved?: OpenSession | undefined;
}

/** A session and its registration. */
export interface CurrentSession {
  readonly client: ClientSettings;
  readonly open: OpenSession;
  readonly found: FoundSessions;
}

/** Finds sessions in cookies, and writes the cookies that begin, keep and end them. */
export class Sessions {
  readonly #settings: Settings;
  readonly #codec: SessionCodec;
  readonly #devices: DeviceBinding;
  #registrations: Registrations | undefined;

  constructor(settings: Settings, codec: SessionCodec, devices: DeviceBinding) {
    this.#settings = settings;
    this.#codec = codec;
    this.#devices = devices;
  }

  /** Finds the registration whose cookie names have this key. */
  async findClient(registrationKey: string): Promise<ClientSettings | undefined> {
    const { clients } = this.#registrations ?? (await this.#indexRegistrations());
    return clients.get(registrationKey);
  }

  /** Opens a registration's sessions. */
  async find(client: ClientSettings, request: RequestCookies): Promise<FoundSessions> {
    const { keys } = this.#registrations ?? (await this.#indexRegistrations());
    return this.#findIn(client, request.registration(keys.get(client) ?? ""));
  }

  /** Finds the current session of each registration that the request has cookies of. */
  async findAll(request: RequestCookies): Promise<CurrentSession[]> {
    const { clients } = this.#registrations ?? (await this.#indexRegistrations());
    const all: CurrentSession[] = [];
    for (const cookies of request.registrations) {
      const client = clients.get(cookies.registrationKey);
      if (client) all.push(...asCurrent(client, await this.#findIn(client, cookies)));
    }
    return all;
  }

  /** Finds the current session of one registration: an array of one, or an empty one. */
  async findOne(
    client: ClientSettings | undefined,
    request: RequestCookies,
  ): Promise<CurrentSession[]> {
    return client ? asCurrent(client, await this.find(client, request)) : [];
  }

  /** Returns whether a session that is used must be sealed again. `now` is in seconds since 1970. */
  needsSeal({ session, isOutdated }: OpenSession, now: number): boolean {
    const age = now - session.lastUsedAt;
    const limit = Math.min(RESEAL_SECS, this.#settings.idleTimeoutSecs / 10);
    return isOutdated || age < 0 || age >= limit;
  }

  /** Returns the order of a new session: higher than that of every session in the request. `now` is in milliseconds since 1970. */
  nextOrder({ cookies, opened }: FoundSessions, now: number): number {
    return Math.max(now, cookies.since, ...opened.map(({ session }) => session.order + 1));
  }

  /**
   * Seals the session of a sign-in, which replaces every earlier one of its registration. If all cookies together are over
   * {@link COOKIE_BUDGET_BYTES}, it clears the oldest sessions of other registrations.
   *
   * @returns `Set-Cookie` values.
   * @throws {@link GatewayFailure} `session_too_large`, whose description names the remedy.
   */
  async sealNew(
    client: ClientSettings,
    session: Session,
    found: FoundSessions,
    request: RequestCookies,
  ): Promise<string[]> {
    const lines = [
      ...(await this.seal(client, session, found)),
      ...found.cookies.writeSince(session.order),
    ];
    if (request.sizeAfter(lines) <= COOKIE_BUDGET_BYTES) return lines;
    const { clients } = this.#registrations ?? (await this.#indexRegistrations());
    const others = request.registrations.filter(
      ({ registrationKey }) => registrationKey !== found.cookies.registrationKey,
    );
    const ages = await Promise.all(
      others.map(async (cookies) => {
        const other = clients.get(cookies.registrationKey);
        const newest = other && (await this.#findIn(other, cookies)).newest;
        return { cookies, order: newest?.session.order ?? 0 };
      }),
    );
    for (const { cookies } of ages.sort((a, b) => a.order - b.order)) {
      if (request.sizeAfter(lines) <= COOKIE_BUDGET_BYTES) break;
      lines.push(...cookies.clearAllBut(undefined));
    }
    return lines;
  }

  /**
   * Seals a session, and clears the other cookies of its registration.
   *
   * @returns `Set-Cookie` values.
   * @throws {@link GatewayFailure} `session_too_large`.
   */
  async seal(
    client: ClientSettings,
    session: Session,
    { cookies }: FoundSessions,
  ): Promise<string[]> {
    const sealed = await this.#codec.seal(client, session).catch((error: unknown) => {
      throw error instanceof RangeError ? tooLarge(undefined, session) : error;
    });
    if (sealed.length > SESSION_LIMIT_BYTES) throw tooLarge(sealed.length, session);
    const tag = tagOf(session);
    return [...cookies.writeSealed(tag, sealed), ...cookies.clearAllBut(tag)];
  }

  /** Clears sessions that are over, and keeps the current one. Returns `Set-Cookie` values. */
  clearStale({ cookies, newest, unproved }: FoundSessions): string[] {
    const kept = newest ?? unproved;
    return cookies.clearAllBut(kept && tagOf(kept.session));
  }

  /** Ends a session, and keeps a later one. Returns `Set-Cookie` values. */
  end({ cookies, opened }: FoundSessions, sessionId: string): string[] {
    const tag = sessionTag(sessionId);
    const boundTag = sessionTag(sessionId, true);
    const open = opened.find(({ session }) => session.id === sessionId);
    const proof = cookies.proofs.has(boundTag)
      ? [proofCookie(cookies.registrationKey, sessionId).name]
      : [];
    return [
      ...(open ? cookies.writeSince(open.session.order + 1) : [cookies.writeEnded(tag)]),
      ...[...cookies.chunkNames(tag), ...cookies.chunkNames(boundTag), ...proof].map(clearCookie),
    ];
  }

  /** Ends every session of the registration, also one whose sign-in is pending. Returns `Set-Cookie` values. */
  endAll(found: FoundSessions, now: number): string[] {
    return [
      ...found.cookies.writeSince(this.nextOrder(found, now)),
      ...found.cookies.clearAllBut(undefined),
    ];
  }

  /**
   * Returns when a session ends unless it is used, in seconds since 1970: at the idle limit, at the maximum age or with the ID
   * token, whichever is first.
   */
  expiry({ session, claims }: Pick<OpenSession, "session" | "claims">): number {
    const { idleTimeoutSecs, maxAgeSecs } = this.#settings;
    return Math.min(
      session.lastUsedAt + idleTimeoutSecs,
      session.createdAt + maxAgeSecs,
      claims.exp,
      session.isProvisional ? session.createdAt + PROVISIONAL_SECS : Number.POSITIVE_INFINITY,
    );
  }

  async #findIn(client: ClientSettings, cookies: RegistrationCookies): Promise<FoundSessions> {
    const opened: OpenSession[] = [];
    for (const tag of cookies.chunks.keys()) {
      const open = await this.#open(client, tag, cookies.readSealed(tag));
      if (open) opened.push(open);
    }
    const [first, ...others] = opened
      .filter((open) => this.#isValid(client, open, cookies))
      .sort((a, b) => b.session.order - a.session.order);
    if (!first) return { cookies, opened, newest: undefined };
    const copies = others.filter(({ session }) => session.id === first.session.id);
    const newest = copies.reduce(joinCopies, first);
    const isProved = await this.#devices.isProved(client, newest.session, cookies);
    return isProved
      ? { cookies, opened, newest }
      : { cookies, opened, newest: undefined, unproved: newest };
  }

  async #open(
    client: ClientSettings,
    tag: string,
    sealed: string | undefined,
  ): Promise<OpenSession | undefined> {
    if (sealed === undefined || sealed.length > SESSION_LIMIT_BYTES) return undefined;
    const open = await this.#codec.open(client, sealed);
    return open && tagOf(open.session) === tag ? open : undefined;
  }

  #isValid(client: ClientSettings, open: OpenSession, cookies: RegistrationCookies): boolean {
    const { session } = open;
    if (session.order < cookies.since || cookies.endedTags.has(sessionTag(session.id)))
      return false;
    if (this.expiry(open) <= this.#settings.now() / 1000) return false;
    if (!client.allowedTenants) return true;
    const { tenant } = userOf(open);
    return tenant !== undefined && client.allowedTenants.has(tenant.id);
  }

  async #indexRegistrations(): Promise<Registrations> {
    this.#registrations = await indexRegistrations([...this.#settings.clients.values()]);
    return this.#registrations;
  }
}

/** Returns the tag in the cookie names of a session. */
function tagOf({ id, deviceKey }: Session): string {
  return sessionTag(id, deviceKey !== undefined);
}

/**
 * Joins two copies of one session, of which one is bound to a device: a request from before the registration got its response
 * later, which set the unbound cookie again. The copy that was sealed last counts, and the session stays bound.
 */
function joinCopies(one: OpenSession, other: OpenSession): OpenSession {
  const isOtherLater = isLater(other.session, one.session);
  const later = isOtherLater ? other : one;
  const earlier = isOtherLater ? one : other;
  const { deviceKey } = earlier.session;
  if (later.session.deviceKey !== undefined || deviceKey === undefined) return later;
  return { ...later, session: { ...later.session, deviceKey }, isOutdated: true };
}

function isLater(one: Session, other: Session): boolean {
  if (one.obtainedAt !== other.obtainedAt) return one.obtainedAt > other.obtainedAt;
  return one.lastUsedAt > other.lastUsedAt;
}

function asCurrent(client: ClientSettings, found: FoundSessions): CurrentSession[] {
  return found.newest ? [{ client, open: found.newest, found }] : [];
}

/** Returns the user of a session. */
export function userOf({ session, claims }: Pick<OpenSession, "session" | "claims">): User {
  const { tenant } = session;
  return toUser({
    claims,
    ...(tenant && { myInfo: { TenantId: tenant.id, Tenant: tenant.name } }),
  });
}

/** The registrations by the keys in their cookie names, and the reverse: computed once. */
interface Registrations {
  readonly keys: ReadonlyMap<ClientSettings, string>;
  readonly clients: ReadonlyMap<string, ClientSettings>;
}

async function indexRegistrations(all: readonly ClientSettings[]): Promise<Registrations> {
  const keys = new Map<ClientSettings, string>();
  const clients = new Map<string, ClientSettings>();
  for (const client of all) {
    const key = await deriveRegistrationKey(client.clientId);
    keys.set(client, key);
    clients.set(key, client);
  }
  return { keys, clients };
}

function tooLarge(
  size: number | undefined,
  { idToken, accessToken, refreshToken }: Session,
): GatewayFailure {
  const parts = [
    { part: "ID token", length: idToken.length, remedy: "ask for fewer scopes or claims" },
    {
      part: "access token",
      length: accessToken.length,
      remedy: "ask for fewer scopes, or have the provider issue opaque access tokens",
    },
    {
      part: "refresh token",
      length: refreshToken?.length ?? 0,
      remedy: "do not ask for offline access",
    },
  ].sort((a, b) => b.length - a.length);
  const [largest] = parts;
  const amount = size === undefined ? "far more than" : `${size} bytes, more than`;
  return new GatewayFailure("session_too_large", {
    description:
      `The sealed session takes ${amount} the ${SESSION_LIMIT_BYTES} that fit into cookies. ` +
      `The largest part is the ${largest?.part} with ${largest?.length} bytes: ${largest?.remedy}.`,
  });
}
