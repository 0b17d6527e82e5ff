/** Has the client diagnose itself, when the page is opened and whenever it is asked to. */

import type { Diagnosis } from "classlink-spa";
import { useClassLink } from "classlink-spa/react";
import { useCallback, useEffect, useState } from "react";

/** The last diagnosis, and a function that makes a new one. */
export interface UseDiagnosis {
  /** `null` until it is there. */
  readonly diagnosis: Diagnosis | null;
  readonly running: boolean;
  readonly run: () => Promise<void>;
}

/** One per page. */
export function useDiagnosis(): UseDiagnosis {
  const { client } = useClassLink();
  const [diagnosis, setDiagnosis] = useState<Diagnosis | null>(null);
  const [running, setRunning] = useState(true);

  const run = useCallback(async () => {
    setRunning(true);
    try {
      setDiagnosis(await client.diagnose());
    } finally {
      setRunning(false);
    }
  }, [client]);

  useEffect(() => {
    void run();
  }, [run]);

  return { diagnosis, running, run };
}
