// SPDX-License-Identifier: Apache-2.0
// What the encoders write, read back by V8's regular expressions, by JavaScript itself, and by the reader of Content-Disposition that Express
// brings. `node encode_interop.mjs PROGRAM [HOW MANY]`
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { Script } from 'node:vm'
import { parse } from 'content-disposition'
import { seeded } from './seeded.mjs'

const [program, count = 20000] = process.argv.slice(2)
const pieces = [...Array.from({ length: 128 }, (_, i) => String.fromCharCode(i)), 'é', '€', '\u2028', '\u0085', '\u{1f600}', '\ufeff', '(?i)', '[a-z]',
  '.*', '\\1', '\\x', '&&', '--', '${x}', '</script>', '<!--', '..', '%41', '%2f', 'name', '; filename=x', '*=UTF-8\'\'', 'a.txt', '1', '2', 'e', ' ']

const below = seeded(20261128)
const texts = Array.from({ length: Number(count) }, () => Array.from({ length: below(7) }, () => pieces[below(pieces.length)]).join(''))
const run = spawnSync(program, { input: texts.map(text => Buffer.from(text).toString('hex') + '\n').join(''), maxBuffer: 1 << 30 })
const answers = run.stdout.toString().split('\n').slice(0, -1).map(line => JSON.parse(line))
assert.equal(answers.length, texts.length)

let names = 0
texts.forEach((text, i) => {
  const { regex, js, disposition } = answers[i]
  // Behind a back-reference and in a class, in every mode: ECMA-262 reads a pattern in three ways.
  for (const flags of ['', 'u', 'v', 'i', 'iu']) {
    const pattern = new RegExp(`^(x)\\1(?:${regex})$`, flags)
    assert.ok(pattern.test('xx' + text), `/${regex}/${flags} is not ${JSON.stringify(text)}`)
    assert.ok(!pattern.test('xx' + text + 'y') && !pattern.test('x' + text), `/${regex}/${flags} is more than ${JSON.stringify(text)}`)
    if (flags.includes('u') || flags === 'v') {
      const among = new RegExp(`^[${regex}]*$`, flags)
      assert.ok(among.test(text), `[${regex}] has not all of ${JSON.stringify(text)}`)
      assert.ok(!among.test('\u0416'), `[${regex}] has more than ${JSON.stringify(text)}`)
    }
  }
  for (const quote of '"\'`')
    assert.equal(new Script(`${quote}${js}${quote}`).runInThisContext(), text)
  if (disposition !== undefined) {
    names++
    const { type, parameters } = parse(disposition)
    assert.equal(type, 'attachment')
    assert.equal(parameters.filename, text)
    assert.deepEqual(Object.keys(parameters).filter(name => !name.startsWith('filename')), [])
  }
})
assert.ok(names > texts.length / 100, 'too few file names')
console.log(`${texts.length} texts, ${names} of them file names`)
