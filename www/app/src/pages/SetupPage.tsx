/** Shown instead of the app while its configuration is missing or wrong. */

/** For the developer who started the app: names each problem and the command that sets everything. */
export function SetupPage({ problems }: { readonly problems: readonly string[] }) {
  return (
    <main>
      <title>Not configured – Reading Room</title>
      <h1>The Reading Room isn’t configured</h1>
      <p className="lead">
        Run <code>npm run demo</code> at the root of the repository: it starts a ClassLink stand-in
        and this app, with every setting in place.
      </p>
      <h2>What is wrong</h2>
      <ul role="alert">
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </main>
  );
}
