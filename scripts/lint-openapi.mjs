// Checks the API's document against the recommended rules of Redocly and of Spectral.
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import spectralRulesets from '@stoplight/spectral-rulesets';

const FILE = 'docs/openapi.json';

const REDOCLY_EXCEPTIONS = {
  'info-license': 'off', // The product has no public license: package.json says UNLICENSED.
};
const SPECTRAL_EXCEPTIONS = {
  'operation-description': 'off', // A summary that says all needs no second text.
};

const text = readFileSync(FILE, 'utf8');
const problems = [...(await redocly()), ...(await spectral())];
for (const problem of problems) console.error(`${FILE}: ${problem}`);
if (problems.length > 0) process.exitCode = 1;

async function redocly() {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: REDOCLY_EXCEPTIONS,
  });
  const found = await lintFromString({ source: text, absoluteRef: FILE, config });
  return found.map(
    ({ ruleId, message, location: [first] }) => `redocly ${ruleId}: ${message} ${first?.pointer}`,
  );
}

async function spectral() {
  const linter = new spectralCore.Spectral();
  linter.setRuleset({
    extends: [[spectralRulesets.oas, 'recommended']],
    rules: SPECTRAL_EXCEPTIONS,
  });
  const found = await linter.run(JSON.parse(text));
  return found.map(({ code, message, path }) => `spectral ${code}: ${message} ${path.join('.')}`);
}
