import type { Check } from './check.ts';
import { arduinoHooks } from './checks/arduino-hooks.ts';
import { backupKeys } from './checks/backup-keys.ts';
import { callBack } from './checks/call-back.ts';
import { clock } from './checks/clock.ts';
import { coreCache } from './checks/core-cache.ts';
import { coreRelease } from './checks/core-release.ts';
import { guard } from './checks/guard.ts';
import { ideNode } from './checks/ide-node.ts';
import { keySecrecy } from './checks/key-secrecy.ts';
import { keys } from './checks/keys.ts';
import { mdns } from './checks/mdns.ts';
import { node } from './checks/node.ts';
import { numberedHooks } from './checks/numbered-hooks.ts';
import { otherSigning } from './checks/other-signing.ts';
import { platformioHook } from './checks/platformio-hook.ts';
import { platformioOptionNames } from './checks/platformio-options.ts';
import { platformioVersion } from './checks/platformio-version.ts';
import { project } from './checks/project.ts';
import { staleArtifacts } from './checks/stale-artifacts.ts';

/** All checks by name, in the order of the report. To add a check, create a file in checks/ and add a line here. */
export const checks = {
  node,
  clock,
  project,
  keys,
  backupKeys,
  'key-secrecy': keySecrecy,
  guard,
  'platformio-version': platformioVersion,
  'platformio-hook': platformioHook,
  'platformio-options': platformioOptionNames,
  'ide-node': ideNode,
  'arduino-hooks': arduinoHooks,
  'numbered-hooks': numberedHooks,
  'core-cache': coreCache,
  'core-release': coreRelease,
  'other-signing': otherSigning,
  'stale-artifacts': staleArtifacts,
  'call-back': callBack,
  mdns,
} as const satisfies Record<string, Check>;

export type CheckName = keyof typeof checks;
