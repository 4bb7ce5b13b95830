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

// The local CA's root below a data directory.
function rootCertificate(data) {
  const found = fs.readdirSync(data, {recursive: true}).map(String)
    .find((name) => /root[^/]*\.(pem|crt)$/.test(name));
  return found && new X509Certificate(fs.readFileSync(path.join(data, found)));
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
  await waitUntil(async () => {
    if (moat.code !== null) throw new Error(`moat ended with ${moat.code}:\n${moat.output}`);
    const answer = await fetch(`http://${HOST}:${admin}/readyz`).catch(() => null);
    return answer?.status === 200;
  }, 'moat becoming ready', 30);
  moat.root = rootCertificate(path.join(folder, 'data'));
  return moat;
}

// Chromium accepts chains with exactly this CA's key and goes on refusing all others.
function launchBrowser(root) {
  const spki = createHash('sha256').update(root.publicKey.export({type: 'spki', format: 'der'})).digest('base64');
  const executablePath = process.env.MOAT_CHROMIUM ||
    execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {encoding: 'utf8'}).trim();
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--no-first-run', `--ignore-certificate-errors-spki-list=${spki}`],
  });
}

async function start(settings = {}) {
  const notes = settings.to ? null : await startNotes();
  const moat = await startMoat(settings.to || notes.url, settings);
  const browser = await launchBrowser(moat.root);
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

// Pages on another origin, in plain HTTP.
function serveForeign(pages) {
  const server = http.createServer((request, response) => {
    const body = pages[request.url.split('?')[0]];
    response.writeHead(body === undefined ? 404 : 200, {'Content-Type': 'text/html; charset=utf-8'});
    response.end(body ?? '');
  });
  return new Promise((resolve) => server.listen(0, HOST, () => {
    resolve({origin: `http://${HOST}:${server.address().port}`, close: () => server.close()});
  }));
}

module.exports = {Program, freePort, launchBrowser, serveForeign, sleep, start, startMoat, startNotes, waitUntil};
