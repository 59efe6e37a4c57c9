import type { Faults, TransferFault, UdpFaults } from './faults.ts';

/** Fault syntax of the command line. Each line is a form and its meaning. */
export const faultForms = [
  'deaf: does not respond',
  'no-callback: it is asked, but never calls back, as behind a firewall',
  'no-verdict: the connection ends where OK would come',
  'reset@50%: the connection is torn down there; also end@ and half-open@, and "last-ack" in the place of a share',
  'stall@50%=20000: it does nothing for so many milliseconds, then goes on',
  'udp-lose=2: the first datagrams are lost; udp-loss=0.1, udp-duplicate=0.1, udp-reorder=0.1: shares of them',
  'vanish=10%: so many devices, by their seeds, start an update and are never heard of again; fall-back=10%: come back without it',
  'vanish=10%@1.2.0, fall-back=10%@1.2.0: only with what an update server calls by that version',
] as const;

const transferForm = /^(reset|end|half-open|stall)@(?:(\d{1,3})%|(last-ack))(?:=(\d+))?$/;
const udpForm = /^udp-(lose|loss|duplicate|reorder)=(\d+(?:\.\d+)?)$/;
const badUpdateForm = /^(vanish|fall-back)=(\d{1,3}(?:\.\d+)?)%(?:@(\S+))?$/;
const udpNames = {
  lose: 'loseFirst',
  loss: 'loseShare',
  duplicate: 'duplicateShare',
  reorder: 'reorderShare',
} as const satisfies Record<string, keyof UdpFaults>;

/**
 * Parses one fault of the command line.
 *
 * @returns undefined if the word is not a fault
 */
export function readFault(word: string): Faults | undefined {
  if (word === 'deaf') return { deaf: true };
  if (word === 'no-callback') return { callBack: 'never' };
  if (word === 'no-verdict') return { verdict: 'none' };
  return readTransferFault(word) ?? readBadUpdate(word) ?? readUdpFault(word);
}

/** Merges faults. Later ones override earlier ones of the same kind. */
export function mergeFaults(all: readonly Faults[]): Faults {
  return Object.assign({}, ...all, { udp: Object.assign({}, ...all.map(({ udp }) => udp)) });
}

function readTransferFault(word: string): Faults | undefined {
  const [, what, share, lastAck, ms] = transferForm.exec(word) ?? [];
  if (!isTransferFault(what) || (ms !== undefined) !== (what === 'stall')) return undefined;
  if (share !== undefined && Number(share) > 100) return undefined;
  const at = lastAck === undefined ? Number(share) / 100 : 'after-last-ack';
  return { transfer: { what, at, ...(ms === undefined ? {} : { stallMs: Number(ms) }) } };
}

function readBadUpdate(word: string): Faults | undefined {
  const [, what, percent, version] = badUpdateForm.exec(word) ?? [];
  if (what === undefined || Number(percent) > 100) return undefined;
  const bad = { share: Number(percent) / 100, version };
  return what === 'vanish' ? { vanish: bad } : { fallBack: bad };
}

function readUdpFault(word: string): Faults | undefined {
  const [, name, value] = udpForm.exec(word) ?? [];
  if (name === undefined || value === undefined || !isUdpName(name)) return undefined;
  const isShare = name !== 'lose';
  if (isShare ? Number(value) > 1 : value.includes('.')) return undefined;
  return { udp: { [udpNames[name]]: Number(value) } };
}

function isTransferFault(what: string | undefined): what is TransferFault['what'] {
  return what === 'reset' || what === 'end' || what === 'half-open' || what === 'stall';
}

function isUdpName(name: string): name is keyof typeof udpNames {
  return Object.hasOwn(udpNames, name);
}
