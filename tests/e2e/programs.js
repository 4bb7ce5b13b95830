// SPDX-License-Identifier: Apache-2.0
// Starts the gateway, the sample backend and the system's Chromium for a browser test.
//
//   const world = await start({config: '[session]\nidle = "2s"\n'});   // notes, moat, browser
//   const page = await world.page();
//   await page.goto(world.moat.origin + '/');
//   await world.stop();                        // fails when Moat did not end well
'use strict';

const {spawn, execFileSync} = require('node:child_process');
const {X509Certificate, createHash} = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const {chromium} = require('playwright-core');

const HOST = '127.0.0.1';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function waitUntil(condition, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const result = await condition();
    if (result) return result;
    await sleep(25);
  }
  throw new Error(`${what} did not happen within ${seconds} s`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, HOST, () => {
      const {port} = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

class Program {
  constructor(file, args) {
    this.output = '';
    this.code = null;
    this.child = spawn(file, args, {stdio: ['ignore', 'pipe', 'pipe']});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk) => { this.output += chunk; });
    }
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => { this.output += error; this.code = -1; resolve(-1); });
      this.child.on('close', (code, signal) => { this.code = code ?? signal; resolve(this.code); });
    });
  }

  async stop() {
    if (this.code === null) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }
}

async function startNotes() {
  const notes = new Program(process.env.MOAT_NOTES, ['--port', '0']);
  notes.url = await waitUntil(() => /listening on (\S+)\n/.exec(notes.output)?.[1], 'the sample backend');
  return notes;
}

// The certificates of the local CA below a data directory: the root, and the intermediate that servers send.
function localCa(data) {
  const folder = path.join(data, 'ca');
  return fs.readdirSync(folder).filter((name) => /^(root|intermediate).*\.(pem|crt)$/.test(name))
    .map((name) => new X509Certificate(fs.readFileSync(path.join(folder, name))));
}

async function startMoat(to, {config = '', options = []} = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'moat-browser-'));
  const [secure, plain, admin] = [await freePort(), await freePort(), await freePort()];
  const args = ['run', '--to', to, '--data', path.join(folder, 'data'), '--https', `${HOST}:${secure}`,
    '--http', `${HOST}:${plain}`, '--admin', `${HOST}:${admin}`];
  if (config) {
    fs.writeFileSync(path.join(folder, 'moat.toml'), config);
    args.push('--config', path.join(folder, 'moat.toml'));
  }
  const moat = new Program(process.env.MOAT_BIN, [...args, ...options]);
  Object.assign(moat, {folder, origin: `https://localhost:${secure}`, port: secure, httpPort: plain, adminPort: admin});
  try {
    await moatIsReady(moat);
    moat.authorities = localCa(path.join(folder, 'data'));
  } catch (error) {
    await moat.stop();
    throw error;
  }
  return moat;
}

async function moatIsReady(moat) {
  await waitUntil(async () => {
    if (moat.code !== null) throw new Error(`moat ended with ${moat.code}:\n${moat.output}`);
    const answer = await fetch(`http://${HOST}:${moat.adminPort}/readyz`).catch(() => null);
    return answer?.status === 200;
  }, 'moat becoming ready', 30);
}

// Names in `resolve` (such as "*.example") lead to this machine.
// Chromium accepts chains with exactly this CA's keys and goes on refusing all others.
function launchBrowser(authorities, resolve = [], more = []) {
  const keys = authorities.map((certificate) => createHash('sha256')
    .update(certificate.publicKey.export({type: 'spki', format: 'der'})).digest('base64'));
  const executablePath = process.env.MOAT_CHROMIUM ||
    execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {encoding: 'utf8'}).trim();
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--no-first-run', `--host-resolver-rules=${resolve.map((name) => `MAP ${name} ${HOST}`).join(', ')}`,
      `--ignore-certificate-errors-spki-list=${keys.join(',')}`, ...more],
  });
}

async function start(settings = {}) {
  const notes = settings.to ? null : await startNotes();
  let moat, browser;
  try {
    moat = await startMoat(settings.to || notes.url, settings);
    browser = await launchBrowser(moat.authorities, settings.resolve, settings.browserArgs);
  } catch (error) {
    // Programs that are left would keep the test from ending.
    await moat?.stop();
    await notes?.stop();
    throw error;
  }
  return {
    notes, moat, browser,
    async page(options = {}) {
      const context = await browser.newContext(options);
      return context.newPage();
    },
    async stop() {
      await browser.close();
      const code = await moat.stop();
      if (notes) await notes.stop();
      fs.rmSync(moat.folder, {recursive: true, force: true});
      if (code !== 0) throw new Error(`moat ended with ${code}:\n${moat.output}`);
    },
  };
}

// Pages on another origin: `host` is how the browser names it (127.0.0.1 or localhost), with TLS by a
// certificate of nobody's when `tls` is given.
function serveForeign(pages, {host = HOST, tls = null} = {}) {
  const answer = (request, response) => {
    const body = pages[request.url.split('?')[0]];
    response.writeHead(body === undefined ? 404 : 200, {'Content-Type': 'text/html; charset=utf-8'});
    response.end(body ?? '');
  };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  return new Promise((resolve) => server.listen(0, HOST, () => {
    const origin = `${tls ? 'https' : 'http'}://${host}:${server.address().port}`;
    resolve({origin, close: () => { server.closeAllConnections(); server.close(); }});
  }));
}

// A certificate that no browser trusts.
function selfSigned(folder) {
  const [key, cert] = ['foreign.key', 'foreign.crt'].map((name) => path.join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert], {stdio: 'ignore'});
  return {key: fs.readFileSync(key), cert: fs.readFileSync(cert)};
}

// A backend inside the test: any path answers with a page, what arrived is in `requests`, and every
// WebSocket is accepted and greeted.
function startBackend() {
  const requests = [];
  const note = (request, body) => requests.push({
    method: request.method, path: request.url.split('?')[0], user: request.headers['x-moat-user'],
    upgrade: request.headers.upgrade, body});
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; }).on('end', () => {
      note(request, body);
      response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8'});
      response.end('<!doctype html><title>Backend</title><p>Here.');
    });
  });
  server.on('upgrade', (request, socket) => {
    note(request, '');
    const accept = createHash('sha1')
      .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]));
  });
  return new Promise((resolve) => server.listen(0, HOST, () => {
    resolve({requests, url: `http://${HOST}:${server.address().port}`,
      close: () => { server.closeAllConnections(); server.close(); }});
  }));
}

module.exports = {Program, freePort, launchBrowser, selfSigned, serveForeign, sleep, start, startBackend, startMoat,
  startNotes, waitUntil};
