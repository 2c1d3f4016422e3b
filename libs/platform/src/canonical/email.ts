import { domainToASCII } from 'node:url';

const LOCAL_PART_BYTES = 64;
const DOMAIN_BYTES = 253;
/** In whatever spelling, white space around it included. */
const LONGEST_SPELLING = 1_024;
const LABEL = /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/;
/** ASCII that no name of a host has. What the WHATWG parser makes of it (`a/b` is `a`) is no domain. */
const NOT_IN_A_DOMAIN = /[\p{Cc}\s!-,/:-@[-^`{-~]/u;
/** What needs quotes in the part before the `@`; an address with quotes is not accepted. */
const NOT_IN_A_LOCAL_PART = /[\p{C}\s"(),:;<>@[\\\]]/u;

/**
 * The one form in which an e-mail address is stored and compared: the domain in ASCII and lower case,
 * the part before it in NFC and otherwise as it was given, for its case belongs to the domain's owner.
 *
 * @returns null for what is no address.
 */
export function canonicalEmail(address: string): string | null {
  // Before anything is made of it: normalising many combining marks takes quadratic time.
  if (address.length > LONGEST_SPELLING) return null;
  const text = address.trim().normalize('NFC');
  if (text.length > LOCAL_PART_BYTES + 1 + DOMAIN_BYTES) return null;
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const local = text.slice(0, at);
  if (NOT_IN_A_LOCAL_PART.test(local) || Buffer.byteLength(local) > LOCAL_PART_BYTES) return null;
  const domain = canonicalDomain(text.slice(at + 1));
  return domain === null ? null : `${local}@${domain}`;
}

function canonicalDomain(domain: string): string | null {
  if (NOT_IN_A_DOMAIN.test(domain)) return null;
  const ascii = domainToASCII(domain).replace(/\.$/, '');
  const valid =
    ascii.length <= DOMAIN_BYTES && ascii.split('.').every((label) => LABEL.test(label));
  return valid ? ascii : null;
}
