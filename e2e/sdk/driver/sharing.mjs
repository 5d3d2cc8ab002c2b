import assert from 'node:assert/strict';
import { actingAs, admin, check, control, fresh, newUser, refused } from './kit.mjs';

const root = { id: '0' };

async function sharedFolder(role = 'editor') {
  const [owner, guest] = [await newUser(), await newUser()];
  const folder = await actingAs(owner).folders.createFolder({ name: fresh('Shared'), parent: root });
  const collaboration = await actingAs(owner).userCollaborations.createCollaboration({
    item: { type: 'folder', id: folder.id }, accessibleBy: { type: 'user', id: guest.id }, role,
  });
  return { owner, guest, folder, collaboration };
}

check('collaborations/a user by id and by login', async () => {
  const { owner, guest, folder, collaboration } = await sharedFolder('viewer');
  assert.deepEqual([collaboration.role, collaboration.status, collaboration.accessibleBy.id], ['viewer', 'accepted', guest.id]);
  assert.equal((await actingAs(guest).folders.getFolderById(folder.id)).name, folder.name);
  await refused(actingAs(guest).folders.updateFolderById(folder.id, { requestBody: { name: 'Mine' } }), 403, 'access_denied_insufficient_permissions');
  const second = await newUser();
  const { userCollaborations, listCollaborations } = actingAs(owner);
  await userCollaborations.createCollaboration({ item: { type: 'folder', id: folder.id }, accessibleBy: { type: 'user', login: second.login }, role: 'editor' });
  const listed = await listCollaborations.getFolderCollaborations(folder.id);
  assert.deepEqual(listed.entries.map((c) => c.accessibleBy.id), [guest.id, second.id]);
});

check('collaborations/a group opens a folder to its members', async () => {
  const [owner, member] = [await newUser(), await newUser()];
  const group = await admin.groups.createGroup({ name: fresh('Readers') });
  await admin.memberships.createGroupMembership({ user: { id: member.id }, group: { id: group.id } });
  const folder = await actingAs(owner).folders.createFolder({ name: 'For readers', parent: root });
  const made = await actingAs(owner).userCollaborations.createCollaboration({
    item: { type: 'folder', id: folder.id }, accessibleBy: { type: 'group', id: group.id }, role: 'viewer',
  });
  assert.equal(made.accessibleBy.type, 'group');
  assert.equal((await actingAs(member).folders.getFolderById(folder.id)).id, folder.id);
  const ofGroup = await admin.listCollaborations.getGroupCollaborations(group.id);
  assert.deepEqual(ofGroup.entries.map((c) => c.id), [made.id]);
});

check('collaborations/change the role, then end it', async () => {
  const { owner, guest, folder, collaboration } = await sharedFolder();
  const changed = await actingAs(owner).userCollaborations.updateCollaborationById(collaboration.id, { requestBody: { role: 'co-owner' } });
  assert.equal(changed.role, 'co-owner');
  await actingAs(guest).userCollaborations.deleteCollaborationById(collaboration.id);
  await refused(actingAs(guest).folders.getFolderById(folder.id), 404, 'not_found');
});

check('collaborations/role owner answers 204 and hands the folder over', async () => {
  const { owner, guest, folder, collaboration } = await sharedFolder();
  const answer = await actingAs(owner).userCollaborations.updateCollaborationById(collaboration.id, { requestBody: { role: 'owner' } });
  assert.equal(answer, undefined);
  assert.equal((await actingAs(guest).folders.getFolderById(folder.id)).ownedBy.id, guest.id);
  await refused(actingAs(owner).userCollaborations.getCollaborationById(collaboration.id), 404, 'not_found');
  const left = await actingAs(guest).listCollaborations.getFolderCollaborations(folder.id);
  assert.deepEqual(left.entries.map((c) => [c.accessibleBy.id, c.role]), [[owner.id, 'co-owner']]);
});

check('collaborations/refusals', async () => {
  const { owner, guest, folder } = await sharedFolder();
  const { userCollaborations } = actingAs(owner);
  const invite = (accessibleBy, item = { type: 'folder', id: folder.id }) => userCollaborations.createCollaboration({ item, accessibleBy, role: 'viewer' });
  await refused(invite({ type: 'user', id: guest.id }), 400, 'user_already_collaborator');
  await refused(invite({ type: 'user', id: guest.id }, { type: 'folder', id: '0' }), 400, 'collaborations_not_available_on_root_folder');
  const gone = await newUser();
  await admin.users.updateUserById(gone.id, { requestBody: { status: 'inactive' } });
  await refused(invite({ type: 'user', id: gone.id }), 400, 'cannot_invite_deactivated_user');
});

check('collaborations/an unknown login is pending', async () => {
  const { owner, folder } = await sharedFolder();
  const made = await actingAs(owner).userCollaborations.createCollaboration({
    item: { type: 'folder', id: folder.id }, accessibleBy: { type: 'user', login: 'nobody.yet@example.com' }, role: 'viewer',
  });
  assert.deepEqual([made.status, made.inviteEmail, made.item ?? null], ['pending', 'nobody.yet@example.com', null]);
  const mine = await actingAs(owner).listCollaborations.getCollaborations({ status: 'pending' });
  assert.equal(mine.entries.length, 0);
});

check('collaborations/on a single file', async () => {
  const [owner, guest] = [await newUser(), await newUser()];
  const id = JSON.parse(await control('POST', 'files', { owner: owner.id, name: 'one', size_bytes: 1 })).id;
  const made = await actingAs(owner).userCollaborations.createCollaboration({
    item: { type: 'file', id }, accessibleBy: { type: 'user', id: guest.id }, role: 'editor',
  });
  const listed = await actingAs(owner).listCollaborations.getFileCollaborations(id);
  assert.deepEqual(listed.entries.map((c) => [c.id, c.item.id]), [[made.id, id]]);
  assert.equal((await actingAs(guest).files.getFileById(id)).ownedBy.id, owner.id);
});
