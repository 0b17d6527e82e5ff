/** classlink-spa, with its WebAssembly in the script. */

import { createClient } from "classlink-spa/inline";
import { adapt } from "./classlink-spa-client.js";

export default adapt(createClient);
