import { type Role, ROLES } from '@app/database';

/** Whether a role includes another: admin > operator > viewer. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
