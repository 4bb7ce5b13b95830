// SPDX-License-Identifier: Apache-2.0
// A stranger's application: Express as npm gives it, which has never heard of the gateway.
'use strict';

const express = require('express');
const path = require('node:path');

const app = express();
app.use(express.json());
app.use(express.urlencoded({extended: false}));
app.use('/static', express.static(path.join(__dirname, 'express_static'), {maxAge: '1h'}));

app.get('/', (request, response) => response.type('html').send('<!doctype html><title>Shop</title><h1>Shop</h1>'));
app.get('/who', (request, response) => response.json({user: request.get('X-Moat-User') ?? null,
  email: request.get('X-Moat-Email') ?? null, cookies: request.get('Cookie') ?? null, host: request.get('Host'),
  proto: request.get('X-Forwarded-Proto')}));
app.get('/old', (request, response) => response.redirect(301, '/new?from=old'));
app.post('/items', (request, response) => response.status(201).location('/items/1').json({got: request.body}));
app.get('/items/:id', (request, response) => response.json({id: request.params.id, query: request.query}));
app.put('/items/:id', (request, response) => response.json({put: request.body}));
app.delete('/items/:id', (request, response) => response.sendStatus(204));
app.get('/cookie', (request, response) => {
  response.cookie('basket', 'a b', {maxAge: 60_000});
  response.cookie('theme', 'dark', {sameSite: 'strict'});
  response.clearCookie('gone');
  response.send('set');
});
app.get('/stream', async (request, response) => {
  response.type('text/plain');
  for (let i = 0; i < 5; ++i) {
    response.write(`part ${i}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end('end\n');
});
app.get('/events', (request, response) => {
  response.set({'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${++count}\n\n`), 50);
  request.on('close', () => clearInterval(timer));
});
app.get('/big', (request, response) => response.send(Buffer.alloc(3 * 1024 * 1024, 'x')));
app.post('/echo', express.raw({type: '*/*', limit: '2mb'}), (request, response) => response.send(request.body));
app.get('/broken', () => { throw new Error('a fault with a stack trace'); });

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
