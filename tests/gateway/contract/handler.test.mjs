// The handler on Node, by the contract of all servers.

import { handler } from "./handler.mjs";
import { playContract } from "./suite.mjs";

playContract(handler);
