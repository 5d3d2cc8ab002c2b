import assert from 'node:assert/strict';
import { admin, check, fresh, newUser, refused } from './kit.mjs';

const newGroup = () => admin.groups.createGroup({ name: fresh('Example Group'), provenance: 'example' });

check('groups/create, read, rename, delete', async () => {
  const group = await newGroup();
  assert.equal(group.groupType, 'managed_group');
  const full = await admin.groups.getGroupById(group.id, { queryParams: { fields: ['name', 'provenance', 'permissions'] } });
  assert.equal(full.provenance, 'example');
  assert.equal(full.permissions.canInviteAsCollaborator, true);
  const name = fresh('Renamed Group');
  assert.equal((await admin.groups.updateGroupById(group.id, { requestBody: { name } })).name, name);
  const found = await admin.groups.getGroups({ filterTerm: name });
  assert.deepEqual(found.entries.map((g) => g.id), [group.id]);
  await admin.groups.deleteGroupById(group.id);
  await refused(admin.groups.getGroupById(group.id), 404, 'not_found');
});

check('groups/a name that is used is refused', async () => {
  const group = await newGroup();
  await refused(admin.groups.createGroup({ name: group.name }), 409, 'conflict');
});

check('groups/memberships carry role and permissions', async () => {
  const [user, group] = [await newUser(), await newGroup()];
  const permissions = { can_run_reports: true, can_instant_login: false, can_create_accounts: false, can_edit_accounts: true };
  const made = await admin.memberships.createGroupMembership({
    user: { id: user.id }, group: { id: group.id }, role: 'admin', configurablePermissions: permissions,
  });
  assert.deepEqual([made.role, made.user.id, made.group.id], ['admin', user.id, group.id]);
  const read = await admin.memberships.getGroupMembershipById(made.id, { queryParams: { fields: ['role', 'configurable_permissions'] } });
  assert.equal(read.role, 'admin');
  assert.deepEqual(read.rawData.configurable_permissions, permissions);
  const changed = await admin.memberships.updateGroupMembershipById(made.id, { requestBody: { role: 'member' } });
  assert.equal(changed.role, 'member');
  const ofUser = await admin.memberships.getUserMemberships(user.id);
  assert.deepEqual(ofUser.entries.map((m) => m.id), [made.id]);
  await admin.memberships.deleteGroupMembershipById(made.id);
  await refused(admin.memberships.getGroupMembershipById(made.id), 404, 'not_found');
});

check('groups/a second membership is refused', async () => {
  const [user, group] = [await newUser(), await newGroup()];
  const body = { user: { id: user.id }, group: { id: group.id } };
  assert.equal((await admin.memberships.createGroupMembership(body)).role, 'member');
  await refused(admin.memberships.createGroupMembership(body), 409, 'conflict');
  await refused(admin.memberships.createGroupMembership({ ...body, user: { id: '1' } }), 404, 'not_found');
});

check('groups/memberships page by offset', async () => {
  const group = await newGroup();
  const want = [];
  for (let n = 0; n < 5; n += 1) {
    const user = await newUser();
    want.push((await admin.memberships.createGroupMembership({ user: { id: user.id }, group: { id: group.id } })).id);
  }
  const got = [];
  for (;;) {
    const page = await admin.memberships.getGroupMemberships(group.id, { queryParams: { limit: 2, offset: got.length } });
    got.push(...page.entries.map((m) => m.id));
    if (got.length >= page.totalCount) {
      break;
    }
  }
  assert.deepEqual(got, want);
});

check('groups/the end of a group ends its memberships', async () => {
  const [user, group] = [await newUser(), await newGroup()];
  await admin.memberships.createGroupMembership({ user: { id: user.id }, group: { id: group.id } });
  await admin.groups.deleteGroupById(group.id);
  assert.equal((await admin.memberships.getUserMemberships(user.id)).totalCount, 0);
});
