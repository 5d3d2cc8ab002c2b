import assert from 'node:assert/strict';
import { actingAs, admin, adminId, ccgClient, check, enterpriseId, fresh, newUser, refused, refusedUnread } from './kit.mjs';

async function allByOffset(limit) {
  const ids = [];
  for (;;) {
    const page = await admin.users.getUsers({ limit, offset: ids.length });
    assert.equal(page.limit, limit);
    assert.equal(page.offset, ids.length);
    ids.push(...page.entries.map((u) => u.id));
    if (ids.length >= page.totalCount) {
      return ids;
    }
  }
}

async function allByMarker(limit) {
  const ids = [];
  for (let marker; ;) {
    const page = await admin.users.getUsers({ usemarker: true, limit, marker });
    assert.ok(page.entries.length <= limit);
    ids.push(...page.entries.map((u) => u.id));
    marker = page.nextMarker;
    if (!marker) {
      return ids;
    }
  }
}

check('users/both pagings list the same people', async () => {
  const byOffset = await allByOffset(7);
  const byMarker = await allByMarker(6);
  assert.equal(new Set(byOffset).size, byOffset.length);
  assert.deepEqual(byMarker.toSorted(), byOffset.toSorted());
  return `${byOffset.length} users`;
});

check('users/an offset beyond 9999 is refused', async () => {
  const error = await refused(admin.users.getUsers({ offset: 10_000 }), 400, 'bad_request');
  assert.equal(error.context_info.errors[0].name, 'offset');
});

check('users/filter_term is a prefix', async () => {
  const user = await newUser();
  const found = await admin.users.getUsers({ filterTerm: user.login });
  assert.deepEqual(found.entries.map((u) => u.id), [user.id]);
  const middle = await admin.users.getUsers({ filterTerm: user.login.slice(3) });
  assert.equal(middle.totalCount, 0);
});

check('users/standard fields, chosen fields and full fields', async () => {
  const { id, login } = await newUser();
  const standard = await admin.users.getUserById(id);
  assert.equal(standard.login, login);
  assert.equal(standard.status, 'active');
  assert.equal(standard.role, undefined);
  assert.equal(standard.enterprise, undefined);
  const chosen = await admin.users.getUserById(id, { queryParams: { fields: ['role', 'enterprise', 'is_sync_enabled'] } });
  assert.equal(chosen.role, 'user');
  assert.equal(chosen.enterprise.id, enterpriseId);
  assert.equal(chosen.login, undefined);
  const listed = await admin.users.getUsers({ filterTerm: login, fields: ['status', 'space_used'] });
  assert.deepEqual([listed.entries[0].status, listed.entries[0].spaceUsed], ['active', 0]);
});

check('users/me is the owner of the token', async () => {
  assert.equal((await admin.users.getUserMe()).id, adminId);
  const service = await ccgClient().users.getUserMe();
  assert.match(service.login, /^AutomationUser_.*@boxdevedition\.com$/);
});

check('users/create, rename, deactivate, activate, delete', async () => {
  const user = await newUser({ jobTitle: 'Example', spaceAmount: 1_000_000 });
  assert.equal(user.spaceAmount, 1_000_000);
  const name = fresh('Renamed Person');
  const renamed = await admin.users.updateUserById(user.id, { requestBody: { name, isSyncEnabled: false } });
  assert.equal(renamed.name, name);
  for (const status of ['inactive', 'cannot_delete_edit', 'active']) {
    const changed = await admin.users.updateUserById(user.id, { requestBody: { status } });
    assert.equal(changed.status, status);
    assert.equal((await admin.users.getUserById(user.id)).status, status);
  }
  await admin.users.deleteUserById(user.id);
  await refused(admin.users.getUserById(user.id), 404, 'not_found');
  await refusedUnread(admin.users.deleteUserById(user.id), admin, 404, 'not_found', 'DELETE', `/users/${user.id}`);
});

check('users/an app user has no login of its own', async () => {
  const user = await admin.users.createUser({ name: fresh('App'), isPlatformAccessOnly: true });
  assert.match(user.login, /^AppUser_.*@boxdevedition\.com$/);
});

check('users/a login that is used is refused', async () => {
  const user = await newUser();
  await refused(admin.users.createUser({ name: 'Second', login: user.login.toUpperCase() }), 409, 'user_login_already_used');
});

check('users/a user with content is not deleted', async () => {
  const user = await newUser();
  await actingAs(user).folders.createFolder({ name: 'Kept', parent: { id: '0' } });
  const error = await refusedUnread(admin.users.deleteUserById(user.id), admin, 400, 'bad_request', 'DELETE', `/users/${user.id}`);
  assert.match(error.message, /User has managed content/);
  assert.equal((await admin.users.getUserById(user.id)).status, 'active');
});

check('users/bad values name the parameter', async () => {
  const user = await newUser();
  const error = await refused(admin.users.updateUserById(user.id, { requestBody: { role: 'emperor' } }), 400, 'bad_request');
  assert.equal(error.context_info.errors[0].name, 'role');
});

check('users/nobody but an administrator manages users', async () => {
  const user = await newUser();
  await refused(ccgClient(user.id).users.getUsers(), 403, 'access_denied_insufficient_permissions');
});

check('users/sessions end by id and by login', async () => {
  const [one, two] = [await newUser(), await newUser()];
  const answer = await admin.sessionTermination.terminateUsersSessions({ userIds: [one.id], userLogins: [two.login] });
  assert.match(answer.message, /successful/);
  await refused(admin.sessionTermination.terminateUsersSessions({ userIds: ['1'], userLogins: [] }), 404, 'not_found');
  await refused(admin.sessionTermination.terminateUsersSessions({ userIds: [], userLogins: [] }), 400, 'bad_request');
});

check('users/As-User acts as another, and as no deactivated one', async () => {
  const user = await newUser();
  const as = actingAs(user);
  assert.equal((await as.users.getUserMe()).id, user.id);
  const folder = await as.folders.createFolder({ name: 'Mine', parent: { id: '0' } });
  assert.equal(folder.ownedBy.id, user.id);
  await admin.users.updateUserById(user.id, { requestBody: { status: 'inactive' } });
  const error = await refused(as.users.getUserMe(), 401, 'unauthorized');
  assert.match(error.message, /User has been deactivated/);
});

check('users/e-mail aliases', async () => {
  const [user, other] = [await newUser(), await newUser()];
  const email = `alias.of.${user.id}@example.com`;
  const alias = await admin.emailAliases.createUserEmailAlias(user.id, { email });
  assert.equal(alias.email, email);
  assert.deepEqual((await admin.emailAliases.getUserEmailAliases(user.id)).entries.map((a) => a.id), [alias.id]);
  await refused(admin.emailAliases.createUserEmailAlias(other.id, { email }), 409, 'user_login_already_used');
  await admin.emailAliases.deleteUserEmailAliasById(user.id, alias.id);
  assert.equal((await admin.emailAliases.getUserEmailAliases(user.id)).totalCount, 0);
});
