import { basename } from 'node:path';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { counted } from '../../core/model/quantity-text.ts';
import { signatureFault } from '../../core/signing/explain-signature.ts';
import type { Signer } from '../../core/signing/signer.ts';
import { canSign, signerInputOf } from '../../core/signing/signer-input.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { signerEnvironment } from '../build/child-environment.ts';
import { programHere } from '../build/find-program.ts';
import type { SignerProgram } from './choose-signer.ts';
import { faultText, type SignerFailure } from './fault-text.ts';
import { runSigner, type SignerEnd } from './run-signer.ts';

/** Process resources for a program that signs. */
export interface SignerWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly cwd: string;
  readonly hasTerminal: boolean;
  readonly signal: AbortSignal;
  readonly onStderr: (text: string) => void;
  /** Variables that contain secrets of ota-hooks, which the program does not receive. */
  readonly secretVariables: readonly string[];
}

/**
 * Creates a signer that runs a program for each signature. The program receives its input on stdin and writes the raw signature, which is
 * as long as the key's modulus, to stdout. Each signature is verified before it is returned.
 *
 * @throws OtaError SIGNER_FAILED if the program was not found; the signer throws SIGNER_NO_LEGACY and SIGNER_FAILED
 */
export function commandSigner(program: SignerProgram, publicKey: RsaPublicKey, world: SignerWorld): Signer {
  const { name: signer, command, input, timeoutSeconds } = program;
  const [executable = '', ...argv] = command;
  const path = programHere(executable, world);
  if (path === undefined) {
    // A command line in place of a program may contain a PIN, so that only its first word is shown.
    const word = executable.trim().replace(/\s.*/s, ' …');
    throw new OtaError('SIGNER_FAILED', {
      signer,
      problem: `${word} was not found`,
      hint: 'Use the absolute path of an executable file, or the name of a program in PATH. A program with arguments is a JSON list: ["PROGRAM", "ARGUMENT"].',
    });
  }
  const env = signerEnvironment(world.env, world.platform, world.secretVariables);
  const { hasTerminal, signal, onStderr } = world;
  const noLegacy = () => new OtaError('SIGNER_NO_LEGACY', { signer, input });
  return {
    publicKey,
    requireFormat(format) {
      if (!canSign(input, format)) throw noLegacy();
    },
    async sign(payload, format) {
      const bytes = signerInputOf(payload, input, format);
      if (bytes === undefined) throw noLegacy();
      const run = { path, argv, input: bytes, env, timeoutSeconds, mostBytes: mostOutputBytes };
      const end = await runSigner({ ...run, hasTerminal, signal, onStderr });
      const failure = runFailure(end, basename(executable), timeoutSeconds);
      if (failure !== undefined) throw new OtaError('SIGNER_FAILED', { signer, ...failure });
      const fault = signatureFault(payload, end.stdout, publicKey, format);
      if (fault === undefined) return end.stdout;
      throw new OtaError('SIGNER_FAILED', { signer, ...faultText(fault, end.stdout, publicKey) });
    },
  };
}

/** More than the Base64 text of the longest signature, so that the message for such text can name its cause. */
const mostOutputBytes = 4096;

function runFailure(
  { end, stdout, wroteStderr }: SignerEnd,
  program: string,
  seconds: number,
): SignerFailure | undefined {
  const above = 'Find the cause in the output of the program above.';
  if (end === 'timeout') {
    return {
      problem: `${program} did not end within ${counted(seconds, 'second')}`,
      hint: 'If the program asks for a PIN or a touch, run the command at a terminal, or let the program read the PIN from a variable or file of its own.',
    };
  }
  if (end === 'too-much') {
    return {
      problem: `${program} wrote more than ${mostOutputBytes} bytes`,
      hint: 'Let the program write only the raw signature to stdout.',
    };
  }
  if ('startError' in end) {
    return { problem: `${program} could not be started (${end.startError})`, hint: 'Check the file of the program.' };
  }
  const silent = `Run ${program} yourself with a digest as its input to find the cause.`;
  if ('endedBy' in end)
    return { problem: `${program} was ended by ${end.endedBy}`, hint: wroteStderr ? above : silent };
  if (end.exitCode !== 0) {
    return { problem: `${program} failed with exit code ${end.exitCode}`, hint: wroteStderr ? above : silent };
  }
  if (stdout.length > 0) return undefined;
  return {
    problem: `${program} wrote nothing to stdout${wroteStderr ? ', only to stderr' : ''}`,
    hint: 'Let the program write the raw signature to stdout.',
  };
}
