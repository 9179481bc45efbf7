// oauth4webapi, the low-level library of the same author: each step by itself, so that a suite can leave one out or
// bend it. One instance is one application at one Doorlight.

import * as oauth from 'oauth4webapi';

export const REDIRECT = 'http://127.0.0.1:9/callback';

export const INSECURE = { [oauth.allowInsecureRequests]: true };

export async function discover(doorlight) {
  const issuer = new URL(doorlight.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, INSECURE));
}

export class RelyingParty {
  /** `registered`: what made the application; `authentication`: how it proves who it is. */
  constructor(server, registered, authentication, { redirect = REDIRECT, scope = 'openid email' } = {}) {
    this.server = server;
    // All that it must know of itself; the rest of what the command line prints is not client metadata.
    this.client = { client_id: registered.client_id };
    this.authentication = authentication;
    this.redirect = redirect;
    this.scope = scope;
  }

  /** A fresh request, and what its answers are checked against. */
  async request(more = {}) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const parameters = {
      client_id: this.client.client_id,
      response_type: 'code',
      redirect_uri: this.redirect,
      scope: this.scope,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    };
    return { parameters, verifier, state, nonce };
  }

  url(parameters) {
    const url = new URL(this.server.authorization_endpoint);
    url.search = new URLSearchParams(parameters);
    return url.href;
  }

  /** Pushes (RFC 9126); answers the parameters that a browser carries instead. */
  async push(parameters, { authentication = this.authentication, DPoP } = {}) {
    const { server, client } = this;
    const options = { ...INSECURE, DPoP };
    const response = await oauth.pushedAuthorizationRequest(
      server, client, authentication, parameters, options,
    );
    const pushed = await oauth.processPushedAuthorizationResponse(server, client, response);
    return { client_id: client.client_id, request_uri: pushed.request_uri };
  }

  /** The parameters as an object signed by the application (RFC 9101). */
  async sign(parameters, key) {
    const { server, client } = this;
    const request = await oauth.issueRequestObject(server, client, parameters, key);
    return { client_id: client.client_id, request };
  }

  /** What came back, with `state` and `iss` checked; the signature too where the answer is signed (JARM). */
  async returned(page, { state }) {
    const parameters = page.posted ?? new URL(page.url).searchParams;
    return parameters.has('response')
      ? oauth.validateJwtAuthResponse(this.server, this.client, parameters, state, INSECURE)
      : oauth.validateAuthResponse(this.server, this.client, parameters, state);
  }

  /** Redeems a code; all that the library checks is checked, the signature of the ID token too. */
  async redeem(callback, { verifier, nonce }, { authentication = this.authentication, DPoP } = {}) {
    const { server, client } = this;
    const response = await oauth.authorizationCodeGrantRequest(
      server, client, authentication, callback, this.redirect, verifier, { ...INSECURE, DPoP },
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce, requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, response, INSECURE);
    return tokens;
  }

  async refresh(token, { authentication = this.authentication, DPoP } = {}) {
    const { server, client } = this;
    const response = await oauth.refreshTokenGrantRequest(
      server, client, authentication, token, { ...INSECURE, DPoP },
    );
    return oauth.processRefreshTokenResponse(server, client, response);
  }

  async userinfo(token, subject, { DPoP } = {}) {
    const { server, client } = this;
    const response = await oauth.userInfoRequest(server, client, token, { ...INSECURE, DPoP });
    return oauth.processUserInfoResponse(server, client, subject, response);
  }

  /** A token of its own, with no person in it. */
  async ownToken({ authentication = this.authentication, DPoP } = {}) {
    const { server, client } = this;
    const response = await oauth.clientCredentialsGrantRequest(
      server, client, authentication, {}, { ...INSECURE, DPoP },
    );
    return oauth.processClientCredentialsResponse(server, client, response);
  }

  /** The whole way of a person: `carry` makes of the parameters what the browser takes along. */
  async signIn(browser, { carry = (parameters) => parameters, more, DPoP } = {}) {
    const request = await this.request(more);
    const url = this.url(await carry(request.parameters));
    const page = await browser.authorize(url, { until: this.redirect });
    const tokens = await this.redeem(await this.returned(page, request), request, { DPoP });
    return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), page };
  }
}
