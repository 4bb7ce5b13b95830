// SPDX-License-Identifier: Apache-2.0
// Moat's Url beside Node's URL, another implementation of the WHATWG URL standard: thousands of references made of the pieces that
// parsers stumble over must be read alike. `node url_interop.mjs PROGRAM [HOW MANY]`
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { domainToUnicode } from 'node:url'
import { seeded } from './seeded.mjs'

const [program, count = process.env.MOAT_LONG ? 400000 : 40000] = process.argv.slice(2)
const atoms = [
  'http:', 'https:', 'ws:', 'file:', 'ftp:', 'HTTP:', 'wss:', '/', '//', '\\', '\\/', '///', 'a', 'b.com', 'example.com', 'EXAMPLE.com', '127.0.0.1',
  '0x7f.1', '0177.0.0.1', '2130706433', '1.2.3', '256', '0x', '0x.', '1.2.3.4.5', '1.2.3.08', '09', '[::1]', '[::ffff:127.0.0.1]', '[1::2:0:0:3]',
  '[::1', '[]', '[1:2:3:4:5:6:7::]', '[::1.2.3]', '[2001:DB8:0:0:1::1]', ':80', ':443', ':', '::', ':21', ':65536', ':00080', ':8a', '@', 'user', 'u:p@',
  '%40', '%', '%2', '%2e', '%2E', '.', '..', '%2e%2e', '.%2E', './', '../', '/..', '/.', 'c:', 'C|', '/C:', '|', '?', '?q=1', '#', '#f', ' ', '\t', '\n',
  '\r', '\x00', '\x1f', '\x7f', '"', '<', '>', '`', '{', '}', '\'', '~', '[', ']', 'é', '%41', '%61', '%00', '%3a', '%2f', 'localhost', 'LOCALHOST', 'a b',
  '-', '_', '*', '!', '$', '&', '(', ')', ';', '=', '+', ',']
const bases = [null, null, 'http://example.com/a/b?q#f', 'https://u:p@h:8080/x/y/', 'file:///C:/a/b', 'file://host/dir/file', 'file:///x', 'ws://h/',
  'http://h', 'file:///C:/', 'ftp://h/p']
const special = new Set(['http:', 'https:', 'ws:', 'wss:', 'ftp:', 'file:'])

const below = seeded(20261128)
const pick = list => list[below(list.length)]
const cases = Array.from({ length: Number(count) }, () => {
  let text = below(3) < 2 ? atoms[below(7)] + (below(3) ? '//' : '') : ''
  for (let pieces = 1 + below(8); pieces > 0; pieces--) text += pick(atoms)
  return [text, pick(bases)]
})

function node(text, base) {
  try {
    const url = new URL(text, base ?? undefined)
    return special.has(url.protocol) ? url.href : '!'
  } catch {
    return '!'
  }
}

const hex = text => Buffer.from(text).toString('hex')
// Each [text, base] as Moat reads it, hosts beyond ASCII taken where `mark` is "+".
function moat(cases, mark = '') {
  const lines = cases.map(([text, base]) => `${hex(text)} ${base ? hex(base) : '-'}${mark}\n`).join('')
  const answers = spawnSync(program, { input: lines, maxBuffer: 1 << 30 }).stdout.toString().split('\n')
  assert.equal(answers.length, cases.length + 1)
  return answers
}
const ours = moat(cases)

// What is known to differ: hosts beyond ASCII or with one of four marks are refused here; and the Ada library in Node 20 leaves some dot segments, or the ".."
// behind a file's segment that begins like a drive letter, which section 4.4 of the standard resolves.
const dots = /(\/|%2e|\.)\.{0,2}(\/|\?|#|$)|\/\./i
const unlike = cases.map(([text, base], i) => ({ text, base, node: node(text, base), moat: ours[i] })).filter(({ node, moat }) =>
  moat !== '!non_ascii_host' && !(moat === '!bad_host' && /["`{}]/.test(node.split('/')[2])) && (node === '!' ? !moat.startsWith('!') : node !== moat))
const unknown = unlike.filter(({ node, moat }) => node === '!' || moat.startsWith('!') || !dots.test(node) || new URL(moat).href !== moat)
console.log(`${cases.length} references, ${cases.filter((_, i) => !ours[i].startsWith('!')).length} of them URLs; ${unlike.length} read unlike Node`)
assert.deepEqual(unknown, [])
assert.ok(unlike.length <= cases.length / 10000 + 3)

// Hosts beyond ASCII. Of letters that every release of Unicode and IDNA 2008 has, in all the ways in which they may be typed, both make the same names …
const letters = ['a', 'b', 'z', 'A', '0', '9', '-', 'é', 'É', 'e\u0301', 'ß', 'ü', 'ö', 'ς', 'Σ', 'λ', 'я', 'Я', 'ж', '実', '例', 'え', 'カ', '한', 'ｅ', 'Ｘ', '１', '①',
  '\u00ad', 'ﬁ', 'Ⅷ', 'ł', 'Ł', 'đ', 'ə', 'ก', 'क', 'க', '%C3%BC', 'l·l', '。', '．', '｡', '.', '.', '.', '.xn--mnchen-3ya.', '.com', '.de']
// … and of anything else, Moat makes what Node makes or nothing.
const others = [...letters, 'א', 'ב', '1', 'ب', '٠', '۰', '\u200d', '\u200c', '्', '・', '·', '͵', '💩', '☃', '℀', '：', '／', '＠', '％', '？', '⓪', '⑦', '２', '\u0301', '\u0903',
  '\u0378', '\ufffd', '\ue000', '㍻', 'ẞ', 'İ', 'ı', 'ſ', 'K', '_', '--', 'xn--', 'xn--a', 'XN--4DBC', 'ｘｎ－－', '%C3', '%E3%80%82', '0x7f', '127', 'localhost', 'ｌｏｃａｌ', '\u3000',
  '\ufdfa', '🄰', '𝟏', '²', 'ª', '\u2024', '\u180e', '\u034f', 'ـ']
const names = (pieces, many) => Array.from({ length: many }, () => {
  let name = ''
  for (let left = 1 + below(6); left > 0; left--) name += pick(pieces)
  return [`http://${name}/`, null]
})
const host = url => url === '!' || url.startsWith('!') ? '!' : url.split('/')[2]
// What IDNA 2008 or the DNS does not have: hyphens at an end or in the third and fourth place, and what is too long.
const odd = name => name.length > 253 || name.split('.').some(label => label.length > 63) ||
  domainToUnicode(name).split('.').some(label => /^-|-$|^..--/u.test(label))
for (const [pieces, must] of [[letters, true], [others, false]]) {
  const list = names(pieces, Number(count) / 2)
  const answers = moat(list, '+')
  const read = list.map(([text], i) => ({ text, node: host(node(text, null)), moat: host(answers[i]) }))
  const bad = read.filter(({ node, moat }) => moat !== node && (moat !== '!' || must && !odd(node)))
  console.log(`${list.length} hosts, ${read.filter(({ moat }) => moat !== '!').length} of them taken, ${read.filter(({ node }) => node !== '!').length} by Node`)
  assert.deepEqual(bad.slice(0, 20), [])
}
