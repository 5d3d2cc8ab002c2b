import assert from 'node:assert/strict';
import { actingAs, admin, check, fresh, newUser, refused, refusedUnread } from './kit.mjs';

const root = { id: '0' };

check('folders/create, rename, move, delete', async () => {
  const client = actingAs(await newUser());
  const { folders } = client;
  const [a, b] = [await folders.createFolder({ name: 'A', parent: root }), await folders.createFolder({ name: 'B', parent: root })];
  assert.deepEqual([a.name, a.parent.id, a.itemStatus, a.pathCollection.totalCount], ['A', '0', 'active', 1]);
  const renamed = await folders.updateFolderById(a.id, { requestBody: { name: 'A2', description: 'renamed' } });
  assert.deepEqual([renamed.name, renamed.description], ['A2', 'renamed']);
  const moved = await folders.updateFolderById(a.id, { requestBody: { parent: { id: b.id } } });
  assert.equal(moved.parent.id, b.id);
  assert.deepEqual(moved.pathCollection.entries.map((e) => e.id), ['0', b.id]);
  await refusedUnread(folders.deleteFolderById(b.id), client, 400, 'folder_not_empty', 'DELETE', `/folders/${b.id}`);
  await folders.deleteFolderById(b.id, { queryParams: { recursive: true } });
  await refused(folders.getFolderById(a.id), 404, 'trashed');
});

check('folders/a name that is used names the other item', async () => {
  const { folders } = actingAs(await newUser());
  const folder = await folders.createFolder({ name: 'Same', parent: root });
  const error = await refused(folders.createFolder({ name: 'same', parent: root }), 409, 'item_name_in_use');
  assert.equal(error.context_info.conflicts[0].id, folder.id);
});

check('folders/names and places that cannot be', async () => {
  const { folders } = actingAs(await newUser());
  await refused(folders.createFolder({ name: '..', parent: root }), 400, 'item_name_invalid');
  await refused(folders.createFolder({ name: 'x'.repeat(256), parent: root }), 400, 'item_name_too_long');
  await refused(folders.createFolder({ name: 'Lost', parent: { id: '1' } }), 404, 'not_found');
  const outer = await folders.createFolder({ name: 'Outer', parent: root });
  const inner = await folders.createFolder({ name: 'Inner', parent: { id: outer.id } });
  await refused(folders.updateFolderById(outer.id, { requestBody: { parent: { id: inner.id } } }), 400, 'cyclical_folder_structure');
});

check('folders/a stale etag is refused', async () => {
  const { folders } = actingAs(await newUser());
  const folder = await folders.createFolder({ name: 'Tagged', parent: root });
  const change = { requestBody: { description: 'once' }, headers: { ifMatch: folder.etag } };
  await folders.updateFolderById(folder.id, change);
  await refused(folders.updateFolderById(folder.id, change), 412, 'precondition_failed');
});

check('folders/items by both pagings', async () => {
  const { folders } = actingAs(await newUser());
  const parent = await folders.createFolder({ name: fresh('Full'), parent: root });
  const want = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    want.push((await folders.createFolder({ name, parent: { id: parent.id } })).id);
  }
  const byOffset = [];
  for (;;) {
    const page = await folders.getFolderItems(parent.id, { queryParams: { limit: 2, offset: byOffset.length } });
    byOffset.push(...page.entries.map((e) => e.id));
    if (byOffset.length >= page.totalCount) {
      break;
    }
  }
  assert.deepEqual(byOffset, want);
  const byMarker = [];
  for (let marker; ;) {
    const page = await folders.getFolderItems(parent.id, { queryParams: { usemarker: true, limit: 2, marker } });
    byMarker.push(...page.entries.map((e) => e.id));
    marker = page.nextMarker;
    if (!marker) {
      break;
    }
  }
  assert.deepEqual(byMarker, want);
});

check('folders/items are mini unless fields are named', async () => {
  const user = await newUser();
  const { folders } = actingAs(user);
  await folders.createFolder({ name: 'One', parent: root });
  const [mini] = (await folders.getFolderItems('0')).rawData.entries;
  assert.deepEqual([mini.name, mini.owned_by, mini.size], ['One', undefined, undefined]);
  const [full] = (await folders.getFolderItems('0', { queryParams: { fields: ['owned_by', 'size', 'name'] } })).rawData.entries;
  assert.deepEqual([full.owned_by.id, full.size], [user.id, 0]);
});

check('folders/the root is everybody\'s own', async () => {
  const user = await newUser();
  const { folders } = actingAs(user);
  const top = await folders.getFolderById('0');
  assert.deepEqual([top.name, top.rawData.etag, top.rawData.created_at], ['All Files', null, null]);
  assert.equal(top.itemCollection.totalCount, 0);
});

check('folders/a copy is another folder with copies in it', async () => {
  const { folders } = actingAs(await newUser());
  const original = await folders.createFolder({ name: 'Original', parent: root });
  await folders.createFolder({ name: 'Inside', parent: { id: original.id } });
  const copy = await folders.copyFolder(original.id, { parent: root, name: 'Copy' });
  assert.notEqual(copy.id, original.id);
  const [inside] = (await folders.getFolderItems(copy.id)).entries;
  assert.equal(inside.name, 'Inside');
  await refused(folders.copyFolder(original.id, { parent: root }), 409, 'item_name_in_use');
});

check('folders/what others own is not found', async () => {
  const folder = await actingAs(await newUser()).folders.createFolder({ name: 'Private', parent: root });
  await refused(actingAs(await newUser()).folders.getFolderById(folder.id), 404, 'not_found');
  await refused(admin.folders.getFolderById(folder.id), 404, 'not_found');
});

check('folders/a lock forbids to move and to delete', async () => {
  const client = actingAs(await newUser());
  const { folders, folderLocks } = client;
  const [locked, other] = [await folders.createFolder({ name: 'Locked', parent: root }), await folders.createFolder({ name: 'Other', parent: root })];
  const lock = await folderLocks.createFolderLock({ folder: { type: 'folder', id: locked.id }, lockedOperations: { move: true, delete: true } });
  assert.deepEqual([lock.folder.id, lock.lockedOperations.move], [locked.id, true]);
  const listed = await folderLocks.getFolderLocks({ folderId: locked.id });
  assert.deepEqual(listed.entries.map((l) => l.id), [lock.id]);
  await refused(folders.updateFolderById(locked.id, { requestBody: { parent: { id: other.id } } }), 403, 'access_denied_item_locked');
  await refusedUnread(folders.deleteFolderById(locked.id), client, 403, 'access_denied_item_locked', 'DELETE', `/folders/${locked.id}`);
  await folderLocks.deleteFolderLockById(lock.id);
  await folders.deleteFolderById(locked.id);
});
