import assert from 'node:assert/strict';
import { actingAs, admin, ccgClient, check, maxAttempts, newUser, refused, requestsOf, withFaults } from './kit.mjs';

check('errors/the envelope', async () => {
  const error = await refused(admin.folders.getFolderById('123'), 404, 'not_found');
  const [fault] = error.context_info.errors;
  assert.deepEqual([fault.reason, fault.name], ['invalid_parameter', 'item']);
  assert.match(fault.message, /Invalid value 'd_123'/);
  assert.equal(error.help_url, 'http://developers.box.com/docs/#errors');
});

check('errors/a malformed id is 405', async () => {
  await refused(admin.folders.getFolderById('not-a-number'), 405, 'method_not_allowed');
});

check('errors/429: the SDK tries again and gets through', async () => {
  const user = await newUser();
  const faults = { op: 'users.get', subject: user.id, attempt: 1, last_attempt: 2, action: 'status', status: 429, headers: { 'Retry-After': '1' } };
  const took = await withFaults([faults], async () => {
    const began = Date.now();
    assert.equal((await admin.users.getUserById(user.id)).id, user.id);
    return Date.now() - began;
  });
  const served = (await requestsOf('users.get', user.id)).map((r) => r.status);
  assert.deepEqual(served, [429, 429, 200]);
  return `Retry-After asked for 2 s in all, the SDK waited ${took < 2000 ? 'less' : 'as asked'}`;
});

check('errors/503 is tried five times, then told', async () => {
  const user = await newUser();
  await withFaults([{ op: 'users.get', subject: user.id, action: 'status', status: 503 }], async () => {
    const error = await admin.users.getUserById(user.id).catch((e) => e);
    assert.deepEqual([error.responseInfo.statusCode, error.responseInfo.body.code], [503, 'unavailable']);
  });
  assert.equal((await requestsOf('users.get', user.id)).length, maxAttempts);
});

check('errors/503 after the effect: the repetition of a create finds its own work', async () => {
  const as = actingAs(await newUser());
  await withFaults([{ op: 'folders.create', attempt: 1, action: 'status_after', status: 503 }], async () => {
    await refused(as.folders.createFolder({ name: 'Twice', parent: { id: '0' } }), 409, 'item_name_in_use');
  });
  assert.equal((await as.folders.getFolderItems('0')).totalCount, 1);
});

check('errors/a cut answer and a lost connection are tried again', async () => {
  const user = await newUser();
  for (const action of ['truncate', 'drop_before']) {
    await withFaults([{ op: 'users.get', subject: user.id, attempt: 1, action }], async () => {
      assert.equal((await admin.users.getUserById(user.id)).id, user.id);
    });
  }
});

check('errors/the read-only client may read and not write', async () => {
  const user = await newUser();
  const reader = ccgClient(undefined, { clientId: 'ro' });
  assert.equal((await reader.users.getUserById(user.id)).id, user.id);
  const error = await refused(reader.users.updateUserById(user.id, { requestBody: { name: 'No' } }), 403, 'insufficient_scope');
  assert.match(error.headers['www-authenticate'], /error="insufficient_scope"/);
});
