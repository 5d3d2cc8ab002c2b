import assert from 'node:assert/strict';
import { actingAs, admin, check, control, newUser, refused, refusedUnread } from './kit.mjs';

const root = { id: '0' };

async function seedFile(owner, name, extra = {}) {
  return JSON.parse(await control('POST', 'files', { owner: owner.id, name, size_bytes: 7, ...extra })).id;
}

check('trash/list by both pagings, restore, purge', async () => {
  const user = await newUser();
  const client = actingAs(user);
  const ids = [];
  for (const name of ['a', 'b', 'c']) {
    const id = await seedFile(user, name);
    await client.files.deleteFileById(id);
    ids.push(id);
  }
  const byOffset = await client.trashedItems.getTrashedItems({ limit: 2, offset: 0 });
  assert.deepEqual([byOffset.totalCount, byOffset.entries.length], [3, 2]);
  const first = await client.trashedItems.getTrashedItems({ usemarker: true, limit: 2 });
  const second = await client.trashedItems.getTrashedItems({ usemarker: true, limit: 2, marker: first.nextMarker });
  assert.deepEqual([...first.entries, ...second.entries].map((e) => e.id), ids);
  const trashed = await client.trashedFiles.getTrashedFileById(ids[0]);
  assert.equal(trashed.itemStatus, 'trashed');
  assert.ok(trashed.trashedAt && trashed.purgedAt);
  await client.trashedFiles.restoreFileFromTrash(ids[0]);
  assert.equal((await client.files.getFileById(ids[0])).itemStatus, 'active');
  await client.trashedFiles.deleteTrashedFileById(ids[1]);
  await refused(client.trashedFiles.getTrashedFileById(ids[1]), 404, 'not_found');
  assert.deepEqual((await client.trashedItems.getTrashedItems()).entries.map((e) => e.id), [ids[2]]);
});

check('trash/what is not in it says so', async () => {
  const user = await newUser();
  const id = await seedFile(user, 'alive');
  await refused(actingAs(user).trashedFiles.getTrashedFileById(id), 404, 'not_trashed');
});

check('trash/a folder goes and comes back with all in it', async () => {
  const client = actingAs(await newUser());
  const folder = await client.folders.createFolder({ name: 'Top', parent: root });
  const inner = await client.folders.createFolder({ name: 'Inner', parent: { id: folder.id } });
  await client.folders.deleteFolderById(folder.id, { queryParams: { recursive: true } });
  assert.deepEqual((await client.trashedItems.getTrashedItems()).entries.map((e) => e.id), [folder.id]);
  assert.equal((await client.trashedFolders.getTrashedFolderById(folder.id)).itemStatus, 'trashed');
  await client.folders.createFolder({ name: 'Top', parent: root });
  await refused(client.trashedFolders.restoreFolderFromTrash(folder.id), 409, 'item_name_in_use');
  const back = await client.trashedFolders.restoreFolderFromTrash(folder.id, { requestBody: { name: 'Top again' } });
  assert.equal(back.name, 'Top again');
  assert.equal((await client.folders.getFolderById(inner.id)).itemStatus, 'active');
  await client.folders.deleteFolderById(folder.id, { queryParams: { recursive: true } });
  await client.trashedFolders.deleteTrashedFolderById(folder.id);
  await refused(client.folders.getFolderById(inner.id), 404, 'not_found');
});

check('trash/what is retained cannot be purged', async () => {
  const user = await newUser();
  const id = await seedFile(user, 'retained', { trashed: true, retained: true });
  const client = actingAs(user);
  await refusedUnread(client.trashedFiles.deleteTrashedFileById(id), client, 403, 'forbidden', 'DELETE', `/files/${id}/trash`);
});

check('trash/it counts as space and keeps its owner from being deleted', async () => {
  const user = await newUser();
  const client = actingAs(user);
  await client.files.deleteFileById(await seedFile(user, 'heavy'));
  assert.equal((await client.users.getUserMe({ fields: ['space_used'] })).spaceUsed, 7);
  const error = await refusedUnread(admin.users.deleteUserById(user.id), admin, 400, 'bad_request', 'DELETE', `/users/${user.id}`);
  assert.match(error.message, /User has managed content/);
});
