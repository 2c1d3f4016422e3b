import type { Role } from '@app/database';

/** Whose key a request carries. */
export interface Caller {
  /** Of the API key. */
  id: number;
  name: string;
  role: Role;
}
