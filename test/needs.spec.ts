const { needsOf } = jest.requireActual<{ needsOf: (spec: string) => Set<string> }>('./needs.cjs');

/** What `npm test -- <path>` builds and starts, and what `npm run test:unit` runs. */
describe('what a spec needs', () => {
  it('is nothing where it and its helpers ask for nothing', () => {
    expect([...needsOf('test/needs.spec.ts')]).toEqual([]);
  });

  it('is found through the testkit and through helpers', () => {
    const needs = needsOf('test/e2e/idempotency.spec.ts');
    expect([...needs].sort()).toEqual(['build', 'postgres', 'process']);
  });

  it('is found in specs that another one includes', () => {
    const needs = needsOf('libs/engine/src/postgres-15.spec.ts');
    expect([...needs].sort()).toEqual(['build', 'postgres', 'postgres15', 'process']);
  });

  it('is found in the queue, too', () => {
    expect(needsOf('libs/queue/src/queue.spec.ts').has('redis')).toBe(true);
  });

  it.each(['containers-start', 'containers', 'demo', 'docs-live'])(
    'is a build where something is started from dist: %s',
    (name) => {
      expect(needsOf(`test/e2e/${name}.spec.ts`).has('build')).toBe(true);
    },
  );

  it('is held by each run: what is not seen is not there', async () => {
    const { spawn } = await import('node:child_process');
    expect(() => spawn('true')).toThrow('test/needs.cjs');
    const { default: pg } = await import('pg');
    expect(() => new pg.Client()).toThrow('test/needs.cjs');
  });
});
