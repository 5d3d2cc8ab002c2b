import assert from 'node:assert/strict';
import { actingAs, admin, ccgClient, check, control, fresh, newUser, refused, refusedUnread, until } from './kit.mjs';

const { legalHoldPolicies: holds, legalHoldPolicyAssignments: held, retentionPolicies: policies, retentionPolicyAssignments: retained } = admin;

check('governance/a legal hold on a user, from its making to its release', async () => {
  const user = await newUser();
  const name = fresh('Example hold');
  const hold = await holds.createLegalHoldPolicy({ policyName: name });
  assert.deepEqual([hold.policyName, hold.status], [name, 'applying']);
  await refused(holds.createLegalHoldPolicy({ policyName: name }), 409, 'conflict');
  const body = { policyId: hold.id, assignTo: { type: 'user', id: user.id } };
  const assignment = await held.createLegalHoldPolicyAssignment(body);
  assert.deepEqual([assignment.assignedTo.type, assignment.assignedTo.id, assignment.legalHoldPolicy.id], ['user', user.id, hold.id]);
  await refused(held.createLegalHoldPolicyAssignment(body), 409, 'conflict');
  const ofUser = await held.getLegalHoldPolicyAssignments({ policyId: hold.id, assignToType: 'user', assignToId: user.id });
  assert.deepEqual(ofUser.entries.map((a) => a.id), [assignment.id]);
  const ofOwners = await held.getLegalHoldPolicyAssignments({ policyId: hold.id, assignToType: 'ownership' });
  assert.equal(ofOwners.entries.length, 0);
  assert.equal((await held.getLegalHoldPolicyAssignmentById(assignment.id)).assignedTo.id, user.id);
  const active = await until('the hold to be applied', async () => {
    const policy = await holds.getLegalHoldPolicyById(hold.id);
    return policy.status === 'active' && policy;
  });
  assert.equal(active.assignmentCounts.user, 1);
  const noted = await holds.updateLegalHoldPolicyById(hold.id, { requestBody: { description: 'changed', releaseNotes: 'none' } });
  assert.deepEqual([noted.description, noted.releaseNotes], ['changed', 'none']);
  await held.deleteLegalHoldPolicyAssignmentById(assignment.id);
  await holds.deleteLegalHoldPolicyById(hold.id);
  await until('the hold to be released', async () => (await holds.getLegalHoldPolicyById(hold.id)).status === 'released');
});

check('governance/a folder under hold and its files', async () => {
  const user = await newUser();
  const folder = await actingAs(user).folders.createFolder({ name: 'Held', parent: { id: '0' } });
  const file = JSON.parse(await control('POST', 'files', { parent: folder.id, name: 'evidence', size_bytes: 5 })).id;
  const hold = await holds.createLegalHoldPolicy({ policyName: fresh('Folder hold') });
  const { id } = await held.createLegalHoldPolicyAssignment({ policyId: hold.id, assignTo: { type: 'folder', id: folder.id } });
  const files = await held.getLegalHoldPolicyAssignmentFileOnHold(id);
  assert.deepEqual(files.entries.map((f) => f.id), [file]);
  await held.deleteLegalHoldPolicyAssignmentById(id);
  await holds.deleteLegalHoldPolicyById(hold.id);
});

check('governance/retention keeps a trashed file, until it is taken away', async () => {
  const user = await newUser();
  const client = actingAs(user);
  const folder = await client.folders.createFolder({ name: 'Retained', parent: { id: '0' } });
  const file = JSON.parse(await control('POST', 'files', { parent: folder.id, name: 'kept', size_bytes: 5 })).id;
  const policy = await policies.createRetentionPolicy({
    policyName: fresh('Example retention'), policyType: 'finite', retentionLength: '30', dispositionAction: 'remove_retention',
  });
  assert.deepEqual([policy.status, policy.retentionLength], ['active', '30']);
  const assignment = await retained.createRetentionPolicyAssignment({ policyId: policy.id, assignTo: { type: 'folder', id: folder.id } });
  const listed = await retained.getRetentionPolicyAssignments(policy.id, { queryParams: { type: 'folder' } });
  assert.deepEqual(listed.entries.map((a) => a.id), [assignment.id]);
  assert.equal((await retained.getRetentionPolicyAssignmentById(assignment.id)).assignedTo.id, folder.id);
  const under = await retained.getFilesUnderRetentionPolicyAssignment(assignment.id);
  assert.deepEqual(under.entries.map((f) => f.id), [file]);
  const found = await policies.getRetentionPolicies({ policyName: policy.policyName });
  assert.deepEqual(found.entries.map((p) => p.id), [policy.id]);
  await client.files.deleteFileById(file);
  const purge = () => client.trashedFiles.deleteTrashedFileById(file);
  await refusedUnread(purge(), client, 403, 'forbidden', 'DELETE', `/files/${file}/trash`);
  await refusedUnread(policies.deleteRetentionPolicyById(policy.id), admin, 403, 'forbidden', 'DELETE', `/retention_policies/${policy.id}`);
  await retained.deleteRetentionPolicyAssignmentById(assignment.id);
  await purge();
  const retired = await policies.updateRetentionPolicyById(policy.id, { requestBody: { status: 'retired' } });
  assert.equal(retired.status, 'retired');
  assert.equal((await policies.getRetentionPolicyById(policy.id)).status, 'retired');
  await policies.deleteRetentionPolicyById(policy.id);
});

check('governance/policies page by marker', async () => {
  const prefix = fresh('Paged hold');
  for (const n of [1, 2, 3]) {
    await control('POST', 'policies', { kind: 'legal_hold_policy', name: `${prefix} ${n}`, status: 'released' });
  }
  const first = await holds.getLegalHoldPolicies({ policyName: prefix, limit: 2 });
  const second = await holds.getLegalHoldPolicies({ policyName: prefix, limit: 2, marker: first.nextMarker });
  assert.deepEqual([first.entries.length, second.entries.length], [2, 1]);
});

check('governance/a plain user reads none', async () => {
  const user = await newUser();
  await refused(ccgClient(user.id).legalHoldPolicies.getLegalHoldPolicies(), 403, 'access_denied_insufficient_permissions');
});

check('governance/without the scope nobody does', async () => {
  await control('POST', 'switches', { no_governance_scope: true });
  try {
    await refused(holds.getLegalHoldPolicies(), 403, 'insufficient_scope');
  } finally {
    await control('POST', 'switches', { no_governance_scope: false });
  }
});
