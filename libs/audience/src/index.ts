export {
  type AudienceZone,
  countAudience,
  findSampleClient,
  readDatabaseTime,
  type SampleClient,
} from './audience.queries.js';
export { compileAudience } from './compile.js';
