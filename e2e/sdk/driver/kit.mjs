// What all checks share: the SDK, clients of it, the simulator's control pages, and the report that Go reads.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const config = JSON.parse(process.env.SENDOFF_SDK_CONFIG);
const require = createRequire(join(config.modules, 'package.json'));
const { BaseUrls, BoxRetryStrategy, NetworkSession } = require('box-node-sdk/networking');
export const sdk = { ...require('box-node-sdk/box'), ...require('box-node-sdk') };
export const baseUrl = config.base_url;
export const { client_id: clientId, client_secret: clientSecret, enterprise_id: enterpriseId, admin_id: adminId } = config.banner;

/** Requests the SDK makes of one call by itself: its defaults, kept. */
export const maxAttempts = 5;
/** The same where no answer came, or one that is not JSON, as a gateway's page. */
export const maxAttemptsUnheard = 3;

const baseUrls = new BaseUrls({ baseUrl, uploadUrl: baseUrl });

/** A session that repeats as the SDK does by default, only sooner: its base interval is a second. */
function session() {
  return new NetworkSession({
    baseUrls,
    retryStrategy: new BoxRetryStrategy({ maxAttempts, retryBaseInterval: 0.01 }),
  });
}

export const networkSession = session();

export function clientOf(auth) {
  return new sdk.BoxClient({ auth, networkSession: session() });
}

/** An SDK client that signs in by client credentials, as a user or, without one, as the service account. */
export function ccgClient(userId, overrides = {}) {
  return clientOf(new sdk.BoxCcgAuth({
    config: new sdk.CcgConfig({ clientId, clientSecret, ...(userId ? { userId } : { enterpriseId }), ...overrides }),
  }));
}

export const admin = ccgClient(adminId);

/** Asks a control page of the simulator. */
export async function control(method, page, body) {
  const answer = await fetch(`${baseUrl}/_sim/${page}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} /_sim/${page}: ${answer.status} ${text}`);
  return text;
}

/** The requests the simulator served of one operation, oldest first. */
export async function requestsOf(operation, subject) {
  const lines = (await control('GET', 'requests')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return lines.filter((r) => r.op === operation && (!subject || r.subject === subject));
}

/** Runs do with faults set, and clears them whatever happens. */
export async function withFaults(faults, run) {
  await control('DELETE', 'faults'); // attempts are counted from here
  await control('POST', 'faults', faults);
  try {
    return await run();
  } finally {
    await control('DELETE', 'faults');
  }
}

let serial = 0;

/** A name nobody else has. */
export function fresh(prefix) {
  serial += 1;
  return `${prefix} ${serial}`;
}

/** Makes a user without content. */
export function newUser(extra = {}) {
  const name = fresh('Example Person');
  return admin.users.createUser({ name, login: `${name.replaceAll(' ', '.').toLowerCase()}@example.com`, ...extra });
}

/** A client that acts as somebody through the As-User header. */
export function actingAs(user) {
  return admin.withAsUserHeader(user.id);
}

async function failureOf(promise, expected) {
  const error = await promise.then(() => undefined, (e) => e);
  assert.ok(error, `expected ${expected}, but the call passed`);
  assert.equal(error.name, 'BoxApiError', `${error}`);
  return error.responseInfo;
}

/** Requires that the call is refused with Box's envelope, which it gives back. */
export async function refused(promise, status, code) {
  const { statusCode, headers, body } = await failureOf(promise, `${status} ${code}`);
  assert.deepEqual([statusCode, body?.status, body?.code], [status, status, code], JSON.stringify(body));
  assert.equal(body.type, 'error');
  assert.match(body.help_url, /^http/);
  assert.equal(body.request_id, headers['box-request-id']);
  return { ...body, headers };
}

/**
 * As refused, for a call that answers without a body when it succeeds: the SDK does not read the body of its
 * refusals either. What it said is asked for once more, by the SDK's own way to make any request.
 */
export async function refusedUnread(promise, client, status, code, method, path) {
  assert.equal((await failureOf(promise, `${status} ${code}`)).statusCode, status);
  const again = client.makeRequest({ url: `${baseUrl}/2.0${path}`, method, responseFormat: 'json' });
  return refused(again, status, code);
}

/** Asks until the condition holds; the simulator's own clock is what is waited for. */
export async function until(what, condition) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 20))) {
    const value = await condition();
    if (value) {
      return value;
    }
  }
  throw new Error(`waited 10 s for ${what}`);
}

const checks = [];

/** Names a check; a string it returns is told with its result. */
export function check(name, run) {
  checks.push({ name, run });
}

/** Fails after 20 seconds. */
async function overdue() {
  await new Promise((wake) => setTimeout(wake, 20_000).unref());
  throw new Error('the check did not end within 20 s');
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Runs the checks one after another; each prints a line, the end prints how many there were. */
export async function runAll() {
  for (const { name, run } of checks) {
    const began = Date.now();
    const result = await Promise.race([run(), overdue()]).then(
      (detail) => ({ ok: true, detail: detail ?? '' }),
      (error) => ({ ok: false, detail: `${error.stack ?? error}` }),
    );
    say({ name, ms: Date.now() - began, ...result });
  }
  say({ done: checks.length });
}
