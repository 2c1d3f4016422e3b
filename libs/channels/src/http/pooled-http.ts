import type { Clock } from '@app/platform';
import {
  Axios,
  AxiosHeaders,
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { buildConnector, Pool } from 'undici';

import { Call, type Answer } from './call.js';
import { skipContinue } from './interim-answers.js';

export interface PooledHttpOptions {
  /** Scheme, host and port. */
  origin: string;
  /** Also the most calls at a time: one connection carries one call. */
  connections: number;
  connectTimeoutMs: number;
  /** Of an answer's body, as received and again as decompressed. */
  maxAnswerBytes: number;
  /** Sent with every call: name, value, name, value … */
  headers: () => string[];
  clock: Clock;
}

/** axios keeps fields that it does not know. Its own `timeout` is relative: a pause would extend it. */
interface CallConfig extends AxiosRequestConfig<string> {
  url: string;
  data: string;
  deadline: number;
}

/** In the place of axios' headers of an answer: see `PooledHttp`. */
const NO_HEADERS = new AxiosHeaders();

/**
 * axios without what it does around an adapter: it merges configurations, normalises headers twice and
 * transforms the data, for which a call of ours has no use and pays 8 µs of its 26, or 4 % of all that a
 * message costs. Interceptors would not be called; there are none.
 */
class DirectAxios extends Axios {
  constructor(private readonly adapter: AxiosAdapter) {
    super({ method: 'post', adapter });
  }

  override request<T, R, D, P>(
    config: AxiosRequestConfig<D, P>,
  ): ReturnType<typeof Axios.prototype.request<T, R, D, P>> {
    const answer = this.adapter(config as InternalAxiosRequestConfig);
    return answer as ReturnType<typeof Axios.prototype.request<T, R, D, P>>;
  }
}

/**
 * axios over a pool of undici connections: HTTP/1.1, kept alive, no redirects, no retries.
 *
 * A call takes 18 µs of CPU, nearly all of them undici's; axios's own adapter takes 165. The pool adds the
 * headers, and the whole answer is `data`: headers that are not read are not
 * copied and normalised.
 */
export class PooledHttp {
  private readonly pool: Pool;
  private closing: Promise<void> | undefined;
  private readonly axios: InstanceType<typeof Axios>;

  constructor(private readonly options: PooledHttpOptions) {
    this.pool = new Pool(options.origin, {
      connections: options.connections,
      pipelining: 1,
      allowH2: false, // one call per connection: it bounds the calls, and a broken connection costs one call
      connect: connector(options.connectTimeoutMs),
      maxResponseSize: options.maxAnswerBytes,
      headersTimeout: 0, // the call's own deadline covers both
      bodyTimeout: 0,
    });
    this.axios = new DirectAxios(this.adapter);
  }

  /**
   * @param path from the origin's root
   * @param deadline for the whole call, on the monotonic clock, ms
   * @throws CallError there is no complete answer; says whether anything was written
   */
  async post(path: string, body: string, deadline: number): Promise<Answer> {
    const config: CallConfig = { url: path, data: body, deadline };
    const response = await this.axios.request<Answer>(config);
    return response.data;
  }

  /** Lets the calls under way end (each has its deadline), then closes every connection. */
  close(): Promise<void> {
    this.closing ??= this.pool.close();
    return this.closing;
  }

  private readonly adapter: AxiosAdapter = (config) =>
    new Promise<AxiosResponse<Answer>>((resolve, reject) => {
      const { url: path, data: body, deadline } = config as unknown as CallConfig;
      const { clock, maxAnswerBytes: maxBytes } = this.options;
      const answered = (data: Answer): void => {
        resolve({ data, status: data.status, statusText: '', headers: NO_HEADERS, config });
      };
      const call = new Call({ deadline, maxBytes, clock }, answered, reject);
      if (call.settled) return;
      this.pool.dispatch({ path, method: 'POST', headers: this.options.headers(), body }, call);
    });
}

function connector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false });
  return (target, done) => {
    connect(target, (...[error, socket]) => {
      if (error) {
        done(error, null);
        return;
      }
      skipContinue(socket);
      done(null, socket);
    });
  };
}
