/** A page's heading and title. */

import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

/** How the router names the entry that the browser itself loaded. */
const FIRST_ENTRY = "default";

/** Takes the focus when the page comes by the app's own navigation, as a page load would. */
export function PageTitle({ children }: { readonly children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { key } = useLocation();

  useEffect(() => {
    if (key !== FIRST_ENTRY) heading.current?.focus();
  }, [key]);

  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
