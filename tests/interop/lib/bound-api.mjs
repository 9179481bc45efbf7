// An API that takes bound tokens (RFC 9449 §7): oauth4webapi checks the token and the proof, express does the rest.

import { once } from 'node:events';
import express from 'express';
import * as oauth from 'oauth4webapi';
import { INSECURE } from './oauth4webapi.mjs';

export const AUDIENCE = 'https://api.example.com/';

/** `stop()` ends it; `url` is what to ask. */
export async function startBoundApi(server) {
  const app = express();
  app.get('/me', async (request, response) => {
    const url = `http://${request.get('host')}${request.originalUrl}`;
    const asked = new Request(url, { headers: request.headers });
    try {
      const options = { ...INSECURE, requireDPoP: true };
      response.json(await oauth.validateJwtAccessToken(server, asked, AUDIENCE, options));
    } catch (error) {
      response.status(401).json({ message: error.message });
    }
  });
  const listener = app.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${listener.address().port}/me`),
    stop() {
      listener.closeAllConnections();
      listener.close();
    },
  };
}
