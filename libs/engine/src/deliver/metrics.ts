import { Counter, Gauge, Histogram, metrics, systemClock } from '@app/platform';

export const recorded = new Counter({
  name: 'posthorn_outcomes_recorded_total',
  help: 'Attempts written down, by the status the message got; "fenced" when it had moved on',
  labelNames: ['status'],
  registers: [metrics],
});

/** Outcomes that the database refused because of their data (SQLSTATE 22, 23). */
export const setAsideOutcomes = new Counter({
  name: 'posthorn_outcomes_set_aside_total',
  help: 'Attempts that the database refused to write down; each is tried again by itself',
  registers: [metrics],
});

/** For each lane: since when its oldest outcome waits to be recorded; `Infinity`: none waits. */
export const unrecordedSince = new Set<() => number>();

new Gauge({
  name: 'posthorn_oldest_unrecorded_outcome_age_seconds',
  help: 'How long the oldest outcome has been waiting to be written down; 0 when none waits',
  registers: [metrics],
  collect() {
    const oldest = Math.min(...[...unrecordedSince].map((since) => since()), Infinity);
    this.set(oldest === Infinity ? 0 : Math.max(0, systemClock.monotonic() - oldest) / 1000);
  },
});

const outcomes = new Counter({
  name: 'posthorn_channel_outcomes_total',
  help: 'Calls to the provider by lane and outcome',
  labelNames: ['lane', 'outcome'],
  registers: [metrics],
});

const callSeconds = new Histogram({
  name: 'posthorn_channel_call_seconds',
  help: 'Duration of calls to the provider',
  labelNames: ['lane'],
  buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  registers: [metrics],
});

export const claimSize = new Histogram({
  name: 'posthorn_claim_messages',
  help: 'Messages that one claim statement took',
  buckets: [0, 1, 4, 16, 64, 256],
  registers: [metrics],
});

const inFlight = new Gauge({
  name: 'posthorn_messages_in_flight',
  help: 'Messages that this process has claimed and not yet recorded, by lane',
  labelNames: ['lane'],
  registers: [metrics],
});

const placesOfProcess = new Gauge({
  name: 'posthorn_places',
  help: 'Messages that this process can hold at a time, over all lanes: DELIVERY_CONCURRENCY',
  registers: [metrics],
});

/** @param places what the process can hold at a time, over all lanes. */
export function showPlaces(places: number): void {
  placesOfProcess.set(places);
}

/** What a lane counts for each message, with its labels looked up once and not for every message. */
export class LaneMetrics {
  private readonly messages: { inc: () => void; dec: () => void };
  private readonly seconds: { observe: (seconds: number) => void };
  private readonly byOutcome = new Map<string, { inc: () => void }>();

  constructor(private readonly lane: string) {
    this.messages = inFlight.labels({ lane });
    this.seconds = callSeconds.labels({ lane });
  }

  claimed(): void {
    this.messages.inc();
  }

  recorded(): void {
    this.messages.dec();
  }

  /** @param durationMs of the call; null when none was made */
  called(outcome: string, durationMs: number | null): void {
    let counter = this.byOutcome.get(outcome);
    if (!counter) {
      counter = outcomes.labels({ lane: this.lane, outcome });
      this.byOutcome.set(outcome, counter);
    }
    counter.inc();
    if (durationMs !== null) this.seconds.observe(durationMs / 1000);
  }
}
