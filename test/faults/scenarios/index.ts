import type { Scenario } from '../scenario.js';
import { workerScenarios } from './worker.js';

export const SCENARIOS: readonly Scenario[] = [...workerScenarios];
