/** The button that leaves for ClassLink. */

interface Props {
  readonly leaving: boolean;
  readonly onClick: () => void;
  readonly label?: string;
}

/** Keeps its name and the focus while the page is being left. */
export function SignInButton({ leaving, onClick, label = "Sign in with ClassLink" }: Props) {
  return (
    <button
      type="button"
      className="button"
      aria-disabled={leaving}
      onClick={leaving ? undefined : onClick}
    >
      {label}
    </button>
  );
}
