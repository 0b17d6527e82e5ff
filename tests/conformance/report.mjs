/**
 * The comparison as Markdown.
 *
 * @module
 */

/** @import { Seen } from "./judge.mjs" */
/** @import { Adapter, Scenario } from "./runner.mjs" */

/** @typedef {{ adapter: Adapter, seen: (Seen | undefined)[] }} Column */

/** Text that can't break a table's cell. @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|").replace(/\s+/g, " ");

/** @param {Scenario} scenario */
function expected({ expect: { code, reason, answers } }) {
  if (code) return `\`${code}\`${reason ? ` (\`${reason}\`)` : ""}`;
  return answers === undefined ? "signs in" : `\`${cell(JSON.stringify(answers))}\``;
}

/** @param {Seen | undefined} seen @param {Adapter} adapter */
function shown(seen, { ours }) {
  if (!seen) return "–";
  const { kind, right, problems } = seen;
  if (ours) return right ? `✓ ${cell(seen.text)}` : `✗ ${cell(problems.join("; "))}`;
  if (right) return "✓";
  if (kind === "hung") return "✗ hangs";
  const sent = problems.filter((problem) => /^a (code|request) /.test(problem));
  if (kind === "signed-in") return ["✗ signs in", ...sent].join("; ");
  return sent.length > 0
    ? `✗ refuses, but ${sent.join("; ")}`
    : `✗ ${cell(seen.text).slice(0, 80)}`;
}

/**
 * Writes the report.
 *
 * @param {Scenario[]} scenarios
 * @param {Column[]} columns
 */
export function report(scenarios, columns) {
  const lines = [
    "# Conformance",
    "",
    "Every scenario that a sign-in must survive, played in Chromium against a provider that misbehaves on request: with",
    "this package, and with its peers set up as their own documentation says. Written by `npm run test:conformance`; the",
    "scenarios are in `tests/conformance/scenarios/`, and `npm test` plays them with this package alone.",
    "",
    "Of a peer only the outcome is judged: whether it signs in or refuses, and that no code is sent twice or elsewhere.",
    "Its errors have their own names. `✓` is the right answer, `–` a row that does not speak of it: an option or a",
    "promise of this package alone. Some checks are left to the client by the norm, that of `at_hash` in the code flow",
    "(OpenID Connect Core 1.0, 3.1.3.8) and that of `azp` among them: a peer without them breaks no rule, but lets pass",
    "what a careful client does not.",
    "",
    "| library | version | right | rows | hangs |",
    "|---|---|---|---|---|",
  ];
  for (const { adapter, seen } of columns) {
    const played = seen.filter((one) => one !== undefined);
    const count = (test) => played.filter(test).length;
    lines.push(
      `| ${adapter.name} | ${adapter.version} | ${count((one) => one.right)} | ${played.length} | ${count((one) => one.kind === "hung")} |`,
    );
  }
  const notes = columns.filter(({ adapter }) => adapter.notes?.length);
  if (notes.length > 0) lines.push("", "## What to know of the peers", "");
  for (const { adapter } of notes) {
    lines.push(`- **${adapter.name}.** ${adapter.notes?.join(" ")}`);
  }
  const groups = [...new Set(scenarios.map(({ group }) => group))];
  for (const group of groups) {
    const names = columns.map(({ adapter }) => adapter.name);
    lines.push(
      "",
      `## ${group}`,
      "",
      `| scenario | expected | ${names.join(" | ")} |`,
      `|---|---|${"---|".repeat(names.length)}`,
    );
    scenarios.forEach((scenario, index) => {
      if (scenario.group !== group) return;
      const cells = columns.map(({ adapter, seen }) => shown(seen[index], adapter));
      lines.push(`| ${cell(scenario.name)} | ${expected(scenario)} | ${cells.join(" | ")} |`);
    });
  }
  return `${lines.join("\n")}\n`;
}
