/**
 * Keeps the client's snapshot, and calls its listeners.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";
import { setLoginMark } from "../login-mark.js";
import type {
  ClassLinkConfig,
  HandedOver,
  Redirecting,
  SignedIn,
  Snapshot,
  User,
} from "../types.js";

/** The result of `handleCallback`. */
export type Result = SignedIn | Redirecting | HandedOver;

/** The client's snapshot and its listeners. */
export interface SnapshotStore {
  get(): Snapshot;
  /** Replaces the snapshot if something has changed, and calls the listeners. */
  publish(next: Snapshot): void;
  /** Freezes a copy of a result, which has the user object of the snapshot if the users are equal. */
  freezeResult<T extends Result>(result: T): T;
  /** Returns the user object of the snapshot if it is equal, otherwise `user`, frozen. */
  reuseUser<T extends User | null>(user: T): T;
  /**
   * Calls `listener` after each change; returns the function that removes it.
   *
   * @throws `ClassLinkError` `config_invalid` if it is not a function.
   */
  subscribe(listener: () => void): () => void;
  removeListeners(): void;
}

const emptySnapshot = (status: Snapshot["status"]): Snapshot =>
  Object.freeze({ status, user: null, scope: Object.freeze([]), error: null });

/** The snapshot before anything is known, and always on a server. */
const LOADING = emptySnapshot("loading");
/** The snapshot after a sign-out. */
export const SIGNED_OUT = emptySnapshot("signed-out");

/** Freezes a value and everything in it. */
export function deepFreeze<T>(value: T): T {
  // `Object.isFrozen` is true of a value that is not an object.
  if (!Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value as object)) deepFreeze(member);
  }
  return value;
}

/** Returns a copy without the members that are `undefined`. */
export const withoutUndefined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Calls the application's function as the platform calls listeners: an exception is reported, and stops nothing. */
export function reportErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    // Node, which has pages under test runners, has no reportError.
    (globalThis.reportError ?? console.error)(error);
  }
}

/** The callbacks of a store. */
export interface SnapshotStoreOptions {
  /** Called with each new snapshot before the listeners see it. */
  readonly beforeChange?: (next: Snapshot) => void;
  /** `onUserChange` of the configuration. */
  readonly onUserChange: ClassLinkConfig["onUserChange"];
  /** The first snapshot. Default: nothing is known. */
  readonly initial?: Snapshot;
}

/** Returns the user of a snapshot: `null` if no user is signed in, `undefined` if that is not known. */
const knownUser = ({ status, user }: Snapshot): User | null | undefined =>
  status === "signed-in" || status === "signed-out" ? user : undefined;

/** Creates a store. */
export function createSnapshotStore({
  beforeChange,
  onUserChange,
  initial = LOADING,
}: SnapshotStoreOptions): SnapshotStore {
  let snapshot = initial;
  let lastUser = knownUser(initial);
  const listeners = new Set<{ readonly listener: () => void }>();

  const reuseUser = <T extends User | null>(user: T): T =>
    isEqual(user, snapshot.user) ? (snapshot.user as T) : deepFreeze(user);

  function replace(next: Snapshot, beforeListeners?: () => void): void {
    beforeChange?.(next);
    snapshot = Object.freeze(next);
    if (beforeListeners) reportErrors(beforeListeners);
    for (const { listener } of [...listeners]) reportErrors(listener);
  }

  return {
    get: () => snapshot,
    publish({ status, user, scope, error }) {
      const next = {
        status,
        user: reuseUser(user),
        scope: isEqual(scope, snapshot.scope) ? snapshot.scope : Object.freeze([...scope]),
        error,
      };
      if (Object.entries(next).every(([key, value]) => value === snapshot[key as keyof Snapshot])) {
        return;
      }
      const previous = lastUser;
      // After an error a user is signed out only if there was one: what is unknown stays so.
      const known = status === "error" && previous ? null : knownUser(next);
      if (known !== undefined) lastUser = known;
      if (known) setLoginMark(null);
      else if (known === null && previous) setLoginMark("signed-out");
      if (known === undefined || previous === undefined || known?.id === previous?.id) {
        return replace(next);
      }
      const reportChange = () => onUserChange?.(known, previous);
      if (!known) return replace(next, reportChange);
      // One user's data must not show while the application is told of the next: the core has published that no user is
      // known (`start_session` in `src/session/machine.rs`), the client of `classlink-spa/testing` has not.
      const between = snapshot.user ? { ...LOADING } : snapshot;
      if (between === snapshot) reportErrors(reportChange);
      else replace(between, reportChange);
      // The application may have closed the client meanwhile.
      if (snapshot === between) replace(next);
    },
    freezeResult: (result) =>
      Object.freeze("user" in result ? { ...result, user: reuseUser(result.user) } : result),
    reuseUser,
    subscribe(listener) {
      if (typeof listener !== "function") {
        throw new ClassLinkError({
          code: "config_invalid",
          message: "subscribe needs a function.",
        });
      }
      const entry = { listener };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    removeListeners: () => listeners.clear(),
  };
}
