import { createClient } from "./client-shim.js";

export const client = createClient({ onUserChange: undefined, basePath: "/app/" });
