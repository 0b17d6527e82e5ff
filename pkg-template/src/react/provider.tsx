/**
 * Gives components the client and its state.
 *
 * @packageDocumentation
 */

import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { requireClient } from "../frameworks/given-client.js";
import { loginGate } from "../frameworks/login-gate.js";
import { sessionExpiry } from "../frameworks/session-expiry.js";
import {
  type ClassLinkMethods,
  type ClassLinkState,
  describe,
  SERVER_SNAPSHOT,
} from "../frameworks/state.js";
import { ENGLISH_TEXTS, type Texts } from "../frameworks/texts.js";
import type { ClassLinkClient, RegisteredAppState, RegisteredClaims, Snapshot } from "../types.js";

/** The provider's context value, for the components of this package. */
interface Provided {
  readonly client: ClassLinkClient;
  readonly texts: Texts;
  /** How many users have gone, by a sign-out or for another user. */
  readonly departures: number;
}

const Context = createContext<Provided | null>(null);

/** Props of {@link ClassLinkProvider}. */
export interface ClassLinkProviderProps<AppState = unknown, Claims = Record<string, unknown>> {
  /** The application's one client: made once, outside of components. */
  readonly client: ClassLinkClient<AppState, Claims>;
  /** Other texts for the components. They may change with the page's language. Default: English. */
  readonly texts?: Partial<Texts>;
  readonly children?: ReactNode;
}

/**
 * Gives the client to everything inside it. It neither makes nor closes a client.
 *
 * @throws `ClassLinkError` `config_invalid` without a client.
 */
export function ClassLinkProvider<AppState = unknown, Claims = Record<string, unknown>>({
  client: given,
  texts,
  children,
}: ClassLinkProviderProps<AppState, Claims>): ReactElement {
  requireClient(given, "ClassLinkProvider");
  const client = given as unknown as ClassLinkClient;
  useEffect(() => {
    const stops = [loginGate(client).watch(), sessionExpiry(client).watch()];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client]);
  const departures = useDepartures(client);
  const provided = useMemo(
    () => ({ client, texts: { ...ENGLISH_TEXTS, ...texts }, departures }),
    [client, texts, departures],
  );
  return <Context.Provider value={provided}>{children}</Context.Provider>;
}

/**
 * Counts the users who have gone. A hidden `Activity`, such as a route that Next.js keeps, has no subscriptions: only a
 * change of context has it rendered again, without the user who has gone.
 */
function useDepartures(client: ClassLinkClient): number {
  const [departures, setDepartures] = useState(0);
  useEffect(() => {
    let previous = client.getSnapshot().user?.id;
    return client.subscribe(() => {
      const current = client.getSnapshot().user?.id;
      if (previous !== undefined && current !== previous) setDepartures((count) => count + 1);
      previous = current;
    });
  }, [client]);
  return departures;
}

/** Returns the context value of the nearest provider. */
export function useProvided(): Provided {
  const provided = useContext(Context);
  if (!provided) {
    throw new Error(
      "classlink-spa/react needs a <ClassLinkProvider client={client}> around what uses it.",
    );
  }
  return provided;
}

const getServerSnapshot = (): Snapshot<never> => SERVER_SNAPSHOT;

/** Returns the client's state: `"loading"` on a server and while hydrating. */
export function useSnapshot(client: ClassLinkClient): Snapshot {
  return useSyncExternalStore<Snapshot>(client.subscribe, client.getSnapshot, getServerSnapshot);
}

/** The result of {@link useClassLink}. */
export type UseClassLink<
  AppState = RegisteredAppState,
  Claims = RegisteredClaims,
> = ClassLinkState<Claims> & ClassLinkMethods<AppState, Claims>;

/**
 * Returns the client's state and its methods. The component renders again when the state changes; until then the result is
 * the same object. The functions stay the same for as long as the client does.
 *
 * ```tsx
 * const { user, isLoading, startLogin } = useClassLink();
 * if (isLoading) return <Spinner />;
 * return user ? <p>Hello {user.givenName}</p> : <button onClick={() => startLogin()}>Sign in</button>;
 * ```
 *
 * @throws Error without a {@link ClassLinkProvider} around it.
 */
export function useClassLink<
  AppState = RegisteredAppState,
  Claims = RegisteredClaims,
>(): UseClassLink<AppState, Claims> {
  const { client } = useProvided();
  const snapshot = useSnapshot(client);
  return useMemo(() => {
    const { startLogin, logout, getAccessToken, fetch } = client;
    const methods = { startLogin, logout, getAccessToken, fetch, client };
    return { ...describe(snapshot), ...methods } as unknown as UseClassLink<AppState, Claims>;
  }, [client, snapshot]);
}
