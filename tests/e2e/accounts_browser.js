// SPDX-License-Identifier: Apache-2.0
// A person with a browser: from the first visit to the last, and what the browser thinks of the cookies.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {after, before, describe, test} = require('node:test');
const {sleep, start, waitUntil} = require('./programs.js');

const PASSWORD = 'a lantern over the harbour';
const OTHER_PASSWORD = 'seven herons in the reeds';
const OWN = ['__Host-Http-at', '__Host-Http-dev', '__Host-Http-pre', '__Host-Http-rt'];
const CONFIG = `
[session]
access = "2s"
[limits]
default = "100000/min/ip burst 10000"
signup = "1000/hour/ip"
login = "1000/min/ip"
`;

let world;
let people = 0;
before(async () => { world = await start({config: CONFIG}); });
after(async () => { await world.stop(); });

const url = (target) => world.moat.origin + target;
const freshEmail = () => `person${++people}@example.com`;

// A page whose complaints are kept: everything in the console but plain chatter, and errors of scripts.
async function openPage(options) {
  const page = await world.page({locale: 'en-GB', ...options});
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  return page;
}

async function signUp(page, email, next = '/notes') {
  await page.goto(url('/auth/signup?next=' + encodeURIComponent(next)));
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await page.click('button.main');
  await page.waitForURL(url(next));
}

async function logIn(page, email, password = PASSWORD, next = '/notes') {
  await page.goto(url('/auth/login?next=' + encodeURIComponent(next)));
  await page.fill('#email', email);
  await page.fill('#password', password);
  await page.click('button.main');
}

const statusOf = (page, target) => page.evaluate(async (t) => (await fetch(t)).status, target);
const cookiesOf = async (page) => Object.fromEntries((await page.context().cookies()).map((c) => [c.name, c]));

