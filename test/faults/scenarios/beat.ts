import { type RunningProcess, sleep, waitFor } from '@app/testkit';
import { BOTH, scenarios } from '../scenario.js';
import { endLeaderSession, leaderSessions, waitingFor } from '../sessions.js';
import type { Trial } from '../trial.js';

const TAKE_OVER_MS = 10_000;

export const beatScenarios = scenarios(
  {
    name: 'beat-killed-while-planning',
    holds: 'each client has one message, although beat dies in the middle of three chunks',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(6_000);
      const mailing = await trial.mailing({ startsInMs: 1_000 });
      // A chunk inserts its rows and then waits for the counters, so that beat dies inside of it.
      const counters = () =>
        trial.lock('SELECT 1 FROM mailing_counters WHERE mailing_id = $1 FOR UPDATE', mailing);
      const first = await counters();
      // The first chunk, which gets lost with its session.
      await dieWhilePlanning(trial);
      await endLeaderSession(trial);
      await cluster.startBeat();
      // The first chunk again, which commits although its beat is dead.
      await dieWhilePlanning(trial);
      const second = counters();
      await waitFor(async () => (await waitingFor(trial, 'suite', '%FOR UPDATE')) > 0, {
        timeoutMs: 5_000,
        what: 'the second lock is in the queue',
      });
      await first.release();
      const held = await second;
      await cluster.startBeat();
      // The second chunk.
      await dieWhilePlanning(trial);
      await endLeaderSession(trial);
      await cluster.startBeat();
      await held.release();
      await trial.finished(mailing);
      const { total, sent } = await trial.counters(mailing);
      trial.expect(total === 6_000 && sent === 6_000, `all are sent: ${sent} of ${total}`);
    },
  },
  {
    name: 'three-beats',
    holds: 'one leads at a time; when it is killed another takes over within 10 s',
    backends: BOTH,
    beats: 3,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(1_500);
      await provider.faults({ latency: { distribution: 'fixed', ms: 60 } });
      const mailing = await trial.mailing();
      for (let kill = 0; kill < 2; kill++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + 100);
        const former = await leaderSessions(trial);
        await cluster.kill(await cluster.leader());
        await trial.takesOver('the leader was killed', TAKE_OVER_MS, former);
        const leaders = (await leaderSessions(trial)).length;
        trial.expect(leaders === 1, `one beat leads, not ${leaders}`);
      }
      await trial.finished(mailing);
    },
  },
  {
    name: 'leader-session-terminated',
    holds: 'another beat leads within 10 s; the one that lost its session writes nothing more',
    backends: BOTH,
    beats: 2,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(1_500);
      await provider.faults({ latency: { distribution: 'fixed', ms: 60 } });
      const mailing = await trial.mailing();
      for (let time = 0; time < 3; time++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + 50);
        const old = await cluster.leader();
        const losses = lossesOf(old);
        const former = await leaderSessions(trial);
        await endLeaderSession(trial);
        await trial.takesOver("the leader's session was terminated", TAKE_OVER_MS, former);
        // All that a leader writes goes through the session that it has lost.
        await waitFor(() => lossesOf(old) > losses, {
          timeoutMs: 5_000,
          what: 'the old leader knows that it leads no more',
        });
      }
      await trial.finished(mailing);
    },
  },
  {
    name: 'leader-stopped-for-twenty-seconds',
    holds: 'its lock is taken from it and another leads; awake again it writes nothing as a leader',
    backends: BOTH,
    beats: 2,
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(300);
      const old = await cluster.leader();
      const former = await leaderSessions(trial);
      cluster.freeze(old);
      const mailing = await trial.mailing();
      await trial.takesOver('the leader stood still', 20_000, former);
      await trial.sent(mailing, 1);
      cluster.thaw(old);
      await old.waitForLog((line) => line.includes('the leadership is lost'), 15_000);
      const leaders = (await leaderSessions(trial)).length;
      trial.expect(leaders === 1, `one beat leads, not ${leaders}`);
      await trial.finished(mailing);
    },
  },
  {
    name: 'no-beat-for-a-while',
    holds: 'a mailing whose start passed meanwhile begins as soon as a beat is there',
    backends: BOTH,
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(300);
      await cluster.kill(await cluster.leader());
      const mailing = await trial.mailing({ startsInMs: 500 });
      await sleep(1_500);
      const resumed = trial.resumes('beat was started again', TAKE_OVER_MS);
      await cluster.startBeat();
      await resumed;
      await trial.finished(mailing);
    },
  },
);

async function dieWhilePlanning(trial: Trial): Promise<void> {
  const planning = '%WITH candidates AS MATERIALIZED%';
  await waitFor(async () => (await waitingFor(trial, 'posthorn-beat-leader', planning)) > 0, {
    timeoutMs: 15_000,
    what: 'a chunk is being planned',
    everyMs: 5,
  });
  await trial.cluster.kill(await trial.cluster.leader());
}

function lossesOf(beat: RunningProcess): number {
  return beat.logs.filter((line) => line.includes('the leadership is lost')).length;
}
