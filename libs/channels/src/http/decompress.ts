import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

import { CallError, codeOf } from './call-error.js';

/**
 * The body without its content encoding. Input and output are both capped, and inflating stops at
 * the cap, so a bomb costs what a normal answer of that size costs; that little (a fraction of
 * a millisecond) is why it may be done synchronously.
 *
 * @throws CallError `too_large`, `truncated` or `garbled`
 */
export function decompress(body: Buffer, encoding: string, maxBytes: number): Buffer {
  const inflate = inflater(encoding.trim().toLowerCase(), body);
  if (!inflate) throw new CallError('garbled', true, `unknown content encoding: ${encoding}`);
  try {
    return inflate(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new CallError('too_large', true, `more than ${maxBytes} bytes when decompressed`);
    }
    if (code === 'Z_BUF_ERROR') {
      throw new CallError('truncated', true, 'the compressed answer is cut off');
    }
    throw new CallError('garbled', true, `the answer is not valid ${encoding}`);
  }
}

type Inflate = (body: Buffer, options: { maxOutputLength: number }) => Buffer;

function inflater(encoding: string, body: Buffer): Inflate | undefined {
  switch (encoding) {
    case 'identity':
      return (same) => same;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync;
    case 'deflate':
      // Some servers send the bare stream without the zlib header that the standard asks for.
      return ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync : inflateRawSync;
    case 'br':
      return brotliDecompressSync;
    default:
      return undefined;
  }
}
