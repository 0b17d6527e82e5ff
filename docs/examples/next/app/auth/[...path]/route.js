import { getGateway } from "../../../lib/gateway.js";

/** The client's address, for the limits: the header that the proxy in front sets, and none that a client may. */
const remoteAddress = (request) => request.headers.get("x-real-ip");

const handle = (request) => {
  return getGateway().handle(request, { remoteAddress: remoteAddress(request) });
};

export { handle as DELETE, handle as GET, handle as OPTIONS, handle as POST };
