// The model of web-push-testing behind a door on this machine only; prints its port.
const { createServer } = require("node:http");
const { PushApiModel } = require("web-push-testing/src/PushApiModel.js");

const model = new PushApiModel();

async function answer(request, body) {
  const [, verb, clientHash] = request.url.split("/");
  if (verb === "subscribe") return [200, await model.subscribe(JSON.parse(body))];
  if (verb === "notifications") return [200, model.getNotifications({ clientHash })];
  const { authorization, ttl } = request.headers;
  const headers = { authorization, ttl, encoding: request.headers["content-encoding"] };
  await model.handleNotification(clientHash, headers, body);
  return [201, {}];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const [status, value] = await answer(request, Buffer.concat(chunks)).catch((error) => [
    400,
    { error: error.message },
  ]);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  model.notifyUrl = `http://127.0.0.1:${port}/notify/`;
  console.log(port);
});