describe('a person', () => {
  test('signs up from the application, writes a note and finds it again', async () => {
    const page = await openPage();
    const email = freshEmail();
    await page.goto(url('/'));
    await page.getByRole('link', {name: 'Sign up'}).first().click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', {exact: true}).fill(PASSWORD);
    await page.getByRole('button', {name: 'Create the account'}).click();
    await page.waitForURL(url('/notes'));
    await page.getByLabel('A new note').fill('Water the <b>ferns</b> & "figs"');
    await page.getByRole('button', {name: 'Add'}).click();
    await page.waitForURL(url('/notes'));
    assert.equal(await page.locator('.notes li p').first().textContent(), 'Water the <b>ferns</b> & "figs"');
    assert.ok((await page.locator('header').textContent()).includes(email));
    await page.context().close();
  });

  test('is told what is wrong, and keeps what was typed', async () => {
    const page = await openPage();
    const email = freshEmail();
    await signUp(page, email);
    const other = await openPage();
    await logIn(other, email, 'not the right one');
    await other.getByRole('alert').waitFor();
    assert.match(await other.getByRole('alert').textContent(), /wrong/);
    assert.equal(await other.inputValue('#email'), email);
    assert.equal(await other.inputValue('#password'), '');
    // A script moves the focus to the message, so that it is read out.
    await other.waitForFunction(() => document.activeElement.matches('[role=alert]'));

    await other.goto(url('/auth/signup'));
    await other.fill('#email', email);
    await other.fill('#password', 'too short');
    assert.match(await other.locator('[data-left=password]').textContent(), /6 to go/);
    await other.click('button.main');
    await other.locator('#password-error').waitFor();
    assert.equal(await other.getAttribute('#password', 'aria-invalid'), 'true');
    await other.fill('#password', PASSWORD);
    await other.click('button.main');
    await other.locator('#email-error').waitFor();
    assert.match(await other.locator('#email-error').textContent(), /already/);
    await Promise.all([page.context().close(), other.context().close()]);
  });

  test('holds cookies that no script can read and no other site is sent', async () => {
    const page = await openPage();
    await page.goto(url('/auth/login'));
    await signUp(page, freshEmail());
    const cookies = await cookiesOf(page);
    const own = Object.keys(cookies).filter((name) => name.startsWith('__Host-')).sort();
    assert.deepEqual(own, OWN);
    for (const name of OWN) {
      const {httpOnly, secure, sameSite, domain, path: where, expires} = cookies[name];
      assert.deepEqual({httpOnly, secure, sameSite, domain, where},
        {httpOnly: true, secure: true, sameSite: 'Lax', domain: 'localhost', where: '/'}, name);
      assert.ok(expires > Date.now() / 1000 - 5, name);
    }
    // The backend set its cookie without a flag.
    await page.goto(url('/'));
    const {httpOnly, secure, sameSite} = (await cookiesOf(page)).visits;
    assert.deepEqual({httpOnly, secure, sameSite}, {httpOnly: true, secure: true, sameSite: 'Lax'});
    for (const target of ['/', '/notes', '/auth/account']) {
      await page.goto(url(target));
      assert.equal(await page.evaluate(() => document.cookie), '', target);
    }
    // Nor can a script plant one of them.
    await page.evaluate(() => { document.cookie = '__Host-Http-at=planted; Secure; Path=/'; });
    assert.notEqual((await cookiesOf(page))['__Host-Http-at']?.value, 'planted');
    await page.context().close();
  });

  test('does not notice that the access token expires', async () => {
    const page = await openPage();
    await signUp(page, freshEmail());
    const first = await cookiesOf(page);
    const answers = [];
    page.on('response', (response) => answers.push(response.status()));
    await sleep(3000);
    assert.equal((await cookiesOf(page))['__Host-Http-at'], undefined, 'the browser has dropped it by itself');
    await page.getByLabel('A new note').fill('Written late');
    await page.getByRole('button', {name: 'Add'}).click();  // a form post is renewed on the way, too
    await page.getByText('Written late').waitFor();
    const second = await cookiesOf(page);
    assert.notEqual(second['__Host-Http-rt'].value, first['__Host-Http-rt'].value);
    assert.ok(second['__Host-Http-at']);

    // Many at once, just after it has expired: all carry the same old token.
    for (let round = 0; round < 3; ++round) {
      await sleep(2600);
      const burst = await page.evaluate(() => Promise.all(Array.from({length: 12}, async (_, i) =>
        (await fetch(i % 3 ? '/api/notes?' + i : '/auth/me?' + i)).status)));
      assert.deepEqual(burst, Array(12).fill(200), `round ${round}`);
    }
    const written = await page.evaluate(async () => (await fetch('/api/notes', {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({text: 'By script'})})).status);
    assert.equal(written, 201);
    assert.deepEqual(answers.filter((status) => status === 401), []);
    assert.equal((await page.goto(url('/auth/account'))).status(), 200);
    await page.context().close();
  });

  test('keeps two tabs logged in that refresh at the same time', async () => {
    const first = await openPage();
    await signUp(first, freshEmail());
    const context = first.context();
    const second = await context.newPage();
    const runs = process.env.MOAT_LONG ? 200 : 20;
    for (let run = 0; run < runs; ++run) {
      const before = (await cookiesOf(first))['__Host-Http-rt'].value;
      await context.clearCookies({name: '__Host-Http-at'});  // as if it had expired
      // Who is first changes.
      const load = (page) => page.goto(url('/auth/account'));
      const both = run % 2 ? [load(first), load(second)] : [load(second), load(first)];
      for (const answer of await Promise.all(both)) {
        assert.equal(answer.status(), 200, `run ${run}`);
        assert.equal(answer.url(), url('/auth/account'), `run ${run}`);
      }
      assert.notEqual((await cookiesOf(first))['__Host-Http-rt'].value, before, `run ${run}`);
      assert.deepEqual(await Promise.all([statusOf(first, '/auth/me'), statusOf(second, '/auth/me')]), [200, 200]);
    }
    assert.equal((await first.evaluate(async () => (await (await fetch('/auth/sessions')).json()).length)), 1);
    await context.close();
  });

  test('sees where it is logged in and ends one of the sessions', async () => {
    const email = freshEmail();
    const here = await openPage();
    await signUp(here, email);
    const there = await openPage({
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'});
    await logIn(there, email);
    await there.waitForURL(url('/notes'));

    await here.goto(url('/auth/account'));
    assert.equal(await here.locator('.sessions li').count(), 2);
    assert.match(await here.locator('.sessions li', {hasText: 'this one'}).textContent(), /Chrome on Linux/);
    await here.getByRole('button', {name: /End the session of Firefox on Windows/}).click();
    await here.waitForURL(url('/auth/account'));
    assert.equal(await here.locator('.sessions li').count(), 1);
    assert.equal(await statusOf(there, '/auth/me'), 401);
    await there.goto(url('/auth/account'));
    assert.equal(there.url(), url('/auth/login?next=%2Fauth%2Faccount'));
    assert.equal(await statusOf(here, '/auth/me'), 200);
    await Promise.all([here.context().close(), there.context().close()]);
  });

  test('makes an API key, sees it once and revokes it, with script and without', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const page = await openPage({javaScriptEnabled});
      await signUp(page, freshEmail());
      await page.goto(url('/auth/account'));
      await page.getByLabel('What it is for').fill('backup');
      await page.getByLabel('Your password', {exact: true}).fill('not the right one');
      await page.getByRole('button', {name: 'Make a key'}).click();
      await page.locator('#key-password-error').waitFor();
      assert.equal(await page.getByLabel('What it is for').inputValue(), 'backup');
      await page.getByLabel('Your password', {exact: true}).fill(PASSWORD);
      await page.getByRole('button', {name: 'Make a key'}).click();
      const key = await page.locator('code').textContent();
      assert.match(key, /^moat_key_[A-Za-z0-9_-]{64}$/);
      await page.goto(url('/auth/account'));
      assert.ok(!(await page.content()).includes(key), 'it is shown once');
      await page.getByRole('button', {name: 'Revoke the key backup'}).click();
      await page.waitForURL(url('/auth/account'));
      assert.ok(!(await page.content()).includes('backup'));
      await page.context().close();
    }
  });

  test('changes the password, which ends the other sessions', async () => {
    const email = freshEmail();
    const here = await openPage();
    await signUp(here, email);
    const there = await openPage();
    await logIn(there, email);
    await there.waitForURL(url('/notes'));

    await here.goto(url('/auth/account'));
    await here.getByLabel('Current password', {exact: true}).fill('not the right one');
    await here.getByLabel('New password', {exact: true}).fill(OTHER_PASSWORD);
    await here.getByRole('button', {name: 'Change the password'}).click();
    await here.locator('#current-error').waitFor();
    await here.getByLabel('Current password', {exact: true}).fill(PASSWORD);
    await here.getByLabel('New password', {exact: true}).fill(OTHER_PASSWORD);
    await here.getByRole('button', {name: 'Change the password'}).click();
    await waitUntil(async () => await here.locator('#current-error').count() === 0, 'the change');
    assert.equal(await statusOf(here, '/auth/me'), 200);
    assert.equal(await statusOf(there, '/auth/me'), 401);
    await logIn(there, email, PASSWORD);
    await there.getByRole('alert').waitFor();
    await logIn(there, email, OTHER_PASSWORD);
    await there.waitForURL(url('/notes'));
    await Promise.all([here.context().close(), there.context().close()]);
  });

  test('logs out, and nothing of the session is left', async () => {
    const page = await openPage();
    await signUp(page, freshEmail());
    const held = (await cookiesOf(page))['__Host-Http-rt'].value;
    await page.goto(url('/auth/account'));
    const email = await page.locator('dd').first().textContent();
    await page.getByRole('button', {name: 'Log out', exact: true}).click();
    await page.waitForURL(url('/auth/login'));
    const cookies = await cookiesOf(page);
    assert.equal(cookies['__Host-Http-at'], undefined);
    assert.equal(cookies['__Host-Http-rt'], undefined);
    assert.ok(cookies['__Host-Http-dev'], 'the device stays known');
    assert.equal(await statusOf(page, '/auth/me'), 401);
    // Neither the history nor the old token brings it back.
    await page.goBack().catch(() => {});
    await page.waitForLoadState();
    assert.ok(!(await page.content()).includes(email), 'the account page is not shown from a cache');
    await page.context().addCookies([{name: '__Host-Http-rt', value: held, url: world.moat.origin, secure: true,
      httpOnly: true, sameSite: 'Lax'}]);
    await page.goto(url('/auth/login'));
    assert.equal(await statusOf(page, '/auth/me'), 401);
    await page.context().close();
  });

  test('logs out from the application', async () => {
    const page = await openPage();
    await signUp(page, freshEmail());
    await page.getByRole('button', {name: 'Log out'}).click();
    await page.getByRole('link', {name: 'Log in'}).first().waitFor();
    assert.equal(await statusOf(page, '/auth/me'), 401);
    await page.context().close();
  });

  test('needs no mouse', async () => {
    const page = await openPage();
    const email = freshEmail();
    await signUp(page, email);
    await page.context().clearCookies();
    await page.goto(url('/auth/login?next=/notes'));
    const focused = () => page.evaluate(() => {
      const {tagName, id, textContent} = document.activeElement;
      const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
      return {what: id || textContent.trim() || tagName, ring: outlineStyle !== 'none' && outlineWidth !== '0px'};
    });
    // Tab until `what` is reached; each place on the way is visibly focused.
    async function tabTo(what) {
      for (let i = 0; i < 12; ++i) {
        await page.keyboard.press('Tab');
        const place = await focused();
        assert.ok(place.ring, `${place.what} shows that it has the focus`);
        if (place.what === what) return;
      }
      assert.fail(`${what} is not reached`);
    }
    await page.keyboard.press('Tab');
    assert.equal((await focused()).what, 'Skip to the content');
    await tabTo('email');
    await page.keyboard.type(email);
    await tabTo('password');
    await page.keyboard.type(PASSWORD);
    await tabTo('Show');
    await page.keyboard.press('Space');
    assert.equal(await page.getAttribute('#password', 'type'), 'text');
    await tabTo('Log in');
    await page.keyboard.press('Enter');
    await page.waitForURL(url('/notes'));

    await page.goto(url('/auth/account'));
    await tabTo('Log out');
    await page.keyboard.press('Enter');
    await page.waitForURL(url('/auth/login'));
    await page.context().close();
  });

  test('needs no script for any of it', async () => {
    const page = await openPage({javaScriptEnabled: false});
    const email = freshEmail();
    await signUp(page, email);
    await page.goto(url('/auth/account'));
    await page.getByRole('button', {name: 'Log out', exact: true}).click();
    await page.waitForURL(url('/auth/login'));
    await logIn(page, email);
    await page.waitForURL(url('/notes'));
    await page.context().close();
  });
});

