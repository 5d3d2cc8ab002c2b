import assert from 'node:assert/strict';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import {
  adminId, baseUrl, ccgClient, check, clientId, clientOf, clientSecret, control, enterpriseId, networkSession, newUser, requestsOf, sdk,
} from './kit.mjs';

function ccgAuth(overrides = {}) {
  return new sdk.BoxCcgAuth({ config: new sdk.CcgConfig({ clientId, clientSecret, userId: adminId, ...overrides }) });
}

async function tokenRefused(promise, error, description) {
  const failure = await promise.then(() => undefined, (e) => e);
  assert.ok(failure, `expected ${error}, but a token was given`);
  assert.equal(failure.responseInfo.statusCode, 400);
  assert.equal(failure.responseInfo.body.error, error);
  assert.match(failure.responseInfo.body.error_description, description);
}

check('tokens/client credentials', async () => {
  const token = await ccgAuth().refreshToken(networkSession);
  assert.equal(token.tokenType, 'bearer');
  assert.ok(token.expiresIn > 0 && token.expiresIn <= 4200, `expires_in ${token.expiresIn}`);
  assert.deepEqual([token.refreshToken, token.restrictedTo], [undefined, []]);
});

check('tokens/wrong credentials and unknown subjects are one refusal', async () => {
  for (const wrong of [{ clientSecret: 'wrong' }, { clientId: 'nobody' }, { userId: '1' }]) {
    await tokenRefused(ccgAuth(wrong).refreshToken(networkSession), 'invalid_grant', /Grant credentials are invalid/);
  }
});

check('tokens/an expired token is renewed in passing', async () => {
  const user = await newUser();
  const client = ccgClient(user.id);
  assert.equal((await client.users.getUserMe()).id, user.id);
  const before = await client.auth.retrieveToken();
  await control('POST', 'tokens/expire', { user: user.id });
  assert.equal((await client.users.getUserMe()).id, user.id);
  assert.notEqual((await client.auth.retrieveToken()).accessToken, before.accessToken);
  assert.deepEqual((await requestsOf('users.me')).slice(-2).map((r) => r.status), [401, 200]);
});

check('tokens/a revoked token opens nothing', async () => {
  const auth = ccgAuth();
  const { accessToken } = await auth.retrieveToken(networkSession);
  const client = new sdk.BoxClient({ auth: new sdk.BoxDeveloperTokenAuth({ token: accessToken, config: {} }), networkSession });
  assert.equal((await client.users.getUserMe()).id, adminId);
  await auth.revokeToken(networkSession);
  await assert.rejects(client.users.getUserMe());
});

/** A signed-in user with the three-legged grant. */
async function oauth(user) {
  const auth = new sdk.BoxOAuth({ config: new sdk.OAuthConfig({ clientId, clientSecret }) });
  const { code } = JSON.parse(await control('POST', 'codes', { user: user.id }));
  const token = await auth.getTokensAuthorizationCodeGrant(code, networkSession);
  return { auth, token, code, client: clientOf(auth) };
}

check('tokens/an authorization code works once', async () => {
  const user = await newUser();
  const { auth, token, code, client } = await oauth(user);
  assert.ok(token.refreshToken);
  assert.equal((await client.users.getUserMe()).id, user.id);
  await tokenRefused(auth.getTokensAuthorizationCodeGrant(code, networkSession), 'invalid_grant', /Auth code/);
});

check('tokens/refresh tokens rotate, and each works once', async () => {
  const user = await newUser();
  const { auth, token, client } = await oauth(user);
  const storage = auth.tokenStorage;
  await control('POST', 'tokens/expire', { user: user.id });
  assert.equal((await client.users.getUserMe()).id, user.id);
  const second = await storage.get();
  assert.notEqual(second.accessToken, token.accessToken);
  assert.notEqual(second.refreshToken, token.refreshToken);
  await storage.store(token); // another worker that still holds the old pair
  await tokenRefused(auth.refreshToken(networkSession), 'invalid_grant', /Invalid refresh token/);
  await storage.store(second);
  assert.equal((await client.users.getUserMe()).id, user.id);
});

check('tokens/revoking one of a pair ends both', async () => {
  const { auth, client } = await oauth(await newUser());
  await auth.revokeToken(networkSession);
  await tokenRefused(client.users.getUserMe(), 'invalid_grant', /Invalid refresh token/);
});

/** The configuration Box's console hands out, with a key pair made here. */
async function jwtConfig({ known = true } = {}) {
  const passphrase = 'not-a-secret-of-anybody';
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  });
  if (known) {
    await control('POST', 'app_keys', { kid: 'examplekey', public_key: publicKey });
  }
  const appAuth = { publicKeyID: 'examplekey', privateKey, passphrase };
  return JSON.stringify({ boxAppSettings: { clientID: clientId, clientSecret, appAuth }, enterpriseID: enterpriseId });
}

check('tokens/JWT: as the service account, as a user, and with a key nobody knows', async () => {
  const user = await newUser();
  const auth = new sdk.BoxJwtAuth({ config: sdk.JwtConfig.fromConfigJsonString(await jwtConfig()) });
  const client = clientOf(auth);
  assert.match((await client.users.getUserMe()).login, /^AutomationUser_/);
  await auth.refreshToken(networkSession); // a new assertion, with a new jti
  assert.equal((await clientOf(auth.withUserSubject(user.id)).users.getUserMe()).id, user.id);
  const unknown = new sdk.BoxJwtAuth({ config: sdk.JwtConfig.fromConfigJsonString(await jwtConfig({ known: false })) });
  await tokenRefused(unknown.refreshToken(networkSession), 'invalid_grant', /signature/);
  await tokenRefused(auth.withUserSubject('1').refreshToken(networkSession), 'invalid_grant', /'sub' claim/);
});

check('tokens/JWT: one assertion does not sign in twice', async () => {
  const sent = [];
  const spy = { beforeRequest: (options) => (sent.push(options.data), options), afterRequest: (response) => response };
  const auth = new sdk.BoxJwtAuth({ config: sdk.JwtConfig.fromConfigJsonString(await jwtConfig()) });
  await auth.refreshToken(networkSession.withInterceptors([spy]));
  const again = await fetch(`${baseUrl}/oauth2/token`, { method: 'POST', body: new URLSearchParams(sent[0]) });
  assert.deepEqual([again.status, (await again.json()).error], [400, 'invalid_grant']);
});
