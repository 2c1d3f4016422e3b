/**
 * Looks at a resource that is locked, before it changes. What it throws is the answer, and nothing
 * changes.
 */
export type Check<Resource> = (current: Resource) => void;
