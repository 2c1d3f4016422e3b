export type { ClientMessageRow, ClientRow } from './clients.queries.js';
export { ClientsService } from './clients.service.js';
export { TagsService } from './tags.service.js';
