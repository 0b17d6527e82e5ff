/** How a server stops without cutting off a sign-in. */

import type { Server, ServerResponse } from "node:http";
import type { Http2Server, Http2Session } from "node:http2";

/** How a server stops. */
export interface StopOptions {
  /** The signals that stop it. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Milliseconds after which what is still under way is cut off. Default 20000. */
  readonly timeout?: number;
  /** Called then. Default: the process ends. */
  readonly onStopped?: () => void;
}

/**
 * Stops a server at SIGTERM, as containers and process managers send it: it takes no further connection, finishes what is
 * under way (an exchange that is cut off costs a sign-in), and then ends the process. Call it before the first request.
 *
 * @returns Stops the server, as the signal does.
 */
export function stopOnSignal(
  server: Server | Http2Server,
  { signals = ["SIGTERM", "SIGINT"], timeout = 20_000, onStopped = process.exit }: StopOptions = {},
): () => void {
  const http1 = "closeIdleConnections" in server ? server : undefined;
  const underWay = new Set<ServerResponse>();
  const sessions = new Set<{ close(): void; destroy(): void }>();
  let isStopping = false;
  // Else a connection that is kept alive would wait for its next request.
  const endConnection = (response: ServerResponse) => {
    if (http1 && !response.headersSent) response.setHeader("Connection", "close");
  };
  server.on("request", (_: unknown, response: ServerResponse) => {
    underWay.add(response);
    response.once("close", () => {
      underWay.delete(response);
      if (isStopping) http1?.closeIdleConnections();
    });
    if (isStopping) endConnection(response);
  });
  server.on("session", (session: Http2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    for (const signal of signals) process.removeListener(signal, stop);
    const late = setTimeout(() => {
      http1?.closeAllConnections();
      for (const session of sessions) session.destroy();
    }, timeout);
    server.close(() => {
      clearTimeout(late);
      onStopped();
    });
    for (const response of underWay) endConnection(response);
    for (const session of sessions) session.close();
    http1?.closeIdleConnections();
  };
  for (const signal of signals) process.on(signal, stop);
  return stop;
}
