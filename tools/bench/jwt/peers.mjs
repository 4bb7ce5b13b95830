// SPDX-License-Identifier: Apache-2.0
// The Node half of ./dev bench jwt: `node peers.mjs FOLDER` reads the keys and tokens there and answers each line
// "WHO OP ALG MILLISECONDS" with the nanoseconds of CPU, of all threads, that one operation took; "?" where WHO does not know
// ALG. Keys are prepared as each library likes them best, caches are off, exp, aud and iss are checked.
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createSigner, createVerifier } from 'fast-jwt'
import { importPKCS8, importSPKI, jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'

const folder = process.argv[2]
const read = name => readFileSync(join(folder, name))
const issuer = 'https://issuer.example'
const audience = 'https://api.example'
const kid = 'key-of-2026-11'
const claims = () => ({ roles: ['user'], sub: '8c1f0e52a7', jti: 'pQ3xT7vKz1YdM0aB' })

const usages = ['sign', 'verify']
const webSecret = bytes => crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, usages)

async function make(alg) {
  const name = alg.toLowerCase()
  const token = read(`${name}.token`).toString()
  const secret = alg === 'HS256' ? read('hs256.key') : null
  const privatePem = secret ? null : read(`${name}.pem`).toString()
  const publicPem = secret ? null : read(`${name}.pub`).toString()
  const privateKey = secret ? createSecretKey(secret) : createPrivateKey(privatePem)
  const publicKey = secret ? privateKey : createPublicKey(publicPem)
  const webPrivate = secret ? await webSecret(secret) : await importPKCS8(privatePem, alg)
  const webPublic = secret ? webPrivate : await importSPKI(publicPem, alg)
  // fast-jwt takes the bytes and makes the KeyObject itself, once. It knows Ed25519 by its older name only, so it gets a
  // token of its own.
  const fastAlg = alg === 'Ed25519' ? 'EdDSA' : alg
  const fastSign = createSigner({ key: secret ?? privatePem, algorithm: fastAlg, expiresIn: 900000, iss: issuer, aud: audience, kid })
  const fastVerify = createVerifier({ key: secret ?? publicPem, algorithms: [fastAlg], allowedIss: issuer, allowedAud: audience, cache: false })
  const fastToken = alg === 'Ed25519' ? fastSign(claims()) : token
  const rules = { algorithms: [alg], issuer, audience }
  const all = {
    'fast-jwt': { sign: () => fastSign(claims()), verify: () => fastVerify(fastToken) },
    jose: {
      sign: () => new SignJWT(claims()).setProtectedHeader({ alg, typ: 'JWT', kid }).setIssuer(issuer).setAudience(audience)
        .setIssuedAt().setExpirationTime('15m').sign(webPrivate),
      verify: () => jwtVerify(token, webPublic, rules)
    }
  }
  if (alg !== 'Ed25519') { // jsonwebtoken knows none of EdDSA's names
    all.jsonwebtoken = {
      sign: () => jsonwebtoken.sign(claims(), privateKey, { algorithm: alg, expiresIn: 900, issuer, audience, keyid: kid }),
      verify: () => jsonwebtoken.verify(token, publicKey, rules)
    }
  }
  return all
}

const cpu = () => { const { user, system } = process.cpuUsage(); return user + system }

async function nanosecondsEach(operation, milliseconds) {
  const begin = cpu()
  let spent = 0
  let count = 0
  for (let batch = 1; spent < milliseconds * 1000; batch = Math.min(2 * batch, 256)) {
    for (let i = 0; i < batch; ++i) {
      const result = operation()
      if (result instanceof Promise) await result
    }
    count += batch
    spent = cpu() - begin
  }
  return spent * 1000 / count
}

const cases = {}
for (const alg of ['HS256', 'ES256', 'Ed25519', 'RS256']) cases[alg] = await make(alg)
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [who, what, alg, milliseconds] = line.split(' ')
  const operation = cases[alg]?.[who]?.[what]
  console.log(operation ? (await nanosecondsEach(operation, Number(milliseconds))).toFixed(1) : '?')
}
