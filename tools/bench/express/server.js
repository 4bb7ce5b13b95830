// SPDX-License-Identifier: Apache-2.0
// The seven practices as their packages' own pages show them, in front of a proxy; the peer of
// ./dev bench gateway. One process, as one worker of Moat; production settings.
//   node server.js --port P --backend HOST:PORT --cert FILE --key FILE --cookies FILE --sessions N
// Writes N Cookie headers of signed-in users to FILE, one a line, before it listens.
'use strict';

const argon2 = require('argon2');
const cookieParser = require('cookie-parser');
const {doubleCsrf} = require('csrf-csrf');
const express = require('express');
const {rateLimit} = require('express-rate-limit');
const {body, validationResult} = require('express-validator');
const helmet = require('helmet');
const {createProxyMiddleware} = require('http-proxy-middleware');
const jwt = require('jsonwebtoken');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const {parseArgs} = require('node:util');

const text = {type: 'string'};
const {values: given} = parseArgs({options: {port: text, backend: text, cert: text, key: text, cookies: text, sessions: text}});
// A string would be tried as a PEM key first, on each request, and cost three times the rest.
const secret = crypto.createSecretKey(crypto.randomBytes(32));
const hashing = {type: argon2.argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1};
const users = new Map();

const sign = (id) => jwt.sign({sub: id, roles: ['user']}, secret, {algorithm: 'HS256', expiresIn: '15m', audience: 'bench'});
const {doubleCsrfProtection} = doubleCsrf({
  getSecret: () => secret.export().toString('hex'),
  getSessionIdentifier: (request) => request.cookies.at ?? '',
  ignoredMethods: ['GET', 'HEAD', 'OPTIONS'],
});
const far = {windowMs: 60_000, limit: 100_000_000, standardHeaders: 'draft-8', legacyHeaders: false};

const app = express();
app.disable('x-powered-by');
app.use(helmet());
app.use(rateLimit(far));
app.use(cookieParser());

const credentials = [body('email').isEmail().normalizeEmail(), body('password').isLength({min: 15, max: 128})];
app.post(['/auth/signup', '/auth/login'], express.json(), credentials, async (request, response) => {
  if (!validationResult(request).isEmpty()) return response.status(400).json({code: 'invalid'});
  const {email, password} = request.body;
  if (request.path === '/auth/signup') users.set(email, await argon2.hash(password, hashing));
  const known = users.get(email);
  if (!known || !await argon2.verify(known, password)) return response.status(401).json({code: 'invalid_credentials'});
  response.cookie('at', sign(email), {httpOnly: true, secure: true, sameSite: 'lax'});
  response.status(request.path === '/auth/signup' ? 201 : 200).json({email});
});

app.use((request, response, next) => {
  try {
    request.user = jwt.verify(request.cookies.at, secret, {algorithms: ['HS256'], audience: 'bench'});
  } catch {
    return response.status(401).json({code: 'login_required'});
  }
  next();
});
app.use(doubleCsrfProtection);
app.use(createProxyMiddleware({target: `http://${given.backend}`, agent: new http.Agent({keepAlive: true, maxSockets: 128})}));

const lines = [];
for (let i = 0; i < Number(given.sessions); ++i) lines.push(`at=${sign(crypto.randomUUID())}`);
fs.writeFileSync(given.cookies, lines.join('\n') + '\n');
const server = https.createServer({cert: fs.readFileSync(given.cert), key: fs.readFileSync(given.key), minVersion: 'TLSv1.3'}, app);
server.keepAliveTimeout = 600_000;
server.listen(Number(given.port), '127.0.0.1');
