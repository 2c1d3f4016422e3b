import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import pg from 'pg';

/**
 * Breaks the database's sessions of the process that loads this, in the one way that FAULTS_SABOTAGE
 * names. It writes to stderr what it does.
 */

interface ServerMessage {
  code?: string;
}
interface Hearing {
  _handleErrorMessage: (message: ServerMessage) => unknown;
}

const TAKES_NO_WRITES = '25006';

const SABOTAGES: Record<string, (() => void) | undefined> = {
  'settings-as-found': () => {
    const load = createRequire(resolve('package.json'));
    const session = load(resolve('dist/libs/database/src/session/session.js')) as {
      prepareSession: () => Promise<void>;
    };
    session.prepareSession = () => {
      say();
      return Promise.resolve();
    };
  },
  'sessions-stay': () => {
    const client = pg.Client.prototype as unknown as Hearing;
    const hear = Reflect.get(client, '_handleErrorMessage');
    client._handleErrorMessage = function (message) {
      if (message.code === TAKES_NO_WRITES) {
        say();
        message.code = 'XX000';
      }
      return hear.call(this, message);
    };
    const load = createRequire(resolve('package.json'));
    const check = load(resolve('dist/libs/database/src/check-database.js')) as {
      checkDatabase: () => Promise<void>;
    };
    check.checkDatabase = () => Promise.resolve();
  },
};

const sabotage = process.env.FAULTS_SABOTAGE ?? '';
let said = false;
SABOTAGES[sabotage]?.();

function say(): void {
  if (said) return;
  said = true;
  process.stderr.write(`sabotage applied: ${sabotage}\n`);
}
