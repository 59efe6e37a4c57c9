import { guardedArtifact, packForGuard } from '../guarded.ts';
import { error, type Rule } from '../rule.ts';

export const guardSecurityVersion = {
  id: 'guard-security-version',
  condition:
    'The security version of a signed artifact is lower than that of a device with the guard: the device rejects the artifact (ERROR 12, rejection 5).',
  severity: 'error',
  cores: 'device with the guard',
  evidence: ['Updater_Signing.h of ota-hooks: check', 'Updater.cpp end'],
  check(context) {
    const { guard, metadata } = guardedArtifact(context) ?? {};
    if (guard === undefined || metadata === undefined || metadata.securityVersion >= guard.securityVersion)
      return undefined;
    return error(
      `the artifact has security version ${metadata.securityVersion}, but the device accepts only ${guard.securityVersion} or higher: it would reject the update with ERROR 12`,
      packForGuard(guard),
    );
  },
} as const satisfies Rule;
