import type { Scenario } from '../scenario.js';
import { beatScenarios } from './beat.js';
import { foreignByteScenarios } from './foreign-bytes.js';
import { controlScenarios } from './control.js';
import { databaseScenarios } from './database.js';
import { hostScenarios } from './host.js';
import { laneScenarios } from './lanes.js';
import { providerLimitScenarios } from './provider-limits.js';
import { providerScenarios } from './provider.js';
import { queueScenarios } from './queue.js';
import { rateScenarios } from './rates.js';
import { reportScenarios } from './reports.js';
import { restoredScenarios } from './restored.js';
import { taskScenarios } from './tasks.js';
import { sessionScenarios } from './sessions.js';
import { textScenarios } from './texts.js';
import { timeScenarios } from './time.js';
import { workerScenarios } from './worker.js';

export const SCENARIOS: readonly Scenario[] = [
  ...workerScenarios,
  ...beatScenarios,
  ...queueScenarios,
  ...rateScenarios,
  ...laneScenarios,
  ...databaseScenarios,
  ...sessionScenarios,
  ...providerScenarios,
  ...providerLimitScenarios,
  ...controlScenarios,
  ...timeScenarios,
  ...textScenarios,
  ...reportScenarios,
  ...foreignByteScenarios,
  ...hostScenarios,
  ...taskScenarios,
  ...restoredScenarios,
];
