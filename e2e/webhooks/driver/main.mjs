// Signs webhooks with the Standard Webhooks project's own library and posts them.
// The file that it is given says what to send; it writes one line of JSON for each
// answer.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { Webhook } = createRequire(join(config.modules, "package.json"))("standardwebhooks");

for (const send of config.sends) {
  const at = new Date(send.at);
  const signatures = send.secrets.map((secret) => new Webhook(secret).sign(send.id, at, send.body));
  const answer = await fetch(config.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": send.id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": signatures.join(" "),
    },
    body: send.posted ?? send.body,
  });
  await answer.json();
  console.log(JSON.stringify({ name: send.name, status: answer.status }));
}
