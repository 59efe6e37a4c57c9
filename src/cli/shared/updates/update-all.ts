import { runFleet } from '../../../delivery/fleet.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { UpdatePlan } from './plan-updates.ts';
import { type LoadedStep, type SendingEnd, type UpdateContext, type UpdateTask, updateOne } from './update-one.ts';

const usualConcurrency = 100;

/** Device for which the planner chose artifacts. */
export type SendableDevice = Omit<UpdateTask, 'steps'> & {
  readonly plan: Extract<UpdatePlan, { readonly kind: 'send' }>;
};

/**
 * Reads all artifacts and checks their digests before anything is sent. Each artifact is read only once.
 *
 * @throws OtaError FILE_NOT_FOUND, ARTIFACT_CHANGED
 */
export async function loadTasks(devices: readonly SendableDevice[]): Promise<readonly UpdateTask[]> {
  const loaded = new Map<LoadedStep['artifact'], Promise<Uint8Array>>();
  const tasks: UpdateTask[] = [];
  for (const { plan, ...device } of devices) {
    const steps = plan.steps.map(async (step): Promise<LoadedStep> => {
      const bytes = loaded.get(step.artifact) ?? step.from.readArtifact(step.artifact.file);
      loaded.set(step.artifact, bytes);
      return { ...step, bytes: await bytes };
    });
    tasks.push({ ...device, steps: await Promise.all(steps) });
  }
  return tasks;
}

interface FleetUpdate {
  readonly tasks: readonly UpdateTask[];
  readonly canaries: number;
  /** Maximum number of devices updated at the same time. */
  readonly concurrency: number | undefined;
  readonly context: UpdateContext;
}

/**
 * Updates the devices, canaries first.
 *
 * @returns the result for each started device
 * @throws the signal's abort reason
 */
export async function updateAll(update: FleetUpdate): Promise<ReadonlyMap<UpdateTask, SendingEnd>> {
  const { tasks, canaries, concurrency = usualConcurrency, context } = update;
  const { results } = await runFleet<UpdateTask, SendingEnd>({
    jobs: tasks,
    canaries,
    concurrency: tasks.some(({ target }) => needsFixedPort(target)) ? 1 : concurrency,
    run: (task) => updateOne(task, context),
    isSuccess: ({ result }) => result.isSuccess,
    signal: context.signal,
  });
  return results;
}

/** Returns true if a device connects to a fixed port of this machine. The port can serve only one device at a time. */
export function needsFixedPort({ method, hostPort }: Target): boolean {
  return method === 'espota' && hostPort !== undefined;
}
