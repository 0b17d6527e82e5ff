import { getGateway } from "../../../lib/gateway.js";

const handle = (request) => getGateway().handle(request);

export { handle as DELETE, handle as GET, handle as OPTIONS, handle as POST };
