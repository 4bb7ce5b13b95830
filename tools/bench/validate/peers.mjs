// SPDX-License-Identifier: Apache-2.0
// The Node half of ./dev bench validate: `node peers.mjs INPUTS` answers each line "WHO WHAT MILLISECONDS" with the nanoseconds
// of CPU, of all threads, that one operation took, and how many of the inputs it took; "?" where WHO does not know WHAT.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import validator from 'validator'

const inputs = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const checks = {
  email: validator.isEmail, url: validator.isURL, ip: validator.isIP, uuid: validator.isUUID, credit_card: validator.isCreditCard,
  fqdn: validator.isFQDN, iban: validator.isIBAN, iso8601: validator.isISO8601, base64: validator.isBase64, int: validator.isInt,
  mac_address: validator.isMACAddress, jwt: validator.isJWT
}
const ajv = new Ajv({ strict: false })
addFormats(ajv)
const validateOrder = ajv.compile(inputs.schema)

// Each runs over all its inputs once and says how many were taken. One function for each, so that V8 sees one callee.
const operations = { validator: {}, ajv: {} }
for (const name of Object.keys(checks)) {
  operations.validator[name] = [inputs.checks[name], new Function('check', 'texts', `return () => {
    let taken = 0
    for (let i = 0; i < texts.length; i++) if (check(texts[i])) taken++
    return taken
  }`)(text => checks[name](text), inputs.checks[name])]
}
operations.validator.escape = [inputs.escape, () => {
  let size = 0
  for (const text of inputs.escape) size += validator.escape(text).length
  return size
}]
operations.ajv.schema = [inputs.orders, () => {
  let taken = 0
  for (const text of inputs.orders) if (validateOrder(JSON.parse(text))) taken++
  return taken
}]

let sink = 0
function measure([texts, run], milliseconds) {
  let count = 0
  let used = 0
  const start = process.cpuUsage()
  do {
    for (let i = 0; i < 64; i++) sink += run()
    count += 64 * texts.length
    const now = process.cpuUsage(start)
    used = (now.user + now.system) * 1000
  } while (used < milliseconds * 1e6)
  return used / count
}

console.log('ready')
createInterface({ input: process.stdin }).on('line', line => {
  const [who, what, milliseconds] = line.split(' ')
  const operation = operations[who]?.[what]
  console.log(operation ? `${measure(operation, Number(milliseconds))} ${operation[1]()}` : '?')
})
process.on('exit', () => { if (sink < 0) console.log(sink) })
