import { isTimeout } from '@app/database';

export interface PieceBounds {
  /** Rows of the first piece: nothing is known yet. */
  first: number;
  /** Never fewer: such a piece has as much time as its session allows. */
  least: number;
  most: number;
  /** How long a piece is to take, ms. */
  aimMs: number;
  /** A larger piece than the least one is cancelled after this, ms. */
  limitMs: number;
}

/** What one statement is to do. */
export interface Piece {
  limit: number;
  timeoutMs?: number;
}

/** Between one piece and the next: a single slow or fast piece changes the size no further. */
const STEP = 4;

/**
 * How many rows the next piece of a long work has, so that a piece takes about as long as wanted
 * whatever the database can do. A piece that takes too long is cancelled, and the next one is a
 * quarter of it.
 */
export class PieceSize {
  private rows: number;

  constructor(
    private readonly bounds: PieceBounds,
    first = bounds.first,
  ) {
    this.rows = clamp(first, bounds.least, bounds.most);
  }

  get next(): Piece {
    const { least, limitMs } = this.bounds;
    const limit = this.rows;
    return limit > least ? { limit, timeoutMs: limitMs } : { limit };
  }

  /**
   * Does one piece, and adapts the size to its time.
   *
   * @param work answers with the rows that it went through and with the milliseconds that took.
   * @returns null when the piece was cancelled for its length: nothing of it was done.
   * @throws what `work` throws; also when the least piece takes too long.
   */
  async run<Result extends { rows: number; tookMs: number }>(
    work: (piece: Piece) => Promise<Result>,
  ): Promise<Result | null> {
    const piece = this.next;
    try {
      const result = await work(piece);
      this.learn(piece.limit, result);
      return result;
    } catch (error) {
      if (piece.timeoutMs === undefined || !isTimeout(error)) throw error;
      this.become(piece.limit / STEP);
      return null;
    }
  }

  private learn(limit: number, { rows, tookMs }: { rows: number; tookMs: number }): void {
    const wanted = (limit * this.bounds.aimMs) / Math.max(tookMs, 1);
    // A piece that was not full says nothing about a full one, unless it was slow all the same.
    if (rows < limit && wanted > limit) return;
    this.become(clamp(wanted, limit / STEP, limit * STEP));
  }

  private become(rows: number): void {
    this.rows = Math.round(clamp(rows, this.bounds.least, this.bounds.most));
  }
}

/** The sizes of several works at once; a new one begins no larger than what has just been right. */
export class PieceSizes {
  private readonly sizes = new Map<number, PieceSize>();
  private latest: number;

  constructor(private readonly bounds: PieceBounds) {
    this.latest = bounds.first;
  }

  /** Does one piece of a work, see `PieceSize.run`. */
  async run<Result extends { rows: number; tookMs: number }>(
    id: number,
    work: (piece: Piece) => Promise<Result>,
  ): Promise<Result | null> {
    let size = this.sizes.get(id);
    if (!size) {
      size = new PieceSize(this.bounds, Math.min(this.bounds.first, this.latest));
      this.sizes.set(id, size);
    }
    try {
      return await size.run(work);
    } finally {
      this.latest = size.next.limit;
    }
  }

  /** Forgets all works but these. */
  keep(ids: Iterable<number>): void {
    const kept = new Set(ids);
    for (const id of this.sizes.keys()) if (!kept.has(id)) this.sizes.delete(id);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
