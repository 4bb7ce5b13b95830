// SPDX-License-Identifier: Apache-2.0
// What a real browser reports of a policy, and what the operator then reads: the way from a policy that is only
// reported to one that is enforced.
'use strict';

const assert = require('node:assert/strict');
const {execFileSync} = require('node:child_process');
const http = require('node:http');
const path = require('node:path');
const {after, before, describe, test} = require('node:test');
const {start, waitUntil} = require('./programs.js');

const PAGE = `<!doctype html><title>before</title><script>document.title = 'ran';</script>
<img src="https://images.example/cat.png?token=secret"><p>Here.`;
const CONFIG = `
[[route]]
match = "/enforced/*"
csp = "enforce"
csp_policy = "default-src 'self'; img-src 'self'"
[[route]]
match = "/*"
`;

let world;
let backend;
before(async () => {
  const server = http.createServer((request, response) => {
    response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8'});
    response.end(PAGE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  backend = {url: `http://127.0.0.1:${server.address().port}`, close: () => { server.closeAllConnections(); server.close(); }};
  // Reports leave at once instead of within a minute.
  world = await start({to: backend.url, config: CONFIG, resolve: ['images.example'], browserArgs: ['--short-reporting-delay']});
});
after(async () => {
  backend?.close();
  await world?.stop();
});

function reports() {
  return execFileSync(process.env.MOAT_BIN, ['reports', '--data', path.join(world.moat.folder, 'data')],
    {encoding: 'utf8'});
}

async function reported(pattern) {
  return waitUntil(() => reports().split('\n').find((line) => pattern.test(line)), `a report like ${pattern}`, 60);
}

describe('a browser', () => {
  test('runs what a policy in report-only would block, and says so', async () => {
    const page = await world.page();
    await page.goto(`${world.moat.origin}/shop?session=secret`);
    assert.equal(await page.title(), 'ran');
    await reported(/ \/\* +script-src-elem +inline +report +\/shop /);
    await reported(/ \/\* +img-src +https:\/\/images\.example +report +\/shop /);
    assert.doesNotMatch(reports(), /secret/);
    assert.doesNotMatch(world.moat.output, /secret/);
    await page.context().close();
  });

  test('blocks what an enforced policy of the route does not allow, and says so', async () => {
    const page = await world.page();
    await page.goto(`${world.moat.origin}/enforced/`);
    assert.equal(await page.title(), 'before');
    await reported(/ \/enforced\/\* +script-src-elem +inline +enforce +\/enforced\/ /);
    await reported(/ \/enforced\/\* +img-src +https:\/\/images\.example +enforce /);
    await page.context().close();
  });

  test("reports nothing of Moat's own pages", async () => {
    const page = await world.page();
    for (const own of ['/auth/login', '/auth/signup']) {
      await page.goto(world.moat.origin + own);
      await page.waitForLoadState('networkidle');
    }
    // What is reported later has come, so what was to be reported before has too.
    await page.goto(`${world.moat.origin}/later`);
    await reported(/\/later /);
    assert.doesNotMatch(reports(), /\(moat\)/);
    await page.context().close();
  });
});
