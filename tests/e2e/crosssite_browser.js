// SPDX-License-Identifier: Apache-2.0
// Pages of other origins try to act in the name of somebody who is logged in. Three attackers: another site,
// another port of the same name in plain HTTP, and the worst of them, another port of the same name with
// TLS, which is same-site, so that the browser sends the cookies along.
'use strict';

const assert = require('node:assert/strict');
const {after, before, describe, test} = require('node:test');
const {selfSigned, serveForeign, sleep, start, startBackend, waitUntil} = require('./programs.js');

const VICTIM = {email: 'victim@example.com', password: 'a lantern over the harbour'};
const MALLORY = {email: 'mallory@example.com', password: 'seven herons in the reeds'};
const CONFIG = `
[limits]
default = "100000/min/ip burst 10000"
signup = "1000/hour/ip"
login = "1000/min/ip"
`;
const PAGE = '<!doctype html><title>Elsewhere</title><h1>Win a holiday</h1>';

let world;
let backend;
const attackers = {};
before(async () => {
  backend = await startBackend();
  world = await start({to: backend.url, config: CONFIG});
  attackers['another site'] = await serveForeign({'/': PAGE});
  attackers['another port'] = await serveForeign({'/': PAGE}, {host: 'localhost'});
  attackers['another port with TLS'] = await serveForeign({'/': PAGE}, {host: 'localhost', tls: selfSigned(world.moat.folder)});
  for (const person of [VICTIM, MALLORY]) {
    const page = await openPage();
    await page.goto(url('/auth/signup'));
    await page.fill('#email', person.email);
    await page.fill('#password', person.password);
    await page.click('button.main');
    await page.waitForURL(url('/'));
    await page.context().close();
  }
});
after(async () => {
  for (const attacker of Object.values(attackers)) attacker.close();
  await world.stop();
  backend.close();
});

const url = (target) => world.moat.origin + target;
const openPage = () => world.page({ignoreHTTPSErrors: true});

async function logIn(page, person = VICTIM) {
  await page.goto(url('/auth/login'));
  await page.fill('#email', person.email);
  await page.fill('#password', person.password);
  await page.click('button.main');
  await page.waitForURL(url('/'));
}

// Who the browser is logged in as, seen from Moat's own origin.
async function whoIs(page) {
  await page.goto(url('/auth/login'));
  return page.evaluate(async () => {
    const answer = await fetch('/auth/me');
    const sessions = await fetch('/auth/sessions');
    return answer.ok ? {email: (await answer.json()).email, sessions: (await sessions.json()).length} : null;
  });
}

// Submits a form from the attacker's page, as a navigation; the status of the answer.
async function postForm(page, target, fields, enctype = 'application/x-www-form-urlencoded') {
  const [answer] = await Promise.all([
    page.waitForNavigation(),
    page.evaluate(([action, values, type]) => {
      const form = document.createElement('form');
      Object.assign(form, {method: 'post', action, enctype: type});
      for (const [name, value] of Object.entries(values)) {
        const field = document.createElement('input');
        Object.assign(field, {type: 'hidden', name, value});
        form.append(field);
      }
      document.body.append(form);
      form.submit();
    }, [target, fields, enctype]),
  ]);
  assert.equal(answer.url(), target);
  assert.equal(answer.request().method(), 'POST');
  return answer.status();
}

// A preflight asks without cookies, and the backend does not allow it.
const acted = () => backend.requests.filter(({method}) => !['GET', 'OPTIONS'].includes(method));

