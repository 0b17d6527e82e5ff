import { handlers } from "../../../lib/gateway";

export const { DELETE, GET, OPTIONS, POST } = handlers;
