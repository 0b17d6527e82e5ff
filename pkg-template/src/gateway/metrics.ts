/**
 * Counts for Prometheus (text format 0.0.4). Every label has a fixed set of values, none of which comes from a request, a
 * provider or the configuration.
 *
 * Saves a dependency: `prom-client` is 77 KB and knows no other runtime than Node.
 */

/** Upper bounds of the histograms' buckets, in seconds. */
const BUCKETS_SECS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The provider's endpoints, as metrics name them. */
export type ProviderEndpoint =
  | "discovery"
  | "jwks"
  | "token"
  | "refresh"
  | "userinfo"
  | "my-info"
  | "revocation";

/** The outcome of a request to the provider. */
export type ProviderOutcome = "ok" | "refused" | "error" | "timeout" | "unreachable" | "overloaded";

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** A counter or a histogram: its series by their labels as they are written. */
class Family<T> {
  readonly series = new Map<string, T>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly labels: readonly string[],
  ) {}

  key(values: readonly string[]): string {
    return this.labels.map((label, index) => `${label}="${values[index]}"`).join(",");
  }
}

class Counter extends Family<number> {
  add(...values: string[]): void {
    const key = this.key(values);
    this.series.set(key, (this.series.get(key) ?? 0) + 1);
  }

  write(): string[] {
    return [
      ...head(this.name, this.help, "counter"),
      ...[...this.series].map(([key, count]) => `${this.name}${key && `{${key}}`} ${count}`),
    ];
  }
}

class Durations extends Family<Histogram> {
  observe(seconds: number, ...values: string[]): void {
    const key = this.key(values);
    let series = this.series.get(key);
    if (!series) {
      series = { counts: BUCKETS_SECS.map(() => 0), sum: 0, count: 0 };
      this.series.set(key, series);
    }
    const bucket = BUCKETS_SECS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += seconds;
    series.count += 1;
  }

  write(): string[] {
    const lines = head(this.name, this.help, "histogram");
    for (const [key, { counts, sum, count }] of this.series) {
      let below = 0;
      counts.forEach((one, index) => {
        below += one;
        lines.push(`${this.name}_bucket{${key},le="${BUCKETS_SECS[index]}"} ${below}`);
      });
      lines.push(`${this.name}_bucket{${key},le="+Inf"} ${count}`);
      lines.push(`${this.name}_sum{${key}} ${sum}`, `${this.name}_count{${key}} ${count}`);
    }
    return lines;
  }
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

const PREFIX = "classlink_gateway_";

/** The counts of one instance. */
export class Metrics {
  readonly #requests = new Counter(`${PREFIX}requests_total`, "Requests answered.", [
    "route",
    "outcome",
  ]);
  readonly #durations = new Durations(
    `${PREFIX}request_duration_seconds`,
    "Time until the answer, the provider's share included.",
    ["route"],
  );
  readonly #provider = new Counter(
    `${PREFIX}provider_requests_total`,
    "Requests to the provider.",
    ["endpoint", "outcome"],
  );
  readonly #providerDurations = new Durations(
    `${PREFIX}provider_duration_seconds`,
    "The provider's share.",
    ["endpoint"],
  );
  readonly #renewals = new Counter(`${PREFIX}renewals_total`, "Renewals of a session's tokens.", [
    "outcome",
  ]);
  readonly #limited = new Counter(`${PREFIX}rate_limited_total`, "Requests refused by a limit.", [
    "limit",
  ]);
  readonly #begun = new Counter(`${PREFIX}sessions_begun_total`, "Sessions begun.", []);
  readonly #ended = new Counter(
    `${PREFIX}sessions_ended_total`,
    "Sessions ended before their limits.",
    ["reason"],
  );
  readonly #store = new Counter(`${PREFIX}store_operations_total`, "Operations of the store.", [
    "operation",
    "outcome",
  ]);

  /** Counts a request to the gateway. */
  countRequest(route: string, outcome: string, durationMs: number): void {
    this.#requests.add(route, outcome);
    this.#durations.observe(Math.max(0, durationMs) / 1000, route);
  }

  /** Counts a request to the provider. */
  countProvider(endpoint: ProviderEndpoint, outcome: ProviderOutcome, durationMs: number): void {
    this.#provider.add(endpoint, outcome);
    this.#providerDurations.observe(Math.max(0, durationMs) / 1000, endpoint);
  }

  /** Counts a renewal of a session's tokens. */
  countRenewal(outcome: "renewed" | "shared" | "refused" | "failed"): void {
    this.#renewals.add(outcome);
  }

  /** Counts a request that a limit refused. */
  countLimited(limit: "address" | "shared" | "hook" | "concurrent"): void {
    this.#limited.add(limit);
  }

  /** Counts a sign-in. */
  countBegun(): void {
    this.#begun.add();
  }

  /** Counts a session that ended before its limits. */
  countEnded(reason: "sign-out" | "grant-over" | "revoked"): void {
    this.#ended.add(reason);
  }

  /** Counts an operation of the store. */
  countStore(operation: string, outcome: "ok" | "failed"): void {
    this.#store.add(operation, outcome);
  }

  /** Writes all counts as text. `upstream` counts the requests to the provider at this moment. */
  write(upstream: { readonly active: number; readonly waiting: number }): string {
    const gauge = (name: string, help: string, value: number, labels = "") => [
      ...head(PREFIX + name, help, "gauge"),
      `${PREFIX}${name}${labels} ${value}`,
    ];
    const lines = [
      ...gauge("info", "Which server this is.", 1, '{server="handler"}'),
      ...this.#requests.write(),
      ...this.#durations.write(),
      ...this.#provider.write(),
      ...this.#providerDurations.write(),
      ...gauge(
        "provider_requests_in_flight",
        "Requests to the provider under way.",
        upstream.active,
      ),
      ...gauge(
        "provider_requests_waiting",
        "Requests that wait for their turn at the provider.",
        upstream.waiting,
      ),
      ...this.#renewals.write(),
      ...this.#limited.write(),
      ...this.#begun.write(),
      ...this.#ended.write(),
      ...this.#store.write(),
    ];
    return `${lines.join("\n")}\n`;
  }
}
