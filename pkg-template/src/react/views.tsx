/**
 * What the components show where an application gives nothing of its own: plain, and spoken by screen readers. Style them
 * by their class names.
 *
 * @packageDocumentation
 */

import type { ReactElement, ReactNode } from "react";
import type { ClassLinkError } from "../errors.js";
import { progressText } from "../frameworks/texts.js";
import type { Status } from "../types.js";
import { useProvided } from "./provider.js";

/** What to show on an error: the same in any case, or what a function makes of it. `retry` is for the person to press. */
export type ErrorView = ReactNode | ((error: ClassLinkError, retry: () => void) => ReactNode);

/** Something is under way. */
export function Progress({ status }: { readonly status: Status }): ReactElement {
  const { texts } = useProvided();
  return (
    <p className="classlink-progress" role="status">
      {progressText(texts, status)}
    </p>
  );
}

interface ProblemProps {
  readonly error: ClassLinkError;
  readonly retry: () => void;
  /** The application's own. */
  readonly view: ErrorView | undefined;
}

/** An error, and a way to try again. */
export function Problem({ error, retry, view }: ProblemProps): ReactElement {
  const { texts } = useProvided();
  if (view !== undefined) return <>{typeof view === "function" ? view(error, retry) : view}</>;
  return (
    <div className="classlink-error">
      <div role="alert">
        <p>{error.userMessage}</p>
        <p>
          {texts.supportCode} <code>{error.supportCode}</code>
        </p>
      </div>
      <button type="button" onClick={retry}>
        {texts.tryAgain}
      </button>
    </div>
  );
}

interface SignInPromptProps {
  readonly signIn: () => void;
  /** The application's own. */
  readonly view: ReactNode | ((signIn: () => void) => ReactNode);
}

/** Nobody is signed in, and the person decides. */
export function SignInPrompt({ signIn, view }: SignInPromptProps): ReactElement {
  const { texts } = useProvided();
  if (view !== undefined) return <>{typeof view === "function" ? view(signIn) : view}</>;
  return (
    <div className="classlink-signed-out">
      <p role="status">{texts.signedOut}</p>
      <button type="button" onClick={signIn}>
        {texts.signIn}
      </button>
    </div>
  );
}
