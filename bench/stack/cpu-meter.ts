import { cpuSeconds } from './usage.js';

/** Who uses the cores during a measurement; a yardstick's process counts as the worker. */
export const CPU_USERS = ['worker', 'beat', 'api', 'postgres', 'redis', 'simulator'] as const;
export type CpuUser = (typeof CPU_USERS)[number];

/** CPU milliseconds per 1,000 messages. */
export type Cpu = Record<CpuUser, number>;

/** Reads the CPU time of processes (and of their children) now and, when called, since now. */
export function startCpuMeter(pids: Partial<Record<CpuUser, number[]>>): (messages: number) => Cpu {
  const read = () => each((user) => sum((pids[user] ?? []).map(cpuSeconds)));
  const before = read();
  return (messages) => {
    const after = read();
    return each((user) => perThousand(after[user] - before[user], messages));
  };
}

export function perThousand(seconds: number, messages: number): number {
  return (seconds * 1_000 * 1_000) / messages;
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

function each(value: (user: CpuUser) => number): Cpu {
  return Object.fromEntries(CPU_USERS.map((user) => [user, value(user)])) as Cpu;
}
