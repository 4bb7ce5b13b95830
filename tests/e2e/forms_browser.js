// SPDX-License-Identifier: Apache-2.0
// Form tokens as a real browser sees them: what is put into pages is where the browser has a form, the page's policy
// has nothing against it, and forms work with it. Then the account's page: names, notices, the password asked for.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {after, before, describe, test} = require('node:test');
const {start} = require('./programs.js');

const PASSWORD = 'a lantern over the harbour';
const CONFIG = `
[[route]]
csrf = "token"
csrf_forms = "inject"
[session]
confirm_after = "0s"
access = "1s"
refresh_grace = "0s"
[limits]
default = "100000/min/ip burst 10000"
signup = "1000/hour/ip"
login = "1000/min/ip"
`;
// Pages on which a browser and Moat should agree. A form that gets a token is marked data-token.
const FORM = '<form method=post data-token></form>';
const PAGES = [
  FORM,
  '<form method="POST" action="/pay" data-token></form>',
  '<form method=post action="?a=1&amp;b=2" data-token></form>',
  '<form method=get></form><form method=dialog></form><form></form>',
  '<form method=post action="https://elsewhere.example/"></form>',
  '<form method=post action="//elsewhere.example/"></form>',
  '<form method=post action="/\\elsewhere.example/"></form>',
  '<form method=post action="/&#47;elsewhere.example/"></form>',
  '<form method=post action="\t//elsewhere.example"></form>',
  '<!-- <form method=post> --!>' + FORM,
  '<!--><form method=post data-token></form>',
  '<!-- --- > <form method=post> -->' + FORM,
  '<script>"<form method=post>"</script>' + FORM,
  '<script><!-- <script> </script> <form method=post> --></script>' + FORM,
  '<script><!--></script>' + FORM,
  '<style>/* <form method=post> </styl> */</style>' + FORM,
  '<textarea><form method=post></textarea>' + FORM,
  '<title><form method=post></title>' + FORM,
  '<iframe><form method=post></iframe><noembed><form method=post></noembed>' + FORM,
  '<a title="<form method=post>">x</a>' + FORM,
  "<a title='\">' data-x='<form method=post>'>x</a>" + FORM,
  '<p a=">" b=<form method=post>' + FORM,
  '<form method=post data-token><form method=post></form>' + FORM,
  '<form action="//elsewhere.example" method=post><form method=post></form>',
  '<table><form method=post data-token><tr><td><input name=a></form></table>',
  '<div><form method=post data-token></div><form method=post></form>' + FORM,
  '<template><form method=post data-token></form></template>' + FORM,
  '<form/method="post"/data-token></form>',
  '<form method = post data-token method=get></form>',
  '<base href="https://elsewhere.example/"><form method=post action="pay"></form><form method=post data-token></form>',
];

let world;
let backend;
before(async () => {
  const requests = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; }).on('end', () => {
      requests.push({method: request.method, path: request.url, body, user: request.headers['x-moat-user']});
      const number = /^\/page\/(\d+)/.exec(request.url)?.[1];
      response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': "default-src 'none'; form-action 'self'; script-src 'nonce-abc'"});
      response.end(number ? '<!doctype html>' + PAGES[number] : `<!doctype html><title>Shop</title>
        <form method="post" action="/pay"><input name="amount" value="1"><button>Pay</button></form>
        <form method="post" action="/send" enctype="multipart/form-data"><input type="file" name="f"><button>Send</button></form>`);
    });
  });
  backend = await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({requests,
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => { server.closeAllConnections(); server.close(); }})));
  world = await start({to: backend.url, config: CONFIG});
});
after(async () => {
  await world.stop();
  backend.close();
});

const url = (target) => world.moat.origin + target;
let people = 0;
async function signUp(page) {
  const email = `person${++people}@example.com`;
  await page.goto(url('/auth/signup'));
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await page.click('button.main');
  await page.waitForURL(url('/'));
  return email;
}
async function openPage(options) {
  const page = await world.page(options);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  return page;
}

