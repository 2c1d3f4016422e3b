/**
 * Ends with status 0 if the URL given answers 2xx within three seconds. The image has neither curl
 * nor wget.
 */
const [url] = process.argv.slice(2);
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  if (!answer.ok) console.error(`${answer.status} ${await answer.text()}`);
  process.exit(answer.ok ? 0 : 1);
} catch (error) {
  console.error(error.cause?.message || error.message);
  process.exit(1);
}
