/**
 * Renders the default views of the components: plain, accessible HTML, with class names for the optional stylesheet
 * `classlink-spa/styles.css` or an application's own.
 *
 * @packageDocumentation
 */

import { type ReactElement, type ReactNode, useEffect, useRef } from "react";
import { localizeFor } from "../client-internals.js";
import type { ClassLinkError } from "../errors.js";
import { errorTexts, progressText } from "../frameworks/texts.js";
import type { Status } from "../types.js";
import { useProvided } from "./provider.js";

/** The view of an error: a node, or a function of the error. Call `retry` if the user asks for it. */
export type ErrorView = ReactNode | ((error: ClassLinkError, retry: () => void) => ReactNode);

/** Renders a line that says what is under way. */
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
  /** Goes on as the user who is still signed in, if any. */
  readonly goOn?: (() => void) | undefined;
  /** The application's start page; `undefined` if this is it. */
  readonly home: string | undefined;
  /** `"h1"` if the error is all that the page shows. */
  readonly heading: "h1" | "h2";
  /** The application's view, in place of the default one. */
  readonly view: ErrorView | undefined;
}

/** Renders an error, a way to try again and a way out. */
export function Problem({ view, ...props }: ProblemProps): ReactElement {
  if (view === undefined) return <ProblemView {...props} />;
  return <>{typeof view === "function" ? view(props.error, props.retry) : view}</>;
}

function ProblemView({
  error,
  retry,
  goOn,
  home,
  heading: Heading,
}: Omit<ProblemProps, "view">): ReactElement {
  const { client, texts } = useProvided();
  const { title, retry: retryText, supportCode } = errorTexts(texts, error);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="classlink-error">
      <Heading ref={heading} className="classlink-title" tabIndex={-1}>
        {title}
      </Heading>
      <div className="classlink-message" role="alert">
        <p>{localizeFor(client, error).userMessage}</p>
        {supportCode && (
          <p className="classlink-support">
            {texts.supportCode} <code className="classlink-support-code">{supportCode}</code>
          </p>
        )}
      </div>
      <p className="classlink-actions">
        <button type="button" className="classlink-button" onClick={retry}>
          {retryText}
        </button>
        {goOn && (
          <button type="button" className="classlink-button classlink-secondary" onClick={goOn}>
            {texts.goOn}
          </button>
        )}
        {home !== undefined && (
          <a className="classlink-home" href={home}>
            {texts.home}
          </a>
        )}
      </p>
    </div>
  );
}

interface SignInPromptProps {
  readonly signIn: () => void;
  /** The application's view, in place of the default one. */
  readonly view: ReactNode | ((signIn: () => void) => ReactNode);
}

/** Renders the button for whose click the page waits if no user is signed in. */
export function SignInPrompt({ signIn, view }: SignInPromptProps): ReactElement {
  const { texts } = useProvided();
  if (view !== undefined) return <>{typeof view === "function" ? view(signIn) : view}</>;
  return (
    <div className="classlink-signed-out">
      <p role="status">{texts.signedOut}</p>
      <p className="classlink-actions">
        <button type="button" className="classlink-button" onClick={signIn}>
          {texts.signIn}
        </button>
      </p>
    </div>
  );
}
