// The handler on Node, by the contract of all servers.

import { deviceTests } from "./devices.mjs";
import { handler } from "./handler.mjs";
import { playContract } from "./suite.mjs";

playContract(handler);
deviceTests(handler);
