// The keys of an application that signs: made here, registered by their public half.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateKeyPair } from 'oauth4webapi';

/** `key`: what both libraries sign with; `jwk`: the public half. */
export async function newKey(alg, kid = `key-${alg}`) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  return { alg, kid, key: { key: privateKey, kid }, jwk: { kty, crv, x, y, n, e, kid, use: 'sig' } };
}

/** Adds an application that authenticates with these keys (`private_key_jwt`). */
export async function addSigner(doorlight, name, keys, settings = {}) {
  const file = path.join(doorlight.folder, `${name.replaceAll(/\W+/g, '-')}.jwks.json`);
  await writeFile(file, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  return doorlight.addClient(name, {
    'auth-method': 'private_key_jwt', 'jwks-file': file, ...settings,
  });
}
