/** Counts down to the end of the session, from the moment that the client warns of it. */

import { useClassLink } from "classlink-spa/react";
import { useEffect, useState } from "react";
import { getEvents, subscribeToEvents } from "./eventLog";

/** The countdown. */
export interface Expiry {
  /** Whole seconds; `null` while the session isn't about to end. */
  readonly remaining: number | null;
  /** Puts the end off. */
  readonly stay: () => void;
}

/** There is one for the whole app. */
export function useExpiry(): Expiry {
  const { client, status } = useClassLink();
  const [end, setEnd] = useState<number | null>(null);
  const [now, setNow] = useState(0);

  useEffect(
    () =>
      subscribeToEvents(() => {
        const event = getEvents().at(-1);
        if (event?.type !== "session.expiring") return;
        setNow(performance.now());
        setEnd(performance.now() + (event.durationMs ?? 0));
      }),
    [],
  );

  useEffect(() => {
    if (end === null) return;
    const timer = setInterval(() => {
      setNow(performance.now());
      // When time is up and the session lives, a user was active in another tab.
      if (performance.now() > end) setEnd(null);
    }, 500);
    return () => clearInterval(timer);
  }, [end]);

  const isExpiring = end !== null && status === "signed-in";
  return {
    remaining: isExpiring ? Math.max(0, Math.ceil((end - now) / 1000)) : null,
    stay: () => {
      client.stayActive();
      setEnd(null);
    },
  };
}
