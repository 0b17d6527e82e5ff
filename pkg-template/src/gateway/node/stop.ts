/** Stops a server without interrupting sign-ins. */

import type { Server, ServerResponse } from "node:http";
import type { Http2Server, Http2Session } from "node:http2";

/** The options of {@link stopOnSignal}. */
export interface StopOptions {
  /** The signals that stop it. Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Milliseconds after which open connections are closed. Default 20000. */
  readonly timeout?: number;
  /** Called when the server has stopped. Default: `process.exit`. */
  readonly onStopped?: () => void;
}

/**
 * Stops a server at SIGTERM, which containers and process managers send: it accepts no further connections, finishes pending
 * requests (an interrupted exchange is a failed sign-in), and then ends the process. Call it before the first request.
 *
 * @returns a function that stops the server as the signal does.
 */
export function stopOnSignal(
  server: Server | Http2Server,
  { signals = ["SIGTERM", "SIGINT"], timeout = 20_000, onStopped = process.exit }: StopOptions = {},
): () => void {
  const http1 = "closeIdleConnections" in server ? server : undefined;
  const pending = new Set<ServerResponse>();
  const sessions = new Set<{ close(): void; destroy(): void }>();
  let isStopping = false;
  // A connection that is kept alive would stay open until its next request.
  const endConnection = (response: ServerResponse) => {
    if (http1 && !response.headersSent) response.setHeader("Connection", "close");
  };
  server.on("request", (_: unknown, response: ServerResponse) => {
    pending.add(response);
    response.once("close", () => {
      pending.delete(response);
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
    const deadline = setTimeout(() => {
      http1?.closeAllConnections();
      for (const session of sessions) session.destroy();
    }, timeout);
    server.close(() => {
      clearTimeout(deadline);
      onStopped();
    });
    for (const response of pending) endConnection(response);
    for (const session of sessions) session.close();
    http1?.closeIdleConnections();
  };
  for (const signal of signals) process.on(signal, stop);
  return stop;
}
