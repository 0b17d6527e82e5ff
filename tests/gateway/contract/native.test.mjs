// The native server, by the contract of all servers; and a fleet of both, by what the contract says of several instances.

import { native } from "../../support/native-gateway.mjs";
import { handler } from "./handler.mjs";
import { playContract, playMixed } from "./suite.mjs";

playContract(native);
playMixed(handler, native);
