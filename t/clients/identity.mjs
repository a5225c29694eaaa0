/*
 * Copyright (C) the chat module's authors
 *
 * A small identity provider (OpenID Connect Core, the authorization code flow
 * with PKCE), and a proxy that speaks to it as OAuth2 Proxy does: what stands
 * in front of nginx in conf/examples/door_openid.conf.
 */

import { createHash, createPublicKey, createSign, createVerify,
         generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';

const client = { id: 'chat', secret: 'a secret of the two' };

const random = () => randomBytes(16).toString('base64url');
const sha256 = (text) => createHash('sha256').update(text)
                         .digest('base64url');
const part = (object) => Buffer.from(JSON.stringify(object))
                         .toString('base64url');
const parse = (text) => JSON.parse(Buffer.from(text, 'base64url'));


function serve(port, routes) {
    const server = http.createServer(async (req, res) => {
        const url = new URL(req.url, `http://${req.headers.host}`);
        const parts = [];

        for await (const chunk of req) {
            parts.push(chunk);
        }

        const reply = (status, headers = {}, body = '') => {
            res.writeHead(status, headers).end(body);
        };

        try {
            await (routes[url.pathname] ?? (() => reply(404)))(
                { url, reply, headers: req.headers,
                  form: new URLSearchParams(Buffer.concat(parts).toString()) });

        } catch (error) {
            reply(500, {}, String(error));
        }
    });

    return new Promise((resolve) => {
        server.listen(port, '127.0.0.1',
                      () => resolve(`http://127.0.0.1:${server.address().port}`));
    });
}


/*
 * people: name -> claims.  Who logs in is what "login_hint" says; fault changes
 * what the provider does: "key", "issuer", "audience", "nonce", "expired".
 */

export async function provider(people) {
    const keys = { good: generateKeyPairSync('rsa', { modulusLength: 2048 }),
                   other: generateKeyPairSync('rsa', { modulusLength: 2048 }) };
    const codes = new Map();
    const idp = { fault: '' };

    const sign = (claims) => {
        const input = `${part({ alg: 'RS256', kid: '1' })}.${part(claims)}`;
        const key = idp.fault === 'key' ? keys.other : keys.good;

        return `${input}.${createSign('sha256').update(input)
                           .sign(key.privateKey, 'base64url')}`;
    };

    idp.issuer = await serve(0, {

        '/authorize'({ url, reply }) {
            const query = Object.fromEntries(url.searchParams);

            if (query.client_id !== client.id
                || query.code_challenge_method !== 'S256'
                || !Object.hasOwn(people, idp.user))
            {
                reply(400);
                return;
            }

            const code = random();

            codes.set(code, { ...query, user: idp.user });

            const back = new URL(query.redirect_uri);

            back.searchParams.set('code', code);
            back.searchParams.set('state', query.state);
            reply(302, { Location: back.href });
        },

        '/token'({ form, reply }) {
            const grant = codes.get(form.get('code'));

            codes.delete(form.get('code'));

            if (!grant || form.get('client_secret') !== client.secret
                || form.get('redirect_uri') !== grant.redirect_uri
                || sha256(form.get('code_verifier')) !== grant.code_challenge)
            {
                reply(400, {}, '{"error":"invalid_grant"}');
                return;
            }

            const now = Math.floor(Date.now() / 1000);
            const claims = {
                iss: idp.fault === 'issuer' ? 'https://other' : idp.issuer,
                aud: idp.fault === 'audience' ? 'other' : client.id,
                nonce: idp.fault === 'nonce' ? 'other' : grant.nonce,
                exp: idp.fault === 'expired' ? now - 3600 : now + 3600,
                iat: now, sub: grant.user, ...people[grant.user] };

            reply(200, { 'Content-Type': 'application/json' },
                  JSON.stringify({ token_type: 'Bearer',
                                   id_token: sign(claims) }));
        },

        '/jwks'({ reply }) {
            reply(200, {}, JSON.stringify({ keys: [
                { ...keys.good.publicKey.export({ format: 'jwk' }),
                  kid: '1', alg: 'RS256', use: 'sig' }] }));
        },
    });

    return idp;
}


/* The claims of a token that is the provider's, for us, of now and of this
 * login; or an error. */

async function verify(issuer, token, nonce) {
    const [header, payload, signature] = token.split('.');
    const { keys } = await (await fetch(`${issuer}/jwks`)).json();
    const { alg, kid } = parse(header);
    const jwk = keys.find((key) => key.kid === kid && key.alg === alg);
    const claims = parse(payload);

    if (alg !== 'RS256' || !jwk
        || !createVerify('sha256').update(`${header}.${payload}`)
           .verify(createPublicKey({ key: jwk, format: 'jwk' }), signature,
                   'base64url'))
    {
        throw new Error('signature');
    }

    if (claims.iss !== issuer || claims.aud !== client.id
        || claims.nonce !== nonce || claims.exp * 1000 < Date.now())
    {
        throw new Error('claims');
    }

    return claims;
}


export function proxy(port, issuer) {
    const logins = new Map();
    const sessions = new Map();

    const cookie = (headers, name) => {
        const pairs = (headers.cookie ?? '').split('; ')
                      .map((pair) => pair.split('='));

        return pairs.find(([key]) => key === name)?.[1];
    };

    return serve(port, {

        '/oauth2/auth'({ headers, reply }) {
            const claims = sessions.get(cookie(headers, '_oauth2_proxy'));

            if (!claims) {
                reply(401);
                return;
            }

            reply(202, {
                'X-Auth-Request-User': claims.sub,
                'X-Auth-Request-Preferred-Username': claims.preferred_username,
                'X-Auth-Request-Groups': claims.groups.join(',') });
        },

        '/oauth2/start'({ url, headers, reply }) {
            const state = random();
            const login = { nonce: random(), verifier: random() + random(),
                            back: url.searchParams.get('rd') ?? '/',
                            redirect: `http://${headers.host}/oauth2/callback` };
            const to = new URL(`${issuer}/authorize`);

            logins.set(state, login);

            for (const [name, value] of Object.entries({
                client_id: client.id, response_type: 'code',
                scope: 'openid profile groups', state, nonce: login.nonce,
                redirect_uri: login.redirect, code_challenge_method: 'S256',
                code_challenge: sha256(login.verifier) }))
            {
                to.searchParams.set(name, value);
            }

            reply(302, { 'Location': to.href,
                         'Set-Cookie': `_csrf=${state}; HttpOnly; Path=/` });
        },

        async '/oauth2/callback'({ url, headers, reply }) {
            const state = url.searchParams.get('state');
            const login = logins.get(state);

            logins.delete(state);

            if (!login || cookie(headers, '_csrf') !== state) {
                reply(403);
                return;
            }

            const answer = await fetch(`${issuer}/token`, {
                method: 'POST',
                body: new URLSearchParams({
                    grant_type: 'authorization_code', client_id: client.id,
                    client_secret: client.secret,
                    code: url.searchParams.get('code'),
                    redirect_uri: login.redirect,
                    code_verifier: login.verifier }) });

            if (!answer.ok) {
                reply(403);
                return;
            }

            try {
                const { id_token: token } = await answer.json();
                const id = random();

                sessions.set(id, await verify(issuer, token, login.nonce));
                reply(302, { 'Location': login.back,
                             'Set-Cookie': `_oauth2_proxy=${id}; HttpOnly; `
                                           + 'SameSite=Lax; Path=/' });

            } catch {
                reply(403);
            }
        },

        '/oauth2/sign_out'({ headers, reply }) {
            sessions.delete(cookie(headers, '_oauth2_proxy'));
            reply(204);
        },
    });
}
