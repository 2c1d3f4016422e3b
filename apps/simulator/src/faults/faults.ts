import type { MsgId } from '../received/log.js';
import { draw, drawLatency } from './draw.js';
import type { FaultRule, FaultSettings } from './settings.js';

/** Keeps the numbers drawn for latency apart from those drawn for the rules. */
const LATENCY_PURPOSE = 1_000;

interface ActiveRule {
  rule: FaultRule;
  ids: Set<MsgId> | undefined;
  fired: number;
}

export interface FaultsView {
  settings: FaultSettings;
  /** How often each thing happened since these settings were put. */
  fired: {
    /** One number per rule, in the order of the rules. */
    rules: number[];
    /** Requests refused because the settings say that the token has expired. */
    expiredToken: number;
  };
}

/** The settings in force, what each request is to meet by them, and how often each fired. */
export class Faults {
  private rules: ActiveRule[] = [];
  private expiredToken = 0;
  private expiresAt = Infinity;

  constructor(private current: FaultSettings) {
    this.put(current);
  }

  get settings(): FaultSettings {
    return this.current;
  }

  /** Replaces everything; counters start again. */
  put(settings: FaultSettings): void {
    this.current = settings;
    this.rules = settings.rules.map((rule) => ({
      rule,
      ids: rule.ids && new Set(rule.ids),
      fired: 0,
    }));
    this.expiredToken = 0;
    const { expired, expiresAfterMs } = settings.token;
    this.expiresAt = expired ? 0 : performance.now() + (expiresAfterMs ?? Infinity);
  }

  /** Counters are kept: only this one setting ends by itself. */
  endRefusal(): void {
    this.current = { ...this.current, refuse: false };
  }

  /** Whether this request meets an expired token; counted when it does. */
  tokenExpires(): boolean {
    if (performance.now() < this.expiresAt) return false;
    this.expiredToken += 1;
    return true;
  }

  /** The rule that hits the `nth` request (from 1) of this id, counted; none means OK. */
  choose(id: MsgId, nth: number): FaultRule | undefined {
    const hit = this.rules.find((active, index) => this.hits(active, index, id, nth));
    if (hit) hit.fired += 1;
    return hit?.rule;
  }

  /** Milliseconds to wait before the answer. */
  latencyMs(id: MsgId, nth: number): number {
    const { latency, seed } = this.current;
    return drawLatency(latency, (n) => draw(seed, LATENCY_PURPOSE + n, id, nth));
  }

  view(): FaultsView {
    return {
      settings: this.current,
      fired: { rules: this.rules.map(({ fired }) => fired), expiredToken: this.expiredToken },
    };
  }

  private hits({ rule, ids, fired }: ActiveRule, index: number, id: MsgId, nth: number): boolean {
    if (rule.times !== undefined && fired >= rule.times) return false;
    if (rule.firstRequests !== undefined && nth > rule.firstRequests) return false;
    if (ids && !ids.has(id)) return false;
    return rule.share === 1 || draw(this.current.seed, index, id, nth) < rule.share;
  }
}
