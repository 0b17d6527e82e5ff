/** Shows that a sign-in is under way. */

interface Props {
  readonly text: string;
  /** Appears after a moment only, so that a short wait doesn't flicker. */
  readonly late?: boolean;
}

/** For the eyes; {@link Announcer} speaks. */
export function Progress({ text, late = false }: Props) {
  return (
    <div className={late ? "progress late" : "progress"}>
      <p>{text}</p>
      <div className="progress-bar" aria-hidden="true" />
    </div>
  );
}
