import type { Faults, TransferFault, UdpFaults } from './faults.ts';

/** Syntax of faults on the command line. Each entry shows a fault and its meaning. */
export const faultForms = [
  'no-response: ignores invitations and web requests',
  'no-callback: accepts the invitation, but never connects to the host, as behind a firewall',
  'no-result: closes the connection instead of sending the result',
  'reset@50%: resets the connection (RST) after 50% of the bytes',
  'end@50%: closes the connection (FIN) after 50% of the bytes',
  'half-open@50%: restarts after 50% of the bytes and leaves the connection open',
  'stall@50%=20000: stops for 20,000 ms after 50% of the bytes, then continues',
  'reset@last-ack (also end@, half-open@ and stall@): after the last espota acknowledgment',
  'udp-drop-first=2: loses the first 2 datagrams',
  'udp-loss=0.1, udp-duplicate=0.1, udp-reorder=0.1: loses, duplicates or reorders 10% of the datagrams',
  'offline=10%: 10% of the devices, chosen by their seeds, stay offline after a sketch update',
  'not-installed=10%: 10% of the devices restart without the sketch update',
  'offline=10%@1.2.0, not-installed=10%@1.2.0: only for version 1.2.0 from the update server',
] as const;

const transferForm = /^(reset|end|half-open|stall)@(?:(\d{1,3})%|(last-ack))(?:=(\d+))?$/;
const udpForm = /^udp-(drop-first|loss|duplicate|reorder)=(\d+(?:\.\d+)?)$/;
const badUpdateForm = /^(offline|not-installed)=(\d{1,3}(?:\.\d+)?)%(?:@(\S+))?$/;
const udpNames = {
  'drop-first': 'loseFirst',
  loss: 'loseShare',
  duplicate: 'duplicateShare',
  reorder: 'reorderShare',
} as const satisfies Record<string, keyof UdpFaults>;

/**
 * Parses one fault from the command line.
 *
 * @returns undefined if the text is not a fault
 */
export function readFault(word: string): Faults | undefined {
  if (word === 'no-response') return { noResponse: true };
  if (word === 'no-callback') return { callBack: 'never' };
  if (word === 'no-result') return { verdict: 'none' };
  return readTransferFault(word) ?? readBadUpdate(word) ?? readUdpFault(word);
}

/** Merges faults. Later faults override earlier faults of the same kind. */
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
  return what === 'offline' ? { offline: bad } : { notInstalled: bad };
}

function readUdpFault(word: string): Faults | undefined {
  const [, name, value] = udpForm.exec(word) ?? [];
  if (name === undefined || value === undefined || !isUdpName(name)) return undefined;
  const isShare = name !== 'drop-first';
  if (isShare ? Number(value) > 1 : value.includes('.')) return undefined;
  return { udp: { [udpNames[name]]: Number(value) } };
}

function isTransferFault(what: string | undefined): what is TransferFault['what'] {
  return what === 'reset' || what === 'end' || what === 'half-open' || what === 'stall';
}

function isUdpName(name: string): name is keyof typeof udpNames {
  return Object.hasOwn(udpNames, name);
}
