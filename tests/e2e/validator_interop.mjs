// SPDX-License-Identifier: Apache-2.0
// Moat's checks of strings beside validator.js, on texts that lie close to those of its own tests: a character more or less, another
// case, two that changed places. What Moat takes and validator.js refuses is a looseness, and is one of the few below that are meant;
// what only validator.js takes is Moat's strictness (docs/deviations.md). `node validator_interop.mjs MOAT-CONFORM [HOW MANY A TEXT]`
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import validator from 'validator'
import { seeded } from './seeded.mjs'

const [program, turns = process.env.MOAT_LONG ? 100 : 10] = process.argv.slice(2)
const corpus = `${process.env.MOAT_CORPORA}/validatorjs/validator_cases.jsonl`
if (!existsSync(corpus)) {
  console.log('skipped: the texts of validator.js are not here (MOAT_CORPORA)')
  process.exit(77)
}

// Why Moat takes what validator.js refuses, where it does.
const lower = text => text.toLowerCase()
const meant = {
  isAfter: () => true, // the day of today is another to both at midnight, and Date.parse() reads what only engines know
  isBefore: () => true,
  isAlphanumeric: (_, args) => args[0] === 'hi-IN', // validator.js wants letters before digits there
  isCreditCard: () => true, // ranges of cards since those of validator.js
  isDataURI: (text, args) => validator.isDataURI(lower(text), ...args), // RFC 3986 section 3.1: a scheme has no case
  isEmail: text => /^[^"<]*[.][^"<]*</.test(text), // RFC 5322 section 4.1: a name may have a full stop without quotes
  isHSL: text => text.includes('/'), // CSS Color 4: alpha beyond one is one
  isIdentityCard: text => /[a-y]$/.test(text) || /\d[a-fu-y]\d{3}/i.test(text), // letters of Finland in lower case, its new signs
  isISO8601: text => /^\d{4}-\d{3}$/.test(text) || text.startsWith('00'), // days of a year; years before 100
  isISRC: text => validator.isISRC(text.toUpperCase()),
  isLicensePlate: () => true, // tables of districts and series, which are Moat's own
  isLocale: () => true, // RFC 5646: tags have no case, and five to eight letters are reserved
  isMagnetURI: (text, args) => validator.isMagnetURI(text.replace(/^[a-z]+:|[?&]xt(\.\d)?=urn:[a-z0-9:]+:/gi, lower), ...args),
  isMailtoURI: (text, args) => validator.isMailtoURI(lower(text), ...args),
  isMobilePhone: () => true, // tests/interop/phone_interop.py compares these
  isMimeType: text => /[;&]/.test(text), // RFC 9110 section 8.3.1: parameters have any name; RFC 6838 section 4.2: & is in names
  isPassportNumber: (_, args) => ['AU', 'ID', 'PT', 'KR'].includes(args[0]), // series since those of validator.js
  isPostalCode: () => true, // tables, as above
  isRgbColor: text => text.toLowerCase().startsWith('rgba'), // CSS Color 4: alpha is any number
  isTaxID: () => true, // tests/interop/stdnum_interop.py compares these
  // A host has no case; a top-level domain beyond ASCII may have one letter.
  isURL: (text, args) => validator.isURL(lower(text), ...args) || /[.][^\x00-\x7f]$/.test(text),
  isVAT: () => true, // tests/interop/stdnum_interop.py compares these
}

const below = seeded(20261128)
const pick = list => list[below(list.length)]
const odd = [...' -_.:/@+#%&,;()[]"\'\\\t\n<>=?*!$0O1lIaAzZ9éµ漢ö']
const classes = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

function mutate(text) {
  const letters = [...text]
  const at = below(letters.length + 1)
  const one = letters[at] ?? ''
  const rest = letters.slice(at + 1)
  const before = letters.slice(0, at)
  switch (below(8)) {
    case 0: return [...before, ...rest].join('')
    case 1: return [...before, one, one, ...rest].join('')
    case 2: return [...before, pick([...(classes.find(all => one && all.includes(one)) ?? odd)]), ...rest].join('')
    case 3: return [...before, pick(odd), one, ...rest].join('')
    case 4: return [...before, one === one.toUpperCase() ? one.toLowerCase() : one.toUpperCase(), ...rest].join('')
    case 5: return below(2) ? text.toLowerCase() : text.toUpperCase()
    case 6: return before.join('')
    default: {
      const other = below(letters.length || 1)
      if (at < letters.length) [letters[at], letters[other]] = [letters[other], letters[at]]
      return letters.join('')
    }
  }
}

function unwrap(value) {
  if (Array.isArray(value)) return value.map(unwrap)
  if (value === null || typeof value !== 'object') return value
  if ('$regex' in value) return new RegExp(value.$regex, value.$flags ?? '')
  if ('$date' in value) return new Date(value.$date)
  if ('$undefined' in value) return undefined
  if ('$number' in value) return Number(value.$number)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unwrap(one)]))
}

const calls = []
for (const line of readFileSync(corpus, 'utf8').trim().split('\n')) {
  const { fn, args, valid, invalid } = JSON.parse(line)
  const texts = [...valid, ...invalid].filter(text => typeof text === 'string' && text.length < 3000)
  if (typeof validator[fn] !== 'function' || texts.length === 0 || JSON.stringify(args).includes('$function')) continue
  for (let i = 0; i < Math.min(texts.length * turns, 1000); i++) {
    let input = mutate(pick(texts))
    if (below(3) === 0) input = mutate(input)
    const theirs = unwrap(args)
    try {
      calls.push({ fn, args, input, theirs, right: validator[fn](input, ...theirs) })
    } catch {
      // A text or an option that validator.js throws at.
    }
  }
}

const input = calls.map(({ fn, args, input }, id) => JSON.stringify({ id, op: 'validate', fn, args, input })).join('\n') + '\n'
const run = spawnSync(program, { input, maxBuffer: 2 ** 30 })
assert.equal(run.status, 0, run.stderr?.toString())
const answers = run.stdout.toString().trim().split('\n').map(line => JSON.parse(line))
assert.equal(answers.length, calls.length)
let same = 0
const loose = []
answers.forEach((answer, i) => {
  const { fn, args, input, theirs, right } = calls[i]
  if (answer.ok === Boolean(right)) same++
  else if (answer.ok && !meant[fn]?.(input, theirs)) loose.push(`${fn} ${JSON.stringify(args)} ${JSON.stringify(input)}`)
})
assert.deepEqual(loose, [], 'Moat takes what validator.js refuses')
assert.ok(same > calls.length * 0.95, `they agree on ${same} of ${calls.length}`)
console.log(`${calls.length} texts compared, ${same} alike`)
