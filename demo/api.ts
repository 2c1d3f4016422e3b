/** The parts of the answers that the demo shows. */
export interface Statistics {
  status: string;
  total: number;
  counts: Record<string, number>;
  planned: boolean;
  errors: { code: string; attempts: number; detail: string | null }[];
}

/** What the simulator knows of one message. */
interface ReceivedMessage {
  text: string | null;
  oks: number;
  firstAt: number;
}

export interface Received {
  /** Different messages of this mailing that were answered OK at least once. */
  delivered: number;
  /** Of these, more than once. */
  duplicates: number;
  /** When the first request came in, milliseconds since 1970; undefined when none did. */
  firstAt: number | undefined;
}

const PAGE = 10_000;

/** Posthorn's API, as any program would use it. */
export class Api {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** @returns the id of a mailing to everybody with the tag, which starts at once. */
  async createMailing(name: string, text: string, tag: string): Promise<number> {
    const now = Date.now();
    const { id } = await this.call<{ id: number }>('/mailings', {
      name,
      channel: 'notification',
      text,
      filter: { tags: [tag] },
      startAt: new Date(now).toISOString(),
      endAt: new Date(now + 3_600_000).toISOString(),
    });
    return id;
  }

  statistics(id: number): Promise<Statistics> {
    return this.call<Statistics>(`/mailings/${id}/statistics`);
  }

  private async call<T>(path: string, body?: object): Promise<T> {
    const answer = await fetch(this.url + path, {
      method: body ? 'POST' : 'GET',
      headers: { token: this.key, ...(body ? { 'content-type': 'application/json' } : {}) },
      signal: AbortSignal.timeout(10_000),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

/** Counts, at the receiving end, the messages with this text. */
export async function readReceived(simulatorUrl: string, text: string): Promise<Received> {
  const received: Received = { delivered: 0, duplicates: 0, firstAt: undefined };
  let cursor: string | null = '0';
  while (cursor !== null) {
    const answer = await fetch(`${simulatorUrl}/received/messages?limit=${PAGE}&cursor=${cursor}`);
    const page = (await answer.json()) as { items: ReceivedMessage[]; nextCursor: string | null };
    for (const message of page.items) {
      if (message.text !== text) continue;
      received.firstAt = Math.min(received.firstAt ?? Infinity, message.firstAt);
      if (message.oks >= 1) received.delivered += 1;
      if (message.oks > 1) received.duplicates += 1;
    }
    cursor = page.nextCursor;
  }
  return received;
}
