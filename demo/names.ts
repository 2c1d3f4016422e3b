/** Names in the register of processes. */
export const DEMO = 'demo';
export const KEEPER = 'postgres';

/** In the demo's folder. */
export const REGISTER_FILE = 'processes.json';
