import assert from 'node:assert/strict';
import { actingAs, admin, check, control, maxAttempts, maxAttemptsUnheard, newUser, refused, refusedUnread, requestsOf, until } from './kit.mjs';

/** Simulated seconds that no check waits for: long jobs are ended by hand. */
const veryLong = 100_000;

/** A leaver with one folder and one file, and a receiver. */
async function pair(mode, duration = 0) {
  const [leaver, receiver] = [await newUser(), await newUser()];
  const folder = await actingAs(leaver).folders.createFolder({ name: 'Work', parent: { id: '0' } });
  await control('POST', 'files', { owner: leaver.id, parent: folder.id, name: 'report', size_bytes: 1000 });
  await control('POST', 'mode', { user: leaver.id, mode, duration_s: duration });
  return { leaver, receiver, folder };
}

function transfer({ leaver, receiver }, options) {
  return admin.transfer.transferOwnedFolder(leaver.id, { ownedBy: { id: receiver.id } }, options);
}

async function account(user) {
  const ledger = JSON.parse(await control('GET', 'ledger'));
  return ledger.accounts.find((a) => a.id === user.id);
}

async function destinations(receiver) {
  return (await actingAs(receiver).folders.getFolderItems('0')).entries;
}

/** Lets the jobs of a leaver come to their end. */
async function finish(user) {
  await control('POST', 'jobs', { user: user.id, action: 'finish' });
  await until('the account to be empty', async () => (await admin.users.getUserById(user.id)).spaceUsed === 0);
}

check('transfer/quick: everything lies in one folder of the receiver', async () => {
  const p = await pair('quick');
  const answer = await transfer(p, { queryParams: { notify: false, fields: ['name', 'owned_by'] } });
  assert.equal(answer.name, `${p.leaver.login} - ${p.leaver.name}'s Files and Folders`);
  assert.equal(answer.ownedBy.id, p.receiver.id);
  const moved = await actingAs(p.receiver).folders.getFolderById(p.folder.id);
  assert.deepEqual([moved.ownedBy.id, moved.parent.id], [p.receiver.id, answer.id]);
  assert.equal((await admin.users.getUserById(p.leaver.id)).spaceUsed, 0);
  await admin.users.deleteUserById(p.leaver.id);
  assert.equal((await account(p.leaver)).transfer_requests, 1);
});

check('transfer/refusals', async () => {
  const p = await pair('refused');
  const error = await refused(transfer(p), 403, 'forbidden');
  assert.match(error.message, /higher privilaged accounts/);
  await refused(transfer({ leaver: { id: '1' }, receiver: p.receiver }), 404, 'not_found');
  await refused(transfer({ leaver: p.leaver, receiver: p.leaver }), 400, 'bad_request');
  assert.equal((await account(p.leaver)).transfer_requests, 2);
});

check('transfer/gateway504: the SDK sends it again, and is told that it is busy', async () => {
  const p = await pair('gateway504', veryLong);
  await refused(transfer(p), 409, 'operation_blocked_temporary');
  const { transfer_requests: sent, transfers } = await account(p.leaver);
  assert.deepEqual([sent, transfers], [2, { gateway504: 1, busy409: 1 }]);
  assert.deepEqual((await requestsOf('users.transfer', p.leaver.id)).map((r) => r.status), [504, 409]);
  await finish(p.leaver);
  assert.equal((await destinations(p.receiver)).length, 1);
  return 'one call of ours: two requests, and an error for a transfer that succeeds';
});

check('transfer/gateway504 where Box starts a second job: one call makes many folders', async () => {
  const p = await pair('gateway504', veryLong);
  await control('POST', 'switches', { busy_answer: 'start' });
  try {
    await assert.rejects(transfer(p), /JSON/); // the gateway's page is HTML: the SDK's message is about that
  } finally {
    await control('POST', 'switches', { busy_answer: '409' });
  }
  const { transfer_requests: sent, max_concurrent_jobs: jobs } = await account(p.leaver);
  assert.equal(sent, maxAttemptsUnheard);
  await finish(p.leaver);
  const folders = (await destinations(p.receiver)).length;
  assert.equal(folders, maxAttemptsUnheard);
  return `one call of ours: ${sent} requests, ${jobs} jobs at once, ${folders} destination folders`;
});

check('transfer/a lost connection: the SDK sends it again', async () => {
  const p = await pair('drop', veryLong);
  await refused(transfer(p), 409, 'operation_blocked_temporary');
  assert.deepEqual((await account(p.leaver)).transfers, { dropped: 1, busy409: 1 });
  await finish(p.leaver);
});

check('transfer/503 before anything began: sending again would be right, but cannot be told apart', async () => {
  const p = await pair('pre503');
  await refused(transfer(p), 503, 'unavailable');
  assert.equal((await account(p.leaver)).transfer_requests, maxAttempts);
  assert.equal((await destinations(p.receiver)).length, 0);
});

check('transfer/slow200: 200 is told while it still runs', async () => {
  const p = await pair('slow200', veryLong);
  const answer = await transfer(p);
  assert.equal(answer.ownedBy.id, p.receiver.id);
  const error = await refusedUnread(admin.users.deleteUserById(p.leaver.id), admin, 400, 'bad_request', 'DELETE', `/users/${p.leaver.id}`);
  assert.match(error.message, /User has managed content/);
  await finish(p.leaver);
  await admin.users.deleteUserById(p.leaver.id);
});
