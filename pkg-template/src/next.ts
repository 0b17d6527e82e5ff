/**
 * The gateway in Next.js 14 and newer: its handlers, and the session of a server component and of `proxy.ts`.
 *
 * ```ts
 * // lib/classlink.ts
 * import { createNextGateway } from "classlink-spa/next";
 *
 * export const { handlers, getSession } = createNextGateway(() => ({
 *   clients: [{ clientId, clientSecret: process.env.CLASSLINK_CLIENT_SECRET, redirectUris }],
 *   sealingKeys: process.env.SEALING_KEYS.split(" "),
 * }));
 *
 * // app/auth/[...path]/route.ts
 * export const { GET, POST, DELETE, OPTIONS } = handlers;
 *
 * // a server component, a server action or a route handler
 * const session = await getSession();
 *
 * // proxy.ts
 * const session = await getSession(request);
 * ```
 *
 * @packageDocumentation
 */

import {
  createGateway,
  type Gateway,
  type GatewayOptions,
  type GatewaySession,
  type SessionRequest,
} from "./gateway.js";

export type { GatewayOptions, GatewaySession, SessionRequest, User } from "./gateway.js";

/** The handler of one method of a route. */
export type NextRouteHandler = (request: Request) => Promise<Response>;

/** The gateway of a Next.js application. Its functions keep working when taken off it. */
export interface NextGateway {
  /** The exports of `app/auth/[...path]/route.ts`. */
  readonly handlers: Readonly<Record<"GET" | "POST" | "DELETE" | "OPTIONS", NextRouteHandler>>;
  /**
   * Returns the user who is asking, `null` if no user is signed in. Without `request`, for server components, server
   * actions and route handlers, it reads `next/headers`, which makes the route dynamic; `proxy.ts` passes its request. With
   * Cache Components a component that calls it is inside a `Suspense`.
   *
   * The session's cookie is `SameSite=Strict`: a navigation that another site begins, such as a LaunchPad tile, comes
   * without it. So `null` means "not known here": render the page without personal data, and let the client decide.
   */
  readonly getSession: (
    request?: SessionRequest,
    options?: { readonly clientId?: string },
  ) => Promise<GatewaySession | null>;
  /** The gateway itself, created at the first request. */
  readonly gateway: () => Gateway;
}

/**
 * Creates the gateway of a Next.js application at its first request: `next build` imports every route, and needs no secrets.
 *
 * @param options a function if reading them fails without the secrets
 */
export function createNextGateway(options: GatewayOptions | (() => GatewayOptions)): NextGateway {
  let created: Gateway | undefined;
  const gateway = (): Gateway => {
    created ??= createGateway(typeof options === "function" ? options() : options);
    return created;
  };
  const handle: NextRouteHandler = async (request) => gateway().handle(request);
  return Object.freeze({
    handlers: Object.freeze({ GET: handle, POST: handle, DELETE: handle, OPTIONS: handle }),
    async getSession(request, sessionOptions) {
      if (request) return gateway().getSession(request, sessionOptions);
      const [{ headers }, { connection }] = await Promise.all([
        import("next/headers.js"),
        import("next/server.js"),
      ]);
      // With Cache Components a clock must not be read while a page is prerendered. Next.js 14 has no such function.
      await connection?.();
      return gateway().getSession({ headers: await headers() }, sessionOptions);
    },
    gateway,
  } satisfies NextGateway);
}
