import { RouteConfig } from '@nestjs/platform-fastify';
import type { Role } from '@app/database';

declare module 'fastify' {
  interface FastifyContextConfig {
    minRole?: Role;
  }
}

/**
 * The least role that may use a handler, or all handlers of a controller. Without it reading needs
 * `viewer` and everything else `operator`.
 */
export function MinRole(role: Role): ClassDecorator & MethodDecorator {
  const mark = RouteConfig({ minRole: role });
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (key !== undefined && descriptor) {
      mark(target, key, descriptor);
      return;
    }
    // Fastify knows routes, not controllers: each handler gets the mark.
    const prototype = (target as { prototype: object }).prototype;
    const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype));
    for (const [name, method] of methods) {
      if (name !== 'constructor') mark(prototype, name, method);
    }
  };
}

export function neededRole(method: string, marked: Role | undefined): Role {
  return marked ?? (method === 'GET' || method === 'HEAD' ? 'viewer' : 'operator');
}