describe('the pages of Moat', () => {
  test('run under their policy without a complaint', async () => {
    const page = await openPage();
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error('CSP', event.violatedDirective, event.blockedURI));
    });
    for (const target of ['/auth/login', '/auth/signup', '/auth/setup']) {
      const answer = await page.goto(url(target));
      assert.equal(answer.status(), 200);
      const policy = answer.headers()['content-security-policy'];
      assert.match(policy, /default-src 'none'.*script-src 'nonce-/);
      await page.waitForLoadState('networkidle');
    }
    await signUp(page, freshEmail(), '/auth/account');
    await page.waitForLoadState('networkidle');
    assert.deepEqual(page.complaints, []);
    // The policy holds: what somebody slipped into a page would not run.
    const ran = await page.evaluate(() => new Promise((resolve) => {
      const script = document.createElement('script');
      window.slipped = false;
      script.textContent = 'window.slipped = true';
      document.body.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'window.slipped = true');
      image.src = '/auth/nothing.png';
      document.body.append(image);
      setTimeout(() => resolve(window.slipped), 500);
    })).catch(() => false);  // Trusted Types refuse the first line already
    assert.equal(ran, false);
    await page.context().close();
  });

  test('an error is a page for people and JSON for programs', async () => {
    const page = await openPage();
    const answer = await page.goto(url('/a%2Fb'));
    assert.equal(answer.status(), 400);
    assert.match(answer.headers()['content-type'], /^text\/html/);
    assert.ok(await page.getByRole('heading', {level: 1}).isVisible());
    const program = await page.evaluate(async () => (await fetch('/a%2Fb')).headers.get('content-type'));
    assert.equal(program, 'application/problem+json');
    await page.context().close();
  });

  test('fit a phone and name every field', async () => {
    const page = await openPage({viewport: {width: 320, height: 640}, hasTouch: true, isMobile: true});
    await signUp(page, freshEmail(), '/auth/account');
    for (const target of ['/auth/account', '/auth/setup', '/a%2Fb']) {
      await page.goto(url(target));
      const {wide, unnamed, small} = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth > innerWidth,
        unnamed: [...document.querySelectorAll('input:not([type=hidden]):not([aria-hidden])')]
          .filter((field) => !field.labels.length).length,
        small: [...document.querySelectorAll('button, .button')].filter((b) => b.offsetParent && b.offsetHeight < 32)
          .map((b) => b.textContent),
      }));
      assert.deepEqual({wide, unnamed, small}, {wide: false, unnamed: 0, small: []}, target);
    }
    await page.context().close();
  });

  test('the set-up link makes the first admin, and its token leaves the address bar', async () => {
    const file = path.join(world.moat.folder, 'data', 'setup-link');
    const link = fs.readFileSync(file, 'utf8').trim();
    const token = link.split('#')[1];
    const page = await openPage();
    const requested = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(link);
    assert.equal(await page.inputValue('#token'), token);
    assert.equal(page.url(), url('/auth/setup'));
    assert.ok(!requested.some((target) => target.includes(token)));
    await page.fill('#email', 'admin@example.com');
    await page.fill('#password', PASSWORD);
    await page.click('button.main');
    await page.waitForURL(url('/auth/account'));
    assert.match(await page.locator('dl').textContent(), /admin/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
});
