import { createServer } from "node:http";
import { stopOnSignal, toNodeHandler } from "classlink-spa/gateway-node";
import { gateway, me } from "./gateway.js";

const { PORT = "3000", HOST = "127.0.0.1" } = process.env;

const auth = toNodeHandler(gateway);

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