for (const name of ['another site', 'another port', 'another port with TLS']) {
  describe(`a page of ${name}`, () => {
    const sameSite = name === 'another port with TLS';
    let page;
    before(async () => {
      page = await openPage();
      await logIn(page);
    });
    after(() => page.context().close());
    const away = () => page.goto(attackers[name].origin + '/');
    const startOver = async () => {
      backend.requests.length = 0;
      await away();
    };
    const stillVictim = async () => {
      const {email, sessions} = await whoIs(page);
      assert.equal(email, VICTIM.email);
      assert.ok(sessions >= 1);
    };

    test('posts a form to the application', async () => {
      await startOver();
      for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
        const status = await postForm(page, url('/transfer'), {to: 'mallory', amount: '1000'}, enctype);
        // Without cookies it is nobody's request, and may arrive as such.
        if (sameSite) assert.equal(status, 403, enctype);
        await away();
      }
      assert.deepEqual(acted().filter(({user}) => user), [], 'nothing is done in the name of the victim');
      if (sameSite) assert.deepEqual(acted(), []);
      await stillVictim();
    });

    test('posts forms to the accounts', async () => {
      await startOver();
      const before = (await whoIs(page)).sessions;
      await away();
      for (const target of ['/auth/logout', '/auth/logout-all']) {
        assert.equal(await postForm(page, url(target), {}), 403, target);
        await away();
        assert.equal(await postForm(page, url(target), {'{"a': '":1}'}, 'text/plain'), 403, target);
        await away();
      }
      const change = {current: VICTIM.password, new: 'owned by mallory now', _csrf: 'x'};
      assert.equal(await postForm(page, url('/auth/password'), change), 403);
      assert.equal((await whoIs(page)).sessions, before);
      await stillVictim();
    });

    test('sends requests by script', async () => {
      await startOver();
      const outcome = await page.evaluate(async ([transfer, logout]) => {
        const attempt = (promise) => promise.then((r) => `${r.type} ${r.status}`, () => 'failed');
        const simple = {method: 'POST', credentials: 'include', body: new URLSearchParams({to: 'mallory'})};
        const json = {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'}, body: '{}'};
        return {
          noCors: await attempt(fetch(transfer, {...simple, mode: 'no-cors'})),
          noCorsLogout: await attempt(fetch(logout, {...simple, mode: 'no-cors', body: '{}'})),
          cors: await attempt(fetch(transfer, simple)),
          corsLogout: await attempt(fetch(logout, simple)),
          corsJson: await attempt(fetch(transfer, json)),
          corsJsonLogout: await attempt(fetch(logout, json)),
          deleting: await attempt(fetch(transfer, {method: 'DELETE', credentials: 'include'})),
          beacon: navigator.sendBeacon(transfer, new Blob(['{"to":"mallory"}'], {type: 'text/plain'})),
          keepalive: await attempt(fetch(logout, {...simple, mode: 'no-cors', keepalive: true})),
        };
      }, [url('/transfer'), url('/auth/logout')]);
      for (const kind of ['cors', 'corsLogout', 'corsJson', 'corsJsonLogout', 'deleting']) {
        assert.equal(outcome[kind], 'failed', kind);
      }
      await sleep(300);  // the beacon
      assert.deepEqual(acted().filter(({user}) => user), []);
      if (sameSite) assert.deepEqual(acted(), []);
      await stillVictim();
    });

    test('reads what only the victim may see', async () => {
      await startOver();
      const read = await page.evaluate((targets) => Promise.all(targets.map(async (target) => {
        try {
          const answer = await fetch(target, {credentials: 'include'});
          return await answer.text();
        } catch {
          return null;
        }
      })), [url('/auth/me'), url('/auth/sessions'), url('/auth/csrf'), url('/secret')]);
      assert.deepEqual(read, [null, null, null, null]);
      await stillVictim();
    });

    test('loads images with a side effect', async () => {
      await startOver();
      const loaded = await page.evaluate((targets) => Promise.all(targets.map((target) => new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
        image.src = target;
      }))), [url('/auth/logout'), url('/auth/logout-all'), url('/transfer?to=mallory')]);
      assert.deepEqual(loaded, [false, false, false]);
      if (!sameSite) assert.deepEqual(backend.requests.filter(({user}) => user), []);
      await stillVictim();
    });

    test('opens a WebSocket', async () => {
      await startOver();
      const connect = (target) => page.evaluate((address) => new Promise((resolve) => {
        const socket = new WebSocket(address);
        socket.onmessage = ({data}) => resolve(data);
        socket.onclose = () => resolve('closed');
      }), target.replace('https:', 'wss:'));
      const outcome = await connect(url('/socket'));
      if (sameSite) {
        assert.equal(outcome, 'closed');
        assert.deepEqual(backend.requests.filter(({upgrade}) => upgrade), []);
      }
      assert.deepEqual(backend.requests.filter(({upgrade, user}) => upgrade && user), []);
      // The same from its own page is let in, and known.
      await page.goto(url('/'));
      assert.equal(await connect(url('/socket')), 'hello');
      assert.equal(backend.requests.filter(({upgrade, user}) => upgrade && user).length, 1);
      await stillVictim();
    });

    test('frames the accounts', async () => {
      await startOver();
      const framed = await page.evaluate((targets) => Promise.all(targets.map((target) => new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.onload = () => {
          let readable = true;
          try { readable = frame.contentDocument !== null; } catch { readable = false; }
          resolve(readable);
        };
        frame.src = target;
        document.body.append(frame);
      }))), [url('/auth/account'), url('/auth/login')]);
      assert.equal(framed.length, 2);
      for (const frame of page.frames().slice(1)) {
        assert.ok(!/auth\/(account|login)/.test(frame.url()) || frame.url().startsWith('chrome-error:'), frame.url());
      }
      await stillVictim();
    });

    test('opens a window and looks into it', async () => {
      await startOver();
      const [popup] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate((target) => { window.opened = window.open(target); }, url('/auth/account')),
      ]);
      await popup.waitForLoadState();
      await waitUntil(() => page.evaluate(() => window.opened === null || window.opened.closed), 'the window being cut off');
      assert.equal(await popup.evaluate(() => window.opener), null);
      await popup.close();
      await stillVictim();
    });

    // The last one: it logs the victim out itself.
    test('logs the victim in as somebody else', async () => {
      await startOver();
      assert.equal(await postForm(page, url('/auth/login'), MALLORY), 403);
      await away();
      assert.equal(await postForm(page, url('/auth/signup'), {...MALLORY, email: 'new@example.com'}), 403);
      await away();
      // A token the attacker got for himself does not help either.
      const token = await fetchToken();
      assert.equal(await postForm(page, url('/auth/login'), {...MALLORY, _csrf: token}), 403);
      assert.equal((await whoIs(page)).email, VICTIM.email);
      // Nor where nobody is logged in: that is when it would go unnoticed.
      await page.context().clearCookies();
      await away();
      assert.equal(await postForm(page, url('/auth/login'), {...MALLORY, _csrf: token}), 403);
      assert.equal(await whoIs(page), null);
    });
  });
}

