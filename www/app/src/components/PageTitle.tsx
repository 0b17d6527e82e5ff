/** A page's heading and title. */

import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

/** How the router names the entry that the browser itself loaded. */
const FIRST_ENTRY = "default";

interface Props {
  readonly children: ReactNode;
  /** Whether the page has changed under the user's hands, so that what had the focus is gone. */
  readonly takesFocus?: boolean;
}

/** Takes the focus when the page comes by the app's own navigation, as a page load would. */
export function PageTitle({ children, takesFocus = false }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { key } = useLocation();

  useEffect(() => {
    if (takesFocus || key !== FIRST_ENTRY) heading.current?.focus();
  }, [key, takesFocus]);

  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
