// SPDX-License-Identifier: Apache-2.0
// A trusting application: it takes whatever comes, by the parsers that Express brings, and says in one line each what it
// has seen.
'use strict';

const express = require('express');

const app = express();
app.set('query parser', 'extended');
app.use(express.json({strict: false, type: ['json', '+json']}));
app.use(express.urlencoded({extended: true}));
app.use(express.raw({type: () => true, limit: '4mb'}));
app.use((request, response) => {
  const body = Buffer.isBuffer(request.body) ? {bytes: request.body.length} : request.body ?? null;
  console.log(`seen ${JSON.stringify({method: request.method, path: request.path, query: request.query, body})}`);
  if (request.method === 'PUT' || request.method === 'DELETE') return response.sendStatus(204);
  if (request.method === 'POST') return response.status(201).json({id: 1, item: 'tea', count: 1});
  const order = {id: 1, item: 'tea', count: 1};
  return response.json(request.path === '/orders' ? [order] : order);
});
app.use((error, request, response, next) => {
  console.log(`seen ${JSON.stringify({method: request.method, path: request.path, error: error.type})}`);
  response.sendStatus(400);
});

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