// A pre-login token as any program can get it.
async function fetchToken() {
  const page = await openPage();
  await page.goto(url('/auth/login'));
  const token = await page.evaluate(async () => (await (await fetch('/auth/csrf')).json()).token);
  await page.context().close();
  return token;
}

describe("Moat's own pages", () => {
  test('do all of it', async () => {
    const page = await openPage();
    await logIn(page);
    backend.requests.length = 0;
    const outcome = await page.evaluate(async () => {
      const simple = {method: 'POST', body: new URLSearchParams({to: 'a friend'})};
      return [(await fetch('/transfer', simple)).status, (await fetch('/transfer', {method: 'DELETE'})).status,
        (await fetch('/auth/logout', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'})).status];
    });
    assert.deepEqual(outcome, [200, 200, 204]);
    assert.equal(acted().filter(({user}) => user).length, 2);
    assert.equal(await whoIs(page), null);
    await page.context().close();
  });
});

// The hardest neighbour: another host below the same registrable domain. Its requests are same-site, so that the
// browser sends Lax cookies along, and it may set cookies for the whole domain.
describe('a page of a sibling host', () => {
  const APP = 'app.moat-test.example';
  let site, application, sibling, page;
  const at = (target) => `https://${APP}:${site.moat.port}${target}`;
  before(async () => {
    application = await startBackend();
    site = await start({to: application.url, config: CONFIG + '[tls]\nissuer = "local-ca"\n',
      options: ['--domain', APP], resolve: ['*.moat-test.example']});
    sibling = await serveForeign({'/': PAGE}, {host: 'evil.moat-test.example', tls: selfSigned(site.moat.folder)});
    page = await site.page({ignoreHTTPSErrors: true});
    await page.goto(at('/auth/signup'));
    await page.fill('#email', VICTIM.email);
    await page.fill('#password', VICTIM.password);
    await page.click('button.main');
    await page.waitForURL(at('/'));
  });
  after(async () => {
    sibling?.close();
    await site?.stop();
    application?.close();
  });
  const actedUpon = () => application.requests.filter(({method}) => !['GET', 'OPTIONS'].includes(method));
  const stillIn = async () => {
    await page.goto(at('/auth/account'));
    assert.equal(page.url(), at('/auth/account'));
  };

  test('is same-site, and gets nowhere with forms, fetch, beacons, images and WebSockets', async () => {
    await page.goto(sibling.origin + '/');
    application.requests.length = 0;
    for (const target of ['/transfer', '/auth/logout', '/auth/logout-all']) {
      for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
        assert.equal(await postForm(page, at(target), {to: 'mallory'}, enctype), 403, `${target} ${enctype}`);
        await page.goto(sibling.origin + '/');
      }
    }
    const outcome = await page.evaluate(async ([transfer, logout, socket]) => {
      const attempt = (promise) => promise.then((r) => `${r.type} ${r.status}`, () => 'failed');
      const simple = {method: 'POST', credentials: 'include', body: new URLSearchParams({to: 'mallory'})};
      const image = (src) => new Promise((resolve) => {
        const one = Object.assign(new Image(), {onload: () => resolve('loaded'), onerror: () => resolve('failed')});
        one.src = src;
      });
      return {
        blind: await attempt(fetch(transfer, {...simple, mode: 'no-cors'})),
        blindLogout: await attempt(fetch(logout, {...simple, mode: 'no-cors'})),
        keepalive: await attempt(fetch(logout, {...simple, mode: 'no-cors', keepalive: true})),
        cors: await attempt(fetch(transfer, simple)),
        put: await attempt(fetch(transfer, {method: 'PUT', credentials: 'include', body: 'x'})),
        image: await image(logout),
        beacon: navigator.sendBeacon(transfer, 'to=mallory'),
        socket: await new Promise((resolve) => {
          const one = new WebSocket(socket);
          one.onmessage = () => resolve('open');
          one.onclose = () => resolve('closed');
        }),
      };
    }, [at('/transfer'), at('/auth/logout'), at('/socket').replace('https:', 'wss:')]);
    // A refused answer is opaque to a blind request; what counts is what arrived.
    for (const kind of ['cors', 'put', 'image']) assert.equal(outcome[kind], 'failed', kind);
    assert.equal(outcome.socket, 'closed');
    await waitUntil(() => site.moat.output.split('"target":"/transfer"').length > 4, 'the beacon being refused');
    assert.match(site.moat.output, /a neighbouring host/, 'the browser itself calls it same-site');
    assert.deepEqual(actedUpon(), []);
    assert.deepEqual(application.requests.filter(({upgrade}) => upgrade), []);
    await stillIn();
  });

  test('plants cookies for the domain, which are not taken for ours', async () => {
    await page.goto(sibling.origin + '/');
    await page.evaluate(() => {
      for (const name of ['__Host-Http-at', '__Host-Http-rt', '__Host-Http-pre', '__Host-csrf']) {
        document.cookie = `${name}=planted; domain=moat-test.example; path=/; secure`;
        document.cookie = `${name}=planted; domain=moat-test.example; path=/auth; secure`;
      }
    });
    const names = (await page.context().cookies(at('/auth'))).map(({name, value}) => `${name}=${value}`);
    assert.deepEqual(names.filter((pair) => pair.endsWith('=planted')), []);
    await stillIn();
  });

  test("is let in from the application's own pages, the same requests that were refused", async () => {
    await page.goto(at('/'));
    application.requests.length = 0;
    assert.equal(await page.evaluate(async () => (await fetch('/transfer', {method: 'POST', body: new URLSearchParams({to: 'a friend'})})).status), 200);
    assert.equal(actedUpon().filter(({user}) => user).length, 1);
  });
});
