import { guardedArtifact, packForGuard } from '../guarded.ts';
import { error, type Rule } from '../rule.ts';

export const guardNoMetadata = {
  id: 'guard-no-metadata',
  condition:
    'A signed artifact without metadata for a device whose guard requires metadata: the device rejects it (ERROR 12, rejection 2). Signing a .bin with the signing.py of the core adds no metadata.',
  severity: 'error',
  cores: 'device with the guard',
  evidence: ['Updater_Signing.h of ota-hooks: check', 'Updater.cpp end'],
  check(context) {
    const guarded = guardedArtifact(context);
    if (guarded === undefined || guarded.metadata !== undefined || guarded.guard.require === 'signature')
      return undefined;
    return error(
      'the artifact contains no metadata, and the guard of the device requires metadata: the device would reject the update with ERROR 12',
      packForGuard(guarded.guard),
    );
  },
} as const satisfies Rule;
