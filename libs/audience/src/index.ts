export {
  type AudienceZone,
  countAudience,
  findSampleClient,
  type SampleClient,
} from './audience.queries.js';
export { compileAudience } from './compile.js';
