/** classlink-spa, with its WebAssembly in a file of its own. */

import { createClient } from "classlink-spa";
import { adapt } from "./classlink-spa-client.js";

export default adapt(createClient);
