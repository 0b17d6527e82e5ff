/**
 * Describes the client's state for components.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "../errors.js";
import type { ClassLinkClient, Snapshot, Status, User } from "../types.js";

/** The state, told apart by `status`, or by `isSignedIn`: TypeScript then knows that there is a user. */
export type ClassLinkState<Claims = Record<string, unknown>> = {
  /** The scope that was granted; empty if no user is signed in. */
  readonly scope: readonly string[];
} & (
  | {
      readonly status: "signed-in";
      readonly user: User<Claims>;
      readonly error: null;
      readonly isSignedIn: true;
      readonly isLoading: false;
    }
  | ({ readonly user: null; readonly isSignedIn: false } & (
      | {
          readonly status: "loading" | "redirecting" | "signing-in";
          readonly error: null;
          /** Whether to wait: it is not known yet who is signed in, or the page is about to be left. */
          readonly isLoading: true;
        }
      | { readonly status: "signed-out"; readonly error: null; readonly isLoading: false }
      | { readonly status: "error"; readonly error: ClassLinkError; readonly isLoading: false }
    ))
);

/** The client, and those of its methods that components call most. Each stays the same function. */
export type ClassLinkMethods<AppState = unknown, Claims = Record<string, unknown>> = Pick<
  ClassLinkClient<AppState, Claims>,
  "startLogin" | "logout" | "getAccessToken" | "fetch"
> & { readonly client: ClassLinkClient<AppState, Claims> };

/** `T` in a place from which TypeScript does not infer it: `NoInfer`, for compilers before 5.4. */
export type Fixed<T> = [T][T extends unknown ? 0 : never];

/** The snapshot that a server renders, and a browser until it has hydrated the page. */
export const SERVER_SNAPSHOT: Snapshot<never> = Object.freeze({
  status: "loading",
  user: null,
  scope: Object.freeze([]),
  error: null,
});

/** Returns whether there is nothing to show yet. */
export function isLoading(status: Status): boolean {
  return status === "loading" || status === "redirecting" || status === "signing-in";
}

/** Adds `isSignedIn` and `isLoading` to a snapshot. */
export function describe<Claims>(snapshot: Snapshot<Claims>): ClassLinkState<Claims> {
  return {
    ...snapshot,
    isSignedIn: snapshot.status === "signed-in",
    isLoading: isLoading(snapshot.status),
  } as ClassLinkState<Claims>;
}
