/**
 * Shows children depending on whether a user is signed in.
 *
 * @packageDocumentation
 */

import { Fragment, type ReactElement, type ReactNode } from "react";
import type { RegisteredClaims, User } from "../types.js";
import { useProvided, useSnapshot } from "./provider.js";

/** Props of {@link SignedIn}. */
export interface SignedInProps<Claims = RegisteredClaims> {
  /** The children: a node, or a function of the user. */
  readonly children?: ReactNode | ((user: User<Claims>) => ReactNode);
}

/**
 * Shows its children if a user is signed in; for another user they are mounted again.
 *
 * ```tsx
 * <SignedIn>{(user) => <p>Hello, {user.givenName}</p>}</SignedIn>
 * ```
 */
export function SignedIn<Claims = RegisteredClaims>({
  children,
}: SignedInProps<Claims>): ReactElement | null {
  const { user } = useSnapshot(useProvided().client);
  if (!user) return null;
  const shown = typeof children === "function" ? children(user as User<Claims>) : children;
  return <Fragment key={user.id}>{shown}</Fragment>;
}

/** Props of {@link SignedOut}. */
export interface SignedOutProps {
  readonly children?: ReactNode;
}

/** Shows its children if it is known that no user is signed in, also after an error. */
export function SignedOut({ children }: SignedOutProps): ReactElement | null {
  const { status } = useSnapshot(useProvided().client);
  // biome-ignore lint/complexity/noUselessFragments: a component of React 18 returns an element
  return status === "signed-out" || status === "error" ? <>{children}</> : null;
}
