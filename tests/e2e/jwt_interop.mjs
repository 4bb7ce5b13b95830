// SPDX-License-Identifier: Apache-2.0
// Tokens of Moat verified by npm's jose, jsonwebtoken and fast-jwt, and theirs by Moat, for each algorithm that both know,
// with a key that Moat has made and with one that Node has. Each acceptance has its refusal: of a changed token, and of one for
// another audience. `node jwt_interop.mjs PROGRAM`, PROGRAM being tests/interop/jwt_interop.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'

const load = async name => {
  try {
    return await import(name)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    console.log(`skipped: ${name} is not installed in tests/e2e (npm ci)`)
    process.exit(77)
  }
}
const jose = await load('jose')
const jsonwebtoken = (await load('jsonwebtoken')).default
const fastJwt = await load('fast-jwt')

const program = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]()
async function moat(request) {
  program.stdin.write(JSON.stringify(request) + '\n')
  const { value, done } = await lines.next()
  assert(!done, 'the program of Moat ended')
  const answer = JSON.parse(value)
  assert.equal(answer.error, undefined)
  return answer
}

const audience = 'https://api.example'
const issuer = 'https://issuer.example'
const claims = { sub: 'Ünï-7', roles: ['user', 'a "quoted" one'], n: 9007199254740991, nested: { empty: {}, none: null } }

const HMAC = { HS256: 32, HS384: 48, HS512: 64 }
const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const ALGORITHMS = [...Object.keys(HMAC), ...Object.keys(CURVES), 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519']

function ofNode(alg) {
  if (alg in HMAC) {
    const jwk = { kty: 'oct', k: randomBytes(HMAC[alg]).toString('base64url'), alg, kid: 'of-node' }
    return { private: jwk, public: jwk }
  }
  const made = alg in CURVES
    ? generateKeyPairSync('ec', { namedCurve: CURVES[alg] })
    : alg.startsWith('Ed') ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = key => ({ ...key.export({ format: 'jwk' }), alg, kid: 'of-node', use: 'sig' })
  return { private: jwk(made.privateKey), public: jwk(made.publicKey) }
}

function keyObjects(keys) {
  if (keys.private.kty === 'oct') {
    const secret = createSecretKey(Buffer.from(keys.private.k, 'base64url'))
    return { signer: secret, verifier: secret }
  }
  return { signer: createPrivateKey({ key: keys.private, format: 'jwk' }), verifier: createPublicKey({ key: keys.public, format: 'jwk' }) }
}
// fast-jwt takes bytes or PEM.
const plain = key => key.type === 'secret' ? key.export() : key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' })

const LIBRARIES = {
  jose: {
    knows: () => true,
    async sign(alg, keys) {
      return new jose.SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg, kid: keys.private.kid }).setIssuer(issuer)
        .setAudience(audience).setIssuedAt().setExpirationTime('15m').sign(await jose.importJWK(keys.private, alg))
    },
    async verify(token, alg, keys, wanted) {
      return (await jose.jwtVerify(token, await jose.importJWK(keys.public, alg), { algorithms: [alg], issuer, audience: wanted })).payload
    }
  },
  jsonwebtoken: {
    knows: alg => !alg.startsWith('Ed'),
    async sign(alg, keys) {
      return jsonwebtoken.sign(claims, keyObjects(keys).signer, { algorithm: alg, expiresIn: '15m', issuer, audience, keyid: keys.private.kid })
    },
    async verify(token, alg, keys, wanted) {
      return jsonwebtoken.verify(token, keyObjects(keys).verifier, { algorithms: [alg], issuer, audience: wanted })
    }
  },
  'fast-jwt': {
    knows: alg => alg !== 'Ed25519',
    async sign(alg, keys) {
      const key = plain(keyObjects(keys).signer)
      return fastJwt.createSigner({ key, algorithm: alg, expiresIn: 900000, iss: issuer, aud: audience, kid: keys.private.kid })(claims)
    },
    async verify(token, alg, keys, wanted) {
      const key = plain(keyObjects(keys).verifier)
      return fastJwt.createVerifier({ key, algorithms: [alg], allowedIss: issuer, allowedAud: wanted, cache: false })(token)
    }
  }
}

// The same token for somebody else: the subject changed, the signature kept.
function changed(token) {
  const [header, payload, signature] = token.split('.')
  const said = JSON.parse(Buffer.from(payload, 'base64url'))
  return [header, Buffer.from(JSON.stringify({ ...said, sub: 'admin' })).toString('base64url'), signature].join('.')
}

function same(said, whose) {
  const { iss, aud, iat, exp, ...rest } = said
  assert.deepEqual(rest, claims, whose)
  assert.deepEqual([iss, aud, exp - iat], [issuer, audience, 900], whose)
}

async function check(name, library, alg, keys) {
  const ours = (await moat({ op: 'sign', key: keys.private, claims, audience, issuer })).token
  same(await library.verify(ours, alg, keys, audience), `${name} reads Moat's`)
  await assert.rejects(library.verify(changed(ours), alg, keys, audience), `${name}: a changed token of Moat`)
  await assert.rejects(library.verify(ours, alg, keys, 'https://else.example'), `${name}: another audience`)
  const theirs = await library.sign(alg, keys)
  const verify = (token, wanted) => moat({ op: 'verify', key: keys.public, token, audience: wanted, issuer })
  same((await verify(theirs, audience)).claims, `Moat reads ${name}'s`)
  assert.deepEqual(await verify(changed(theirs), audience), { refusal: 'bad_signature' })
  assert.deepEqual(await verify(theirs, 'https://else.example'), { refusal: 'wrong_audience' })
}

let done = 0
for (const alg of ALGORITHMS) {
  const pairs = [ofNode(alg)]
  if (!/^[PR]S/.test(alg)) pairs.push(await moat({ op: 'generate', alg })) // Moat makes no RSA keys
  for (const [name, library] of Object.entries(LIBRARIES)) {
    if (!library.knows(alg)) continue
    for (const keys of pairs) {
      try {
        await check(name, library, alg, keys)
      } catch (error) {
        console.error(`${name}, ${alg}, key "${keys.private.kid}"`)
        throw error
      }
      ++done
    }
  }
}
program.stdin.end()
assert.equal(done, 60)
console.log(`${done} pairings of library, algorithm and key`)
