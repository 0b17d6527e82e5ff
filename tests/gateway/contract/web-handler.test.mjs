// The handler by `Request` and `Response`, as every runtime but Node has it, by the contract of all servers.

import { webHandler } from "./handler.mjs";
import { playStateless } from "./suite.mjs";

playStateless(webHandler);
