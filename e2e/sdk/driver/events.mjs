import assert from 'node:assert/strict';
import { admin, ccgClient, check, control, newUser, refused, until } from './kit.mjs';

/**
 * Reads the stream admin_logs until a page tells nothing new. An empty page does not come: positions exceed 2^53, so
 * that the SDK, which parses them as numbers, asks from a little earlier each time. Events are told apart by their ids.
 */
async function adminLogs(query) {
  const all = new Map();
  for (let streamPosition; ;) {
    const page = await admin.events.getEvents({ streamType: 'admin_logs', limit: 100, streamPosition, ...query });
    assert.equal(page.entries.length, page.chunkSize);
    const before = all.size;
    page.entries.forEach((e) => all.set(e.eventId, e));
    if (all.size === before) {
      return [...all.values()];
    }
    streamPosition = page.nextStreamPosition;
  }
}

check('events/admin_logs tells of a user\'s life, late and in order', async () => {
  const user = await newUser();
  await admin.users.updateUserById(user.id, { requestBody: { status: 'inactive' } });
  await admin.users.deleteUserById(user.id);
  const mine = await until('the events', async () => {
    const all = await adminLogs({ eventType: ['NEW_USER', 'EDIT_USER', 'DELETE_USER'] });
    const found = all.filter((e) => e.source?.id === user.id);
    return found.length >= 3 && found;
  });
  assert.deepEqual(mine.map((e) => e.eventType), ['NEW_USER', 'EDIT_USER', 'DELETE_USER']);
});

check('events/only an administrator reads the enterprise\'s', async () => {
  const user = await newUser();
  await refused(ccgClient(user.id).events.getEvents({ streamType: 'admin_logs' }), 403, 'access_denied_insufficient_permissions');
});

/** Runs with stream positions told as text, which the SDK keeps exactly. */
async function withTextPositions(run) {
  await control('POST', 'switches', { position_type: 'text' });
  try {
    await run();
  } finally {
    await control('POST', 'switches', { position_type: '' });
  }
}

check('events/positions told as text are kept exactly', () => withTextPositions(async () => {
  await newUser();
  const seen = [];
  for (let streamPosition; ;) {
    const page = await admin.events.getEvents({ streamType: 'admin_logs', limit: 3, streamPosition });
    if (page.entries.length === 0) {
      break;
    }
    seen.push(...page.entries.map((e) => e.eventId));
    streamPosition = page.nextStreamPosition;
    assert.equal(typeof streamPosition, 'string');
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length > 3);
}));

check('events/admin_logs_streaming tells everything at least once, in any order', () => withTextPositions(async () => {
  const { nextStreamPosition: now } = await admin.events.getEvents({ streamType: 'admin_logs_streaming', streamPosition: 'now' });
  const user = await newUser();
  await admin.users.deleteUserById(user.id);
  const types = await until('both events', async () => {
    const page = await admin.events.getEvents({ streamType: 'admin_logs_streaming', streamPosition: now, limit: 500 });
    const mine = new Set(page.entries.filter((e) => e.source?.id === user.id).map((e) => e.eventType));
    return mine.size >= 2 && [...mine].sort();
  });
  assert.deepEqual(types, ['DELETE_USER', 'NEW_USER']);
}));
