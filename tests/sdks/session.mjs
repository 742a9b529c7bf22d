// One visitor's session through a published Node SDK: node session.mjs SDK URL KEY SESSION
import { Analytics } from "@segment/analytics-node";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [sdk, url, key, text] = process.argv.slice(2);
const session = JSON.parse(text);

const client =
  sdk === "segment"
    ? new Analytics({ writeKey: key, host: url, flushInterval: 100 })
    : new RudderAnalytics(key, { dataPlaneUrl: url, flushInterval: 100 });

for (const { call, ...message } of session) client[call](message);

if (sdk === "segment") await client.closeAndFlush({ timeout: 20000 });
else await new Promise((resolve) => client.flush(resolve));
process.exit(0);
