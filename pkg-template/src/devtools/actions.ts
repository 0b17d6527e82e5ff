/**
 * The panel's buttons: calls of the client, and of a test client what only a test can do.
 *
 * @packageDocumentation
 */

import type { ClassLinkClient } from "../types.js";

/** A button of the panel. */
export interface Action {
  readonly label: string;
  /** Returns or resolves with what is shown beneath the buttons. */
  readonly run: () => unknown;
}

/** The part of a test client that the panel uses: see `testing.ts`. */
interface TestClient {
  emit(event: string): void;
  setError(code: string): unknown;
  signIn(user: object): unknown;
  signOut(): void;
}

const isTestClient = (client: object): client is TestClient =>
  ["emit", "setError", "signIn", "signOut"].every(
    (name) => typeof (client as Record<string, unknown>)[name] === "function",
  );

/**
 * The buttons that act as another tab of the application: its message on the channel of the registration's tabs, whose
 * name and messages the crate defines (`src/config.rs`, `src/session/messages.rs`). The message reaches this page, too.
 */
function otherTabActions(client: ClassLinkClient): Action[] {
  const post = (message: Readonly<Record<string, string>>): string | undefined => {
    const { user } = client.getSnapshot();
    if (!user) return "No user is signed in.";
    const { iss, aud, azp } = user.claims as Partial<Record<string, string | readonly string[]>>;
    const channel = new BroadcastChannel(`classlink-spa ${iss} ${azp ?? [aud].flat()[0]}`);
    channel.postMessage(message);
    channel.close();
    return undefined;
  };
  return [
    { label: "Expire now, in every tab", run: () => post({ kind: "expired" }) },
    { label: "Act as another tab: sign out", run: () => post({ kind: "signed-out" }) },
    {
      label: "Act as another tab: another user signs in",
      run: () => post({ kind: "signed-in", user: "another user" }),
    },
  ];
}

/** Returns the buttons for a client. */
export function actionsOf(client: ClassLinkClient): Action[] {
  const actions: Action[] = [
    { label: "Sign in", run: () => client.startLogin() },
    {
      label: "Sign out",
      async run() {
        const { providerSessionMayRemain } = await client.logout();
        return providerSessionMayRemain
          ? "Signed out; the session at ClassLink may remain."
          : "Signed out.";
      },
    },
    {
      label: "Renew the access token",
      async run() {
        // More than any lives, so that a new one is asked for. What it is worth shows among the events.
        await client.getAccessToken({ minValidity: 86_400 });
        return "There is a token for a day.";
      },
    },
    {
      label: "Restore the session",
      run: async () => ((await client.restoreSession()) ? "There is a session." : "No session."),
    },
    { label: "Stay active", run: () => client.stayActive() },
    {
      label: "Diagnose",
      async run() {
        const { checks } = await client.diagnose();
        return checks.map(({ id, status, summary }) => `${id}: ${status}. ${summary}`).join("\n");
      },
    },
  ];
  if (!isTestClient(client)) return [...actions, ...otherTabActions(client)];
  const testClient: TestClient = client;
  return [
    ...actions,
    { label: "Play: the session is about to end", run: () => testClient.emit("session.expiring") },
    {
      label: "Play: the session expires now",
      run() {
        testClient.emit("session.expired");
        testClient.setError("session_expired");
      },
    },
    { label: "Play: another tab signs out", run: () => testClient.signOut() },
    {
      label: "Play: another tab signs another user in",
      run: () => void testClient.signIn({ sub: "1000002", givenName: "Robin", role: "teacher" }),
    },
  ];
}
