import Table from 'cli-table3';
import type { Received, Statistics } from './api.js';
import type { Installation } from './installation.js';
import { line, paint, seconds, thousands } from './paint.js';

const STATUSES = ['pending', 'sending', 'sent', 'failed', 'expired', 'cancelled', 'unknown'];

export interface Delivery {
  mailing: number;
  statistics: Statistics;
  received: Received;
  /** From the request that created the mailing, ms. */
  tookMs: number;
  firstAfterMs: number | undefined;
}

/** Everybody got the message, once, and the numbers say so on both sides. */
export function isComplete({ statistics, received }: Delivery, clients: number): boolean {
  return (
    statistics.total === clients &&
    statistics.counts.sent === clients &&
    received.delivered === clients &&
    received.duplicates === 0
  );
}

export function showDelivery(delivery: Delivery): void {
  const { statistics, received, tookMs, firstAfterMs } = delivery;
  const table = new Table({
    head: [`mailing ${delivery.mailing}`, 'messages', 'provider got', 'twice'].map(bold),
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const status of STATUSES) {
    const there =
      status === 'sent' ? [received.delivered, received.duplicates].map(thousands) : ['', ''];
    table.push([status, thousands(statistics.counts[status] ?? 0), ...there]);
  }
  const sums = [statistics.total, received.delivered, received.duplicates].map(thousands);
  table.push(['total', ...sums].map(bold));
  line();
  line(indent(table.toString()));

  const perSecond = thousands(Math.round((1000 * (statistics.counts.sent ?? 0)) / tookMs));
  const first = firstAfterMs === undefined ? '' : `, the first one after ${seconds(firstAfterMs)}`;
  line(
    `  ${seconds(tookMs)} from the request to the last message${first}; ${perSecond} per second.`,
  );
  for (const { code, attempts, detail } of statistics.errors) {
    line(`  ${thousands(attempts)} attempts ended with ${code}${detail ? `: ${detail}` : ''}`);
  }
}

export function showAddresses(installation: Installation): void {
  const { apiUrl, simulatorUrl, workerUrl, mailUrl, key, folder } = installation;
  const addresses = {
    'API docs': `${apiUrl}/docs`,
    ReDoc: `${apiUrl}/redoc`,
    Queues: `${apiUrl}/queues`,
    Metrics: `${workerUrl}/metrics`,
    Simulator: `${simulatorUrl}/docs`,
    Received: `${simulatorUrl}/received/messages`,
    Mails: mailUrl,
    Logs: `${folder}/*.log`,
    'Admin key': paint('bold', key),
  };
  line();
  for (const [name, address] of Object.entries(addresses)) line(`  ${name.padEnd(12)}${address}`);
}

export function showExample({ apiUrl, key }: Installation, mailing: number): void {
  line();
  line(`  Try:  curl -H 'token: ${key}' ${apiUrl}/mailings/${mailing}/statistics`);
}

const bold = (text: string) => paint('bold', text);

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
