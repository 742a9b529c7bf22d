// APNs as a sender sees it: Node's own HTTP/2 over TLS. It checks every request as Apple does, keeps
// what it takes, and does as it was told for device tokens that begin in a certain way.
//
// Commands come as JSON lines on stdin, and each is answered by one line on stdout.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";
import { createInterface } from "node:readline";

const { certificate, key, publicKey, keyId, teamId, topic } = JSON.parse(process.argv[2]);
const signer = createPublicKey(readFileSync(publicKey));
const MAX_BYTES = 4096;

let state;
const sessions = new Set();

function reset() {
  for (const session of sessions) session.destroy();
  state = { now: 0, sessions: 0, taken: [], tokens: [], rules: {}, refusal: null };
}

function readToken(text) {
  const [head, claims, signature] = text.split(".");
  const part = (value) => JSON.parse(Buffer.from(value, "base64url"));
  const good = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: signer, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  return { head: part(head), claims: part(claims), good };
}

function checkToken(headers) {
  const text = headers.authorization ?? "";
  if (!text.startsWith("bearer ")) return [403, "MissingProviderToken"];
  if (!state.tokens.includes(text)) state.tokens.push(text);
  const { head, claims, good } = readToken(text.slice("bearer ".length));
  const right = good && head.alg === "ES256" && head.kid === keyId && claims.iss === teamId;
  if (!right || !Number.isInteger(claims.iat)) return [403, "InvalidProviderToken"];
  if (claims.iat > state.now + 60) return [403, "InvalidProviderToken"];
  if (claims.iat < state.now - 3600) return [403, "ExpiredProviderToken"];
  return null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function checkHeaders(headers) {
  if (headers[":method"] !== "POST") return [405, "MethodNotAllowed"];
  if (!/^\/3\/device\/[0-9a-fA-F]+$/.test(headers[":path"])) return [404, "BadPath"];
  const device = headers[":path"].split("/").pop();
  if (device.length < 16 || device.length > 200) return [400, "BadDeviceToken"];
  if (!headers["apns-topic"]) return [400, "MissingTopic"];
  if (headers["apns-topic"] !== topic) return [400, "TopicDisallowed"];
  if (!UUID.test(headers["apns-id"] ?? "")) return [400, "BadMessageId"];
  if (!["alert", "background"].includes(headers["apns-push-type"])) return [400, "InvalidPushType"];
  if (!["1", "5", "10"].includes(headers["apns-priority"])) return [400, "BadPriority"];
  if (!/^\d*$/.test(headers["apns-expiration"] ?? "")) return [400, "BadExpirationDate"];
  if (Buffer.byteLength(headers["apns-collapse-id"] ?? "") > 64) return [400, "BadCollapseId"];
  return null;
}

function checkBody(headers, body) {
  if (body.length === 0) return [400, "PayloadEmpty"];
  if (body.length > MAX_BYTES) return [413, "PayloadTooLarge"];
  let aps;
  try {
    aps = JSON.parse(body).aps;
  } catch {
    return [400, "PayloadEmpty"];
  }
  if (typeof aps !== "object" || aps === null) return [400, "PayloadEmpty"];
  const background = headers["apns-push-type"] === "background";
  if (background && headers["apns-priority"] !== "5") return [400, "BadPriority"];
  if (background !== (aps["content-available"] === 1)) return [400, "InvalidPushType"];
  if (!background && !aps.alert) return [400, "PayloadEmpty"];
  return null;
}

function refuse(stream, headers, [status, reason], extra = {}) {
  const body = { reason };
  if (status === 410) body.timestamp = (state.now - 60) * 1000;
  stream.respond({ ":status": status, "apns-id": headers["apns-id"] ?? "", ...extra });
  stream.end(JSON.stringify(body));
}

function take(stream, headers, body) {
  state.taken.push({ headers: { ...headers }, body: JSON.parse(body) });
  stream.respond({ ":status": 200, "apns-id": headers["apns-id"] });
  stream.end();
}

// What a rule may do. `rule.answer` is [status, reason].
const ACTS = {
  answer: (stream, headers, body, rule) => refuse(stream, headers, rule.answer, rule.headers),
  // The answer in pieces, each in a frame of its own.
  pieces: async (stream, headers, body, rule) => {
    stream.respond({ ":status": rule.answer[0], "apns-id": headers["apns-id"] });
    for (const letter of JSON.stringify({ reason: rule.answer[1] })) {
      stream.write(letter);
      await new Promise(setImmediate);
    }
    stream.end();
  },
  slow: (stream, headers, body, rule) => setTimeout(() => take(stream, headers, body), rule.ms),
  silent: () => {},
  reset: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  refused: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  cut: (stream) => stream.session.destroy(),
  // Goes away, and yet answers what it had taken, this one too.
  goaway: (stream, headers, body) => {
    stream.session.goaway(constants.NGHTTP2_NO_ERROR, stream.id, Buffer.from('{"reason":"Shutdown"}'));
    setTimeout(() => take(stream, headers, body), 20);
  },
};

function serve(stream, headers) {
  const pieces = [];
  stream.on("error", () => {});
  stream.on("data", (piece) => pieces.push(piece));
  stream.on("end", () => {
    const body = Buffer.concat(pieces);
    const wrong = checkToken(headers) ?? checkHeaders(headers) ?? checkBody(headers, body);
    if (wrong) return refuse(stream, headers, wrong);
    const device = headers[":path"].split("/").pop();
    const rule = Object.entries(state.rules).find(([prefix]) => device.startsWith(prefix))?.[1];
    if (!rule) return take(stream, headers, body);
    return ACTS[rule.act](stream, headers, body, rule);
  });
}

const COMMANDS = {
  reset,
  now: ({ now }) => (state.now = now),
  rule: ({ prefix, ...rule }) => (state.rules[prefix] = rule),
  settings: ({ settings }) => server.updateSettings(settings),
  cut: () => sessions.forEach((session) => session.destroy()),
  report: () => ({ sessions: state.sessions, taken: state.taken, tokens: state.tokens }),
};

const server = createSecureServer({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  settings: { maxConcurrentStreams: 1000 },
});
server.on("stream", serve);
server.on("session", (session) => {
  state.sessions += 1;
  sessions.add(session);
  session.on("error", () => {});
  session.on("close", () => sessions.delete(session));
});
server.on("secureConnection", (socket) => socket.setNoDelay(true));
server.on("sessionError", () => {});
server.on("tlsClientError", () => {});
reset();
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { command, ...rest } = JSON.parse(line);
    console.log(JSON.stringify(COMMANDS[command](rest) ?? null));
  })
  .on("close", () => process.exit(0));
