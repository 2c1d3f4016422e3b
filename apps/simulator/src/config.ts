import { ConfigError, type ConfigFault, isSet, loadConfig } from '@app/platform';
import { faultsFromEnvironment } from './faults/settings.js';
import type { SimulatorOptions } from './simulator.js';

type SimulatorConfig = Omit<SimulatorOptions, 'logger'> & { logLevel: string };

/** @throws ConfigError that names every wrong variable, and everything wrong inside SIMULATOR_FAULTS. */
export function readSimulatorConfig(source?: Record<string, string | undefined>): SimulatorConfig {
  const faults: ConfigFault[] = [];
  const collect = <Settings>(read: () => Settings): Settings | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const config = collect(() =>
    loadConfig(
      ['API_HOST', 'SIMULATOR_PORT', 'SIMULATOR_CONTROL_PORT', 'SIMULATOR_TOKEN', 'LOG_LEVEL'],
      source,
    ),
  );
  // On their own, so that a fault of the others hides none of theirs.
  const { SIMULATOR_FAULTS } = loadConfig(['SIMULATOR_FAULTS'], source);
  const hasControlPort = isSet('SIMULATOR_CONTROL_PORT', source);
  const settings = collect(() => faultsFromEnvironment(SIMULATOR_FAULTS, hasControlPort));
  if (!config || !settings) throw new ConfigError(faults);
  return {
    host: config.API_HOST,
    port: config.SIMULATOR_PORT,
    controlPort: config.SIMULATOR_CONTROL_PORT,
    token: config.SIMULATOR_TOKEN,
    faults: settings,
    logLevel: config.LOG_LEVEL,
  };
}
