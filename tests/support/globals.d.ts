/** The members that pages of tests add to `window`, for the functions of tests that run in them. */

import type {
  ClassLinkClient,
  ClassLinkError,
  ClassLinkEvent,
  SignedIn,
  Snapshot,
} from "classlink-spa";
import type { TestClient } from "classlink-spa/testing";

declare global {
  interface Window {
    /** The application's client. */
    client: ClassLinkClient;
    /** Its events so far, oldest first. */
    events: ClassLinkEvent[];
    /** The URL that the client would have gone to (`interceptNavigation`). */
    left: string;
    /** The callback page's answer (`autoHandleCallback`). */
    handled: ReturnType<ClassLinkClient["handleCallback"]>;
    /** A popup's sign-in. */
    signedIn: Promise<SignedIn>;
    /** The snapshots since `recordSnapshots`. */
    seen: Snapshot[];

    // What single tests keep:
    /** Another client of the same page. */
    another: () => ClassLinkClient;
    /** The snapshot of a page as the back/forward cache restored it. */
    atOnce: Snapshot;
    /** Whether the back/forward cache restored the page. */
    cached: boolean;
    failed: ClassLinkError;
    /** The page's URL at each `fetch`. */
    fetchedAt: string[];
    /** Ends a failure of the storage. */
    heal: () => void;
    /** Values that the page's memory must hold, for tests that search it. */
    kept: unknown;
    /** The WebAssembly module's. */
    memory: WebAssembly.Memory;
    outstanding: Promise<unknown>[];
    popup: Window;
    /** Hears what `BroadcastChannel`s send. */
    posted: (text: string) => void;
    restored: ReturnType<ClassLinkClient["restoreSession"]>;
    /** The framework's root, and what its page is to do. */
    root: import("react-dom/client").Root;
    scenario: import("../frameworks/support.mjs").Scenario;
    routerErrors: string[];
    shown: string[];
    stoodStill: boolean;
    /** Reports to the test (`exposeFunction`). */
    tell: (text: string) => void;
    /** Collects whatever scripts of the page can reach: `exposure/attacker-script.mjs`. */
    attackerScript: {
      found: (secrets: [what: string, value: string][]) => Record<string, string[]>;
    } & Record<string, unknown>;
    /** Visits the provider's pages and returns the callback URL. */
    visit: (url: string) => Promise<string>;
    /** Where the framework's page went after its sign-in. */
    went: { to: string; result: SignedIn }[];
    /** The arguments of a wrapped `fetch`. */
    wrapped: [method: string | undefined, url: string][];
  }
  /** The client of the frameworks' pages. */
  var client: TestClient;
  /** The states with which the frameworks' pages rendered, oldest first. */
  var seen: { status: string; sameFunctions: boolean; refs: boolean }[];
  /** The Vue page's application, and how many followers of its client there are. */
  var app: import("vue").App;
  var following: number;
  /** Navigates in the frameworks' pages. */
  var go: (path: string) => void;
}
