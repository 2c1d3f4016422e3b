import type { MsgId } from '../received/log.js';
import type { Latency } from './settings.js';

/**
 * A number in [0, 1) that depends on its arguments alone. The order in which concurrent requests
 * happen to arrive does not matter, so the same seed hits the same requests of the same ids again.
 */
export function draw(seed: number, purpose: number, id: MsgId, nth: number): number {
  const [low, high] = words(id);
  let hash = mix(seed ^ 0x9e37_79b9);
  for (const word of [purpose, low, high, nth]) hash = mix(hash ^ word) + 0x9e37_79b9;
  return (mix(hash) >>> 0) / 0x1_0000_0000;
}

/** Milliseconds, never negative; `next(n)` gives the n-th independent number in [0, 1). */
export function drawLatency(latency: Latency, next: (n: number) => number): number {
  switch (latency.distribution) {
    case 'fixed':
      return latency.ms;
    case 'uniform':
      return latency.minMs + (latency.maxMs - latency.minMs) * next(0);
    case 'normal':
      return Math.max(0, latency.meanMs + latency.deviationMs * gaussian(next));
    case 'lognormal':
      return latency.medianMs * Math.exp(latency.sigma * gaussian(next));
  }
}

/** Box and Muller; 1 - x keeps the logarithm's argument above zero. */
function gaussian(next: (n: number) => number): number {
  return Math.sqrt(-2 * Math.log(1 - next(0))) * Math.cos(2 * Math.PI * next(1));
}

function words(id: MsgId): [low: number, high: number] {
  if (typeof id === 'number') return [id >>> 0, Math.floor(id / 0x1_0000_0000)];
  return [Number(BigInt.asUintN(32, id)), Number(BigInt.asUintN(32, id >> 32n))];
}

/** The finalizer of MurmurHash3: every input bit reaches every output bit. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