describe('tokens in forms', () => {
  test('are where the browser has a form that posts home, and nowhere else', async () => {
    const page = await openPage();
    await signUp(page);
    for (const [number, html] of PAGES.entries()) {
      await page.goto(url('/page/' + number));
      const found = await page.evaluate(() => {
        const all = (root) => [...root.querySelectorAll('form')].concat(
          ...[...root.querySelectorAll('template')].map((t) => all(t.content)));
        return all(document).map((form) => {
          const tokens = [...form.elements].filter((field) => field.name === '_csrf');
          return {wanted: form.hasAttribute('data-token') ? 1 : 0, tokens: tokens.length,
            good: tokens.every((field) => field.type === 'hidden' && /^[\w-]{70}$/.test(field.value))};
        });
      });
      for (const form of found) {
        assert.equal(form.tokens, form.wanted, html);
        assert.ok(form.good, html);
      }
      const shown = await page.evaluate(() => document.body.innerText);
      assert.doesNotMatch(shown, /_csrf/, html);
      const stray = await page.evaluate(() => [...document.querySelectorAll('input[name=_csrf]')].filter((x) => !x.form).length);
      assert.equal(stray, 0, html);
    }
    await page.context().close();
  });

  test('let a form through, and the policy of the page has nothing against them', async () => {
    const page = await openPage();
    await signUp(page);
    for (const [name, target] of [['Pay', '/pay'], ['Send', '/send']]) {
      await page.goto(url('/shop'));
      backend.requests.length = 0;
      await Promise.all([page.waitForURL(url(target)), page.getByRole('button', {name}).click()]);
      const [sent] = backend.requests.filter(({method}) => method === 'POST');
      assert.ok(sent.user);
      assert.match(sent.body, /_csrf/);
    }
    assert.deepEqual(page.complaints.filter((text) => !/favicon/.test(text)), []);
    await page.context().close();
  });

  test('are missing from a form that a script made up, which is refused', async () => {
    const page = await openPage();
    await signUp(page);
    await page.goto(url('/shop'));
    backend.requests.length = 0;
    const [answer] = await Promise.all([page.waitForNavigation(), page.evaluate(() => {
      const form = document.createElement('form');
      Object.assign(form, {method: 'post', action: '/pay'});
      document.body.append(form);
      form.submit();
    })]);
    assert.equal(answer.status(), 403);
    assert.match(await page.textContent('body'), /reload the page/);
    assert.deepEqual(backend.requests.filter(({method}) => method === 'POST'), []);
    // A script may ask for one; here from a page whose policy lets it.
    await page.goto(url('/auth/account'));
    assert.deepEqual(await page.evaluate(async () => {
      const {token} = await (await fetch('/auth/csrf')).json();
      const body = new URLSearchParams({a: '1'});
      return [(await fetch('/pay', {method: 'POST', body})).status,
        (await fetch('/pay', {method: 'POST', body, headers: {'X-CSRF-Token': token}})).status];
    }), [403, 200]);
    await page.context().close();
  });

  test('survive the back button', async () => {
    const page = await openPage();
    await signUp(page);
    await page.goto(url('/shop'));
    for (let round = 0; round < 2; ++round) {
      await Promise.all([page.waitForURL(url('/pay')), page.getByRole('button', {name: 'Pay'}).click()]);
      await page.goBack();
    }
    await page.context().close();
  });
});

describe('the page of the account', () => {
  // With MOAT_SCREENSHOTS=FOLDER its looks are kept there.
  async function picture(page, name) {
    const folder = process.env.MOAT_SCREENSHOTS;
    if (!folder) return;
    fs.mkdirSync(folder, {recursive: true});
    for (const [size, width] of [['wide', 1200], ['phone', 375]]) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize({width, height: 800});
        await page.emulateMedia({colorScheme});
        await page.screenshot({path: path.join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true});
      }
    }
  }
  const fits = async (page) => {
    await page.setViewportSize({width: 320, height: 800});
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    await page.setViewportSize({width: 1200, height: 800});
  };

  test('names devices', async () => {
    const page = await openPage({javaScriptEnabled: false});
    await signUp(page);
    await page.goto(url('/auth/account'));
    await page.getByText('Rename').click();
    await picture(page, 'rename');
    await page.getByLabel(/A name for/).fill('Kitchen <b>laptop</b>');
    await page.getByRole('button', {name: /^Rename/}).click();
    assert.match(await page.locator('.device').textContent(), /^Kitchen <b>laptop<\/b>/);
    await fits(page);
    await page.context().close();
  });

  test('asks for the password before it ends another session', async () => {
    const [here, there] = [await openPage(), await openPage({userAgent: 'Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0'})];
    const email = await signUp(here);
    await there.goto(url('/auth/login'));
    await there.fill('#email', email);
    await there.fill('#password', PASSWORD);
    await there.click('button.main');
    await there.waitForURL(url('/'));
    await here.goto(url('/auth/account'));
    await here.getByRole('button', {name: /End the session of Firefox on Windows/}).click();
    await here.getByText('Is it you?').waitFor();
    // autofocus is given with the first frame that is drawn, which the text may come before.
    await here.waitForFunction(() => document.activeElement.id === 'confirm-password');
    await here.fill('#confirm-password', 'not the password');
    await here.getByRole('button', {name: 'End the session', exact: true}).click();
    await here.getByText('The password is wrong.').waitFor();
    await picture(here, 'confirm');
    await fits(here);
    await here.fill('#confirm-password', PASSWORD);
    await here.getByRole('button', {name: 'End the session', exact: true}).click();
    await here.waitForURL(url('/auth/account'));
    assert.equal(await here.locator('.sessions li').count(), 1);
    await Promise.all([here.context().close(), there.context().close()]);
  });

  test('tells of a stolen session first, until that is dismissed', async () => {
    const page = await openPage();
    const email = await signUp(page);
    const copy = await page.context().cookies();
    const renewed = async () => {
      const before = (await page.context().cookies()).find(({name}) => name === '__Host-Http-rt').value;
      for (;;) {
        await page.goto(url('/shop'));
        if ((await page.context().cookies()).find(({name}) => name === '__Host-Http-rt').value !== before) return;
      }
    };
    await renewed();
    await renewed();
    const thief = await openPage();
    await thief.context().addCookies(copy.filter(({name}) => name === '__Host-Http-rt'));
    await thief.goto(url('/auth/account'));
    assert.equal(thief.url(), url('/auth/login?next=%2Fauth%2Faccount'));
    await page.goto(url('/auth/login?next=%2Fshop'));
    await page.fill('#email', email);
    await page.fill('#password', PASSWORD);
    await page.click('button.main');
    await page.waitForURL(url('/auth/account?next=%2Fshop'));
    assert.match(await page.locator('.alarm').textContent(), /Chrome on Linux/);
    await picture(page, 'notice');
    await fits(page);
    await page.getByRole('link', {name: /Continue/}).click();
    await page.waitForURL(url('/shop'));
    await page.goto(url('/auth/account'));
    await page.getByRole('button', {name: /Dismiss/}).click();
    await page.waitForURL(url('/auth/account'));
    assert.equal(await page.locator('.alarm').count(), 0);
    await Promise.all([page.context().close(), thief.context().close()]);
  });
});
