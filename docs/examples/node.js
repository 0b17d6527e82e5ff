import { createServer } from "node:http";
import { stopOnSignal, toNodeHandler } from "classlink-spa/gateway-node";
import { gateway, me } from "./gateway.js";

const { PORT = "3000", HOST = "127.0.0.1", ADDRESS_HEADER } = process.env;

// Behind a proxy: the header in which it gives the client's address, such as x-real-ip. Without it all users count as one.
const auth = toNodeHandler(
  gateway,
  ADDRESS_HEADER ? { remoteAddress: ({ headers }) => headers[ADDRESS_HEADER] } : {},
);

const server = createServer(async (request, response) => {
  const [path] = request.url.split("?");
  if (path.startsWith("/auth/")) return auth(request, response);
  if (path !== "/api/me") return response.writeHead(404).end();
  const answer = await me({ headers: new Headers({ cookie: request.headers.cookie ?? "" }) });
  response.writeHead(answer.status, { "Content-Type": "application/json" });
  response.end(await answer.text());
});

// At SIGTERM: finishes the sign-ins that are under way.
stopOnSignal(server);
server.listen(Number(PORT), HOST);
