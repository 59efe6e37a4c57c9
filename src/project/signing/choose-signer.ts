import { type SignerInput, signerInputs } from '../../core/signing/signer-input.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readUserConfig } from '../config/user-config.ts';
import { type UserWords, userConfigPath } from '../config/user-words.ts';

/** Program that signs. Only the user can choose it: a project configuration may be untrusted. */
export interface SignerProgram {
  /** Name in messages. The arguments are never shown, because they may contain a PIN. */
  readonly name: string;
  /** Program and its arguments. */
  readonly command: readonly string[];
  readonly input: SignerInput;
  readonly timeoutSeconds: number;
  /** Absolute path of the public key; undefined if the project's public key applies. */
  readonly publicKey: string | undefined;
}

/** Options that choose a program that signs. */
export interface SignerOptions {
  readonly signer?: string | undefined;
  readonly signerCommand?: string | undefined;
  readonly signerInput?: SignerInput | undefined;
}

/** Time-out, in seconds. A person needs some of it to enter a PIN or to touch a token. */
const signerTimeoutSeconds = 120;

/**
 * Returns the program that signs, from the command line or else from the environment.
 *
 * @throws OtaError SIGNER_UNKNOWN, OPTION_INVALID, USER_CONFIG_INVALID, USER_CONFIG_UNSAFE
 */
export function chosenSigner(options: SignerOptions, words: UserWords): SignerProgram | undefined {
  const { env } = words;
  const onCommandLine = options.signer !== undefined || options.signerCommand !== undefined;
  const name = onCommandLine ? options.signer : nonEmpty(env['OTA_SIGNER']);
  const text = onCommandLine ? options.signerCommand : nonEmpty(env['OTA_SIGNER_COMMAND']);
  const input = options.signerInput ?? inputFrom(nonEmpty(env['OTA_SIGNER_INPUT']));
  if (name !== undefined) return namedSigner(name, input, words);
  if (text === undefined) return undefined;
  const command = commandFrom(text, onCommandLine ? '--signer-command' : 'OTA_SIGNER_COMMAND');
  return {
    name: onCommandLine ? 'in --signer-command' : 'in OTA_SIGNER_COMMAND',
    command,
    input: input ?? 'digest',
    timeoutSeconds: signerTimeoutSeconds,
    publicKey: undefined,
  };
}

function namedSigner(name: string, input: SignerInput | undefined, words: UserWords): SignerProgram {
  const signers = readUserConfig(words).signers ?? {};
  const found = Object.hasOwn(signers, name) ? signers[name] : undefined;
  if (found === undefined) {
    throw new OtaError('SIGNER_UNKNOWN', {
      signer: name,
      known: Object.keys(signers).sort(),
      userConfig: userConfigPath(words),
    });
  }
  return {
    name,
    command: found.command,
    input: input ?? found.input ?? 'digest',
    timeoutSeconds: found.timeoutSeconds ?? signerTimeoutSeconds,
    publicKey: found.publicKey,
  };
}

/** Reads a program, or a JSON list of a program and its arguments. No shell splits the text. */
function commandFrom(text: string, option: string): readonly string[] {
  if (!text.trimStart().startsWith('[')) return [text];
  const list = parsed(text);
  if (Array.isArray(list) && list.length > 0 && list.every((word) => typeof word === 'string')) return list;
  throw new OtaError('OPTION_INVALID', {
    option,
    value: '[…',
    expected: 'must be a program, or a JSON list of a program and its arguments',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inputFrom(value: string | undefined): SignerInput | undefined {
  const input = signerInputs.find((each) => each === value);
  if (value === undefined || input !== undefined) return input;
  throw new OtaError('OPTION_INVALID', {
    option: 'OTA_SIGNER_INPUT',
    value,
    expected: `must be one of ${signerInputs.join(', ')}`,
  });
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
