/**
 * The members of a client that this package's components and loaders use beyond its interface.
 *
 * @packageDocumentation
 */

import type { ClassLinkError } from "./errors.js";
import type { ClassLinkEvent } from "./types.js";

/** Not part of the interface: shared by every copy of the package on a page. */
export const INTERNALS = Symbol.for("classlink-spa.internals");

/** The listeners of a client's events, beside `onEvent`. */
export type SubscribeToEvents = (listener: (event: ClassLinkEvent) => void) => () => void;

/** The members of a client under {@link INTERNALS}. */
export interface ClientInternals {
  /** Returns `basePath` of the configuration: none before a configuration function was called. */
  basePath(): string | undefined;
  /** Calls `listener` with each event; returns the function that removes it. */
  readonly onEvent: SubscribeToEvents;
  /** Puts the application's own text into an error. */
  localize(error: ClassLinkError): ClassLinkError;
}

/** A client without them is an application's own mock. */
const internalsOf = (client: object): ClientInternals | undefined =>
  (client as { [INTERNALS]?: ClientInternals })[INTERNALS];

/** Returns the folder that the application lives under. */
export const basePathOf = (client: object): string => internalsOf(client)?.basePath() ?? "/";

/** Subscribes to a client's events. */
export const subscribeToEvents = (client: object, ...[listener]: Parameters<SubscribeToEvents>) =>
  internalsOf(client)?.onEvent(listener) ?? (() => {});

/** Puts the application's own text into an error. */
export const localizeFor = (client: object, error: ClassLinkError): ClassLinkError =>
  internalsOf(client)?.localize(error) ?? error;
