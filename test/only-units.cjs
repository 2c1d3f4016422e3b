const { needsOf } = require('./needs.cjs');

/** It measures for half a minute: `npm test` runs it. */
const SLOW = /\/test\/foreign-bytes\//;

/** Leaves jest the specs that need nothing beside Node. */
module.exports = (paths) => ({
  filtered: paths.filter((path) => needsOf(path).size === 0 && !SLOW.test(path)),
});
