// SPDX-License-Identifier: Apache-2.0
// Chance with a seed, so that a failure comes again: seeded(seed)(limit) is a number from 0 to below the limit (mulberry32).
export const seeded = state => limit => {
  state = state + 0x6D2B79F5 | 0
  let t = Math.imul(state ^ state >>> 15, 1 | state)
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
  return ((t ^ t >>> 14) >>> 0) % limit
}
