import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { actingAs, check, newUser, refused, refusedUnread } from './kit.mjs';

const root = { id: '0' };

function upload(client, name, text, parent = root, file = Readable.from([Buffer.from(text)])) {
  return client.uploads.uploadFile({ attributes: { name, parent }, file });
}

async function read(stream) {
  const parts = [];
  for await (const part of stream) {
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts).toString();
}

check('files/upload, read, download', async () => {
  const user = await newUser();
  const client = actingAs(user);
  const files = await upload(client, 'note.txt', 'example content');
  assert.equal(files.totalCount, 1);
  const [file] = files.entries;
  assert.deepEqual([file.name, file.size, file.ownedBy.id], ['note.txt', 15, user.id]);
  assert.equal(file.sha1, createHash('sha1').update('example content').digest('hex'));
  assert.equal(await read(await client.downloads.downloadFile(file.id)), 'example content');
  assert.match(await client.downloads.getDownloadFileUrl(file.id), /^http/);
  assert.equal((await client.users.getUserMe({ fields: ['space_used'] })).spaceUsed, 15);
});

check('files/an upload of nothing', async () => {
  const client = actingAs(await newUser());
  const [file] = (await upload(client, 'empty', '')).entries;
  assert.equal(file.size, 0);
  assert.equal(await read(await client.downloads.downloadFile(file.id)), '');
});

check('files/a new version replaces the content', async () => {
  const client = actingAs(await newUser());
  const [file] = (await upload(client, 'note.txt', 'first')).entries;
  const again = await client.uploads.uploadFileVersion(file.id, {
    attributes: { name: 'note.txt' }, file: Readable.from([Buffer.from('second one')]),
  });
  assert.deepEqual([again.entries[0].id, again.entries[0].size], [file.id, 10]);
  assert.notEqual(again.entries[0].etag, file.etag);
  assert.equal(await read(await client.downloads.downloadFile(file.id)), 'second one');
});

check('files/preflight and upload refuse a name that is used', async () => {
  const client = actingAs(await newUser());
  const [file] = (await upload(client, 'note.txt', 'x')).entries;
  const preflight = client.uploads.preflightFileUploadCheck({ name: 'NOTE.txt', size: 1, parent: root });
  const error = await refused(preflight, 409, 'item_name_in_use');
  assert.equal([error.context_info.conflicts].flat()[0].id, file.id);
  await refused(upload(client, 'note.txt', 'y'), 409, 'item_name_in_use');
  const free = await client.uploads.preflightFileUploadCheck({ name: 'other.txt', size: 1, parent: root });
  assert.match(free.uploadUrl, /^http/);
});

check('files/an upload with a preflight', async () => {
  const client = actingAs(await newUser());
  const files = await client.uploads.uploadWithPreflightCheck({
    attributes: { name: 'checked.txt', parent: root, size: 3 }, file: Readable.from([Buffer.from('abc')]),
  });
  assert.equal(files.entries[0].size, 3);
});

check('files/a digest that does not fit is refused', async () => {
  const client = actingAs(await newUser()).withExtraHeaders({ 'content-md5': '0'.repeat(40) });
  await refused(upload(client, 'broken.txt', 'abc'), 400, 'bad_digest');
});

check('files/no room, no upload', async () => {
  const client = actingAs(await newUser({ spaceAmount: 10 }));
  await refused(upload(client, 'large.txt', 'more than ten bytes'), 403, 'storage_limit_exceeded');
});

check('files/rename, move, delete', async () => {
  const client = actingAs(await newUser());
  const folder = await client.folders.createFolder({ name: 'Folder', parent: root });
  const [file] = (await upload(client, 'note.txt', 'x')).entries;
  const moved = await client.files.updateFileById(file.id, { requestBody: { name: 'new.txt', parent: { id: folder.id } } });
  assert.deepEqual([moved.name, moved.parent.id], ['new.txt', folder.id]);
  await client.files.deleteFileById(file.id);
  await refused(client.files.getFileById(file.id), 404, 'trashed');
  await refusedUnread(client.downloads.downloadFile(file.id), client, 404, 'trashed', 'GET', `/files/${file.id}/content`);
});

check('files/a shared link comes and goes', async () => {
  const client = actingAs(await newUser());
  const [file] = (await upload(client, 'shared.txt', 'x')).entries;
  const linked = await client.sharedLinksFiles.addShareLinkToFile(file.id, { sharedLink: { access: 'company' } }, { fields: 'shared_link' });
  assert.equal(linked.sharedLink.access, 'company');
  const gone = await client.sharedLinksFiles.removeSharedLinkFromFile(file.id, { sharedLink: null }, { fields: 'shared_link' });
  assert.equal(gone.sharedLink ?? null, null);
});

check('files/a copy has the content and is another file', async () => {
  const client = actingAs(await newUser());
  const [file] = (await upload(client, 'note.txt', 'copied')).entries;
  const copy = await client.files.copyFile(file.id, { parent: root, name: 'copy.txt' });
  assert.notEqual(copy.id, file.id);
  assert.equal(copy.sha1, file.sha1);
  await client.files.deleteFileById(file.id);
  assert.equal(await read(await client.downloads.downloadFile(copy.id)), 'copied');
});

check('web links/create, change, delete, restore, purge', async () => {
  const client = actingAs(await newUser());
  const link = await client.webLinks.createWebLink({ url: 'https://www.example.com/a', name: 'Example', parent: root });
  assert.deepEqual([link.url, link.name, link.parent.id], ['https://www.example.com/a', 'Example', '0']);
  const changed = await client.webLinks.updateWebLinkById(link.id, { requestBody: { url: 'https://www.example.com/b', name: 'Changed' } });
  assert.deepEqual([changed.url, changed.name], ['https://www.example.com/b', 'Changed']);
  await client.webLinks.deleteWebLinkById(link.id);
  assert.equal((await client.trashedWebLinks.getTrashedWebLinkById(link.id)).itemStatus, 'trashed');
  await client.trashedWebLinks.restoreWeblinkFromTrash(link.id);
  assert.equal((await client.webLinks.getWebLinkById(link.id)).itemStatus, 'active');
  await client.webLinks.deleteWebLinkById(link.id);
  await client.trashedWebLinks.deleteTrashedWebLinkById(link.id);
  await refused(client.webLinks.getWebLinkById(link.id), 404, 'not_found');
});
