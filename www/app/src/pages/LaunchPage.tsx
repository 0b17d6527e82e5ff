/**
 * Where a partner-initiated LaunchPad tile points to: no code comes with it, so the login starts here. The tile's
 * address says where in the app it leads (`target_link_uri`).
 */

import { useLayoutEffect, useRef } from "react";
import { PageTitle } from "../components/PageTitle";
import { Progress } from "../components/Progress";
import { SignInButton } from "../components/SignInButton";
import { SignInError } from "../components/SignInError";
import { useSignIn } from "../session/useSignIn";

/** Starts by itself, once; after the back button it waits for a press, so that "back" isn't a trap. */
export function LaunchPage() {
  const { launch, leaving, error } = useSignIn();
  // Outlives StrictMode's second mount.
  const started = useRef(false);

  // Before the first paint: the button below shouldn't flash up.
  useLayoutEffect(() => {
    if (started.current || cameByHistory()) return;
    started.current = true;
    void launch();
  }, [launch]);

  if (error) return <SignInError error={error} leaving={leaving} onTryAgain={launch} />;
  return (
    <>
      <title>Opening – Reading Room</title>
      <PageTitle>Opening the Reading Room</PageTitle>
      {leaving ? (
        <Progress text="Taking you to ClassLink…" />
      ) : (
        <SignInButton leaving={leaving} onClick={launch} />
      )}
    </>
  );
}

function cameByHistory(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming && entry.type === "back_forward";
}
