import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { openRedis } from '../connections.js';
import type { SharedBackend } from '../shared-backend.js';
import type { Bell, BellOptions } from './bell.js';

/** It waits for so long at a time, s. */
const WAIT_S = 5;
/** Without any answer for so long the connection counts as lost, ms. */
const SILENCE_MS = 8_000;
const RETRY_MS = 500;
/** A key that nobody waits for any more expires, s. */
const WAKE_KEY_S = 60;

/**
 * Waits for the markers that BullMQ sets beside a queue in which jobs wait, of all lanes that are asleep,
 * on a connection of its own. A marker stays until a process takes it, so none is missed while none
 * waits. A lane that falls asleep meanwhile ends the wait by a key of this process.
 */
export class RedisBell implements Bell {
  private readonly client: Redis;
  private readonly wakeKey: string;
  /** Marker's key to lane, of the lanes that it waits for; null: it waits for none. */
  private waiting: Map<string, string> | null = null;
  private wakes = false;
  private changed: (() => void) | undefined;
  private closed = false;

  constructor(
    url: string,
    private readonly shared: SharedBackend,
    private readonly options: BellOptions,
  ) {
    this.wakeKey = `${shared.prefix}:wake:${randomUUID()}`;
    // What was not answered is not sent again: the lanes may have changed.
    this.client = openRedis(url, {
      connectionName: `${shared.prefix}:bell`,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    this.client.on('error', (error) => {
      options.onError(error);
    });
    void this.listen();
  }

  watch(): void {
    this.changed?.();
    if (!this.waiting || this.wakes) return;
    const isNew = this.options.asleep().some((lane) => !this.waiting?.has(this.markerOf(lane)));
    if (!isNew) return;
    this.wakes = true;
    const { redis } = this.shared;
    // Without it the wait ends by itself soon.
    redis?.zadd(this.wakeKey, 0, '0').catch(() => undefined);
    redis?.expire(this.wakeKey, WAKE_KEY_S).catch(() => undefined);
  }

  passOn(lane: string): void {
    this.shared.redis?.zadd(this.markerOf(lane), 0, '0').catch(() => undefined);
  }

  close(): Promise<void> {
    this.closed = true;
    this.changed?.();
    this.client.disconnect();
    return Promise.resolve();
  }

  private async listen(): Promise<void> {
    while (!this.closed) {
      const lanes = this.options.asleep();
      if (lanes.length === 0) {
        await new Promise<void>((resolve) => {
          this.changed = resolve;
        });
        this.changed = undefined;
      } else {
        await this.wait(new Map(lanes.map((lane) => [this.markerOf(lane), lane])));
      }
    }
  }

  private async wait(waiting: Map<string, string>): Promise<void> {
    const cancelTimer = setTimeout(() => {
      this.client.disconnect(true);
    }, SILENCE_MS);
    try {
      this.waiting = waiting;
      this.wakes = false;
      const heard = await this.client.bzpopmin([this.wakeKey, ...waiting.keys()], WAIT_S);
      this.waiting = null;
      const lane = heard && waiting.get(heard[0]);
      if (lane != null) this.options.ring(lane, Number(heard?.[2]));
    } catch {
      this.waiting = null;
      if (this.closed) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      // The answer that was lost may have been a marker.
      this.options.ringAll();
    } finally {
      clearTimeout(cancelTimer);
    }
  }

  private markerOf(lane: string): string {
    return this.shared.backend(lane).toKey('marker');
  }
}
