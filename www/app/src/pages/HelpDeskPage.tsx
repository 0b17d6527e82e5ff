/** For the school's help desk: can users sign in here, on this device and in this network? */

import { useSyncExternalStore } from "react";
import { CheckList } from "../components/CheckList";
import { CopyButton } from "../components/CopyButton";
import { LastFailure } from "../components/LastFailure";
import { PageTitle } from "../components/PageTitle";
import { Progress } from "../components/Progress";
import { getEvents, subscribeToEvents } from "../session/eventLog";
import { reportText, verdictOf } from "../session/helpDeskReport";
import { useDiagnosis } from "../session/useDiagnosis";

/** Needs no user to be signed in: it is for the day when no user can. */
export function HelpDeskPage() {
  const { diagnosis, running, run } = useDiagnosis();
  const events = useSyncExternalStore(subscribeToEvents, getEvents);
  const failure = events.findLast(({ code }) => code !== undefined);

  return (
    <>
      <title>Help desk – Reading Room</title>
      <PageTitle>Help desk</PageTitle>
      <p className="lead">
        What signing in needs on this device and in this network. Nothing here is about a person, so
        that it may be sent to anybody who can help.
      </p>
      <p role="status" className="verdict">
        {running ? "Checking…" : diagnosis && verdictOf(diagnosis)}
      </p>
      {running && !diagnosis && <Progress text="This takes a few seconds." />}
      {diagnosis && (
        <>
          <div className="actions">
            <button
              type="button"
              className="button"
              aria-disabled={running}
              onClick={running ? undefined : run}
            >
              Check again
            </button>
            <CopyButton label="Copy as text" text={() => reportText(diagnosis, failure)} />
          </div>
          <h2>What was checked</h2>
          <CheckList checks={diagnosis.checks} />
        </>
      )}
      <LastFailure failure={failure} />
    </>
  );
}
