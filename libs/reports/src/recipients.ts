import { canonicalEmail } from '@app/platform';
import type { ClaimedReport } from './send/sending.queries.js';

/**
 * By what addresses are compared. Servers and libraries give them back in other spellings: quoted,
 * or with a domain in other letters. Addresses that differ in capitals alone are one mailbox.
 */
function identityOf(address: string): string {
  const plain = address.replaceAll(/["\\]/g, '');
  return (canonicalEmail(plain) ?? plain).toLowerCase();
}

/** Each recipient once, in the canonical form; what is no address stays as it is, to be refused. */
export function recipientsOf(...lists: (readonly string[])[]): string[] {
  const known = new Map(lists.flat().map((address) => [identityOf(address), address]));
  return [...known.values()].map((address) => canonicalEmail(address) ?? address);
}

/** The recipients of one attempt, and their other spellings. */
export class Recipients {
  /** Whom it is for: those who were neither reached nor refused in an earlier one. */
  readonly addresses: readonly string[];
  /** Whom no mail server need be asked about: they are no addresses. */
  readonly unusable: readonly string[];
  private readonly byIdentity: ReadonlyMap<string, string>;

  constructor({
    recipients,
    accepted,
    refused,
  }: Pick<ClaimedReport, 'recipients' | 'accepted' | 'refused'>) {
    const settled = new Set([...accepted, ...refused.map((one) => one.recipient)].map(identityOf));
    const open = recipients.filter((recipient) => !settled.has(identityOf(recipient)));
    this.addresses = open.filter((recipient) => canonicalEmail(recipient) !== null);
    this.unusable = open.filter((recipient) => canonicalEmail(recipient) === null);
    this.byIdentity = new Map(recipients.map((recipient) => [identityOf(recipient), recipient]));
  }

  /** The recipient as the report spells it. @param address as the mail server or the library does */
  spelled(address: string): string {
    return this.byIdentity.get(identityOf(address)) ?? address;
  }
}
