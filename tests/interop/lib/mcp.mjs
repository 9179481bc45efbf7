// Both ends of the Model Context Protocol, made with its official TypeScript SDK: a server that knows only the issuer
// and checks access tokens with jose, and a client that finds its way from the server's address alone.

import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import {
  getOAuthProtectedResourceMetadataUrl, mcpAuthMetadataRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { freePort } from './doorlight.mjs';

export const REDIRECT = 'http://127.0.0.1:9/callback';

/**
 * A server of notes. `url` is its address and the audience of its tokens; `needs` are the scopes without which nobody
 * is let in; `clock` is its time in seconds, undefined: the true one; `stop()` ends it.
 */
export async function startMcpServer(issuer, { supports, needs = [] }) {
  const port = await freePort();
  const mcp = { url: `http://127.0.0.1:${port}/mcp`, needs, clock: undefined };
  const oauthMetadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
  const keys = createRemoteJWKSet(new URL(oauthMetadata.jwks_uri));
  const verifier = {
    async verifyAccessToken(token) {
      const currentDate = mcp.clock && new Date(mcp.clock * 1000);
      const { payload } = await jwtVerify(token, keys, {
        issuer, audience: mcp.url, typ: 'at+jwt', algorithms: ['ES256'], currentDate,
      }).catch((error) => {
        throw new InvalidTokenError(error.message);
      });
      return {
        token,
        clientId: payload.client_id,
        scopes: (payload.scope ?? '').split(' '),
        expiresAt: payload.exp,
        resource: new URL(mcp.url),
        extra: { subject: payload.sub },
      };
    },
  };
  const app = createMcpExpressApp();
  app.use(mcpAuthMetadataRouter({
    oauthMetadata, resourceServerUrl: new URL(mcp.url), scopesSupported: supports,
  }));
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(mcp.url));
  const protect = (request, response, next) => {
    requireBearerAuth({ verifier, requiredScopes: mcp.needs, resourceMetadataUrl })(request, response, next);
  };
  app.post('/mcp', protect, async (request, response) => {
    const server = notes();
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on('close', () => {
      transport.close();
      server.close();
    });
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  app.all('/mcp', (request, response) => response.status(405).end());
  const listener = app.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  mcp.stop = () => {
    listener.closeAllConnections();
    listener.close();
  };
  return mcp;
}

function notes() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('whose', { description: 'Whose notes these are' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: `${authInfo.extra.subject} by ${authInfo.clientId}` }],
  }));
  return server;
}

/** An application that knows a server's address and nothing else; it keeps what the SDK gives it. */
export class McpApp {
  /** `metadata`: what it says of itself when it registers; `fetch`: how it reaches the network. */
  constructor(mcp, { metadata = {}, fetch: reach = fetch, provider = {} } = {}) {
    this.mcp = mcp;
    this.kept = {};
    /** Where it was, in order. */
    this.visited = [];
    const { kept } = this;
    this.provider = {
      redirectUrl: REDIRECT,
      clientMetadata: {
        client_name: 'Notes reader',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        ...metadata,
      },
      state: () => (kept.state = crypto.randomUUID()),
      clientInformation: () => kept.client,
      saveClientInformation: (client) => { kept.client = client; },
      tokens: () => kept.tokens,
      saveTokens: (tokens) => { kept.tokens = tokens; },
      saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
      codeVerifier: () => kept.verifier,
      redirectToAuthorization: (url) => { kept.leave = url; },
      ...provider,
    };
    this.fetch = (url, init) => {
      this.visited.push(`${init?.method ?? 'GET'} ${url}`);
      return reach(url, init);
    };
  }

  /** Connects; rejects with `UnauthorizedError` where a person must be asked first. */
  async connect() {
    this.transport = new StreamableHTTPClientTransport(new URL(this.mcp.url), {
      authProvider: this.provider, fetch: this.fetch,
    });
    this.client = new Client({ name: 'reader', version: '1.0.0' });
    await this.client.connect(this.transport);
  }

  /** Takes the person to Doorlight and back; answers what the browser came to. */
  async ask(browser) {
    const page = await browser.authorize(this.kept.leave.href, { until: REDIRECT });
    return { asked: page.asked, answer: new URL(page.url).searchParams };
  }

  /** What the SDK does with the answer. */
  async finish(answer) {
    if (answer.get('state') !== this.kept.state) throw new Error('another state came back');
    await this.transport.finishAuth(answer.get('code'));
  }

  async whose() {
    const { content } = await this.client.callTool({ name: 'whose' });
    return content[0].text;
  }
}
