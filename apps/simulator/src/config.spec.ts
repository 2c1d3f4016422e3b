import { ConfigError } from '@app/platform';
import { readSimulatorConfig } from './config.js';

function faultsOf(source: Record<string, string>): string[] {
  try {
    readSimulatorConfig(source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ variable }) => variable);
  }
  return [];
}

describe('the settings of the simulator', () => {
  it('name every fault at once, those inside SIMULATOR_FAULTS too', () => {
    expect(
      faultsOf({
        SIMULATOR_PORT: 'abc',
        LOG_LEVEL: 'loud',
        SIMULATOR_FAULTS: '{"refuse":true,"seed":-1,"rules":[{"fault":"hang","share":2}]}',
      }),
    ).toEqual([
      'SIMULATOR_PORT',
      'LOG_LEVEL',
      'SIMULATOR_FAULTS: seed',
      'SIMULATOR_FAULTS: rules[0].share',
      'SIMULATOR_FAULTS: refuse',
    ]);
    expect(faultsOf({ SIMULATOR_PORT: 'abc', SIMULATOR_FAULTS: '{' })).toEqual([
      'SIMULATOR_PORT',
      'SIMULATOR_FAULTS',
    ]);
  });

  it('know of a second port although its value is wrong', () => {
    const source = { SIMULATOR_CONTROL_PORT: 'abc', SIMULATOR_FAULTS: '{"refuse":true}' };
    expect(faultsOf(source)).toEqual(['SIMULATOR_CONTROL_PORT']);
  });

  it('take empty variables for missing ones', () => {
    const source = { SIMULATOR_FAULTS: '', SIMULATOR_CONTROL_PORT: '', API_HOST: '127.0.0.1' };
    expect(readSimulatorConfig(source)).toMatchObject({
      host: '127.0.0.1',
      port: 8090,
      controlPort: undefined,
    });
  });
});
