/** A closed panel with what developers and the help desk need, and students do not. */

import { useClassLink } from "classlink-spa/react";
import { useSyncExternalStore } from "react";
import { Link } from "react-router";
import { getEvents, subscribeToEvents } from "../session/eventLog";
import { ErrorDetails } from "./ErrorDetails";

/** The check of this device, the last error, and the events since the page was loaded. */
export function DeveloperPanel() {
  const { error } = useClassLink();
  const events = useSyncExternalStore(subscribeToEvents, getEvents);
  return (
    <details className="events">
      <summary>For developers and the help desk</summary>
      <p>
        <Link to="/help-desk">Check this device</Link>
      </p>
      {error && <ErrorDetails error={error} />}
      <p>The sign-in's events since this page was loaded. None holds personal data.</p>
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
    </details>
  );
}

function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
