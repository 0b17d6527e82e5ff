/** The "What happened" panel: the client's events, for developers. */

import { useSyncExternalStore } from "react";
import { getEvents, subscribeToEvents } from "../session/eventLog";

/** Events since the page was loaded; leaving for ClassLink and coming back starts the list again. */
export function EventPanel() {
  const events = useSyncExternalStore(subscribeToEvents, getEvents);
  return (
    <section className="events" aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      <p>
        For developers: the sign-in's events since this page was loaded. None holds personal data.
      </p>
      {events.length === 0 ? (
        <p className="absent">Nothing yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Event</th>
              <th scope="col">Support code</th>
            </tr>
          </thead>
          <tbody>
            {events.map((event) => (
              <tr key={`${event.at} ${event.type} ${event.supportCode}`}>
                <td>
                  <time dateTime={new Date(event.at).toISOString()}>{timeOfDay(event.at)}</time>
                </td>
                <td>
                  {event.type}
                  {event.code && (
                    <span className="cause">
                      {[event.code, event.reason].filter(Boolean).join(", ")}
                    </span>
                  )}
                </td>
                <td>{event.supportCode ?? "none"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
