/**
 * Looks at a resource that is locked, before it changes. Its error is the answer, and nothing
 * changes.
 */
export type Check<Resource> = (current: Resource) => void;
