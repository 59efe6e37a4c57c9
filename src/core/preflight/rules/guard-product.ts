import { guardedArtifact, packForGuard } from '../guarded.ts';
import { error, type Rule } from '../rule.ts';

export const guardProduct = {
  id: 'guard-product',
  condition:
    'The product in the metadata of a signed artifact differs from the product of a device with the guard: the device rejects the artifact (ERROR 12, rejection 3).',
  severity: 'error',
  cores: 'device with the guard',
  evidence: ['Updater_Signing.h of ota-hooks: check', 'Updater.cpp end'],
  check(context) {
    const { guard, metadata } = guardedArtifact(context) ?? {};
    if (guard === undefined || metadata === undefined || metadata.product === guard.product) return undefined;
    return error(
      `the artifact is for product ${metadata.product}, but the product of the device is ${guard.product}: the device would reject the update with ERROR 12`,
      packForGuard(guard),
    );
  },
} as const satisfies Rule;
