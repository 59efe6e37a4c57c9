import type { CommandWords, DescribedWord } from './command-words.ts';

/** Shells with a completion script. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/**
 * Return the completion script of a shell. The scripts contain all words, so that the shell starts no program while the user types. Each
 * script finds the words that select the command, then offers its subcommands, its options or the values of the previous option.
 */
export const completionScripts: Readonly<Record<Shell, (commands: readonly CommandWords[]) => string>> = {
  bash,
  zsh,
  fish,
  powershell,
};

/** Without a word to offer, bash completes file names (`-o default`). */
function bash(commands: readonly CommandWords[]): string {
  return `# Completion of ota-hooks for bash: source <(ota-hooks completion bash)
_ota_hooks() {
  local current=\${COMP_WORDS[COMP_CWORD]} at= words= index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$at \${COMP_WORDS[index]}" in
      ${paths(commands).map(quoted).join(' | ')}) at="$at \${COMP_WORDS[index]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${values(commands)
  .map(({ key, choices }) => `    ${quoted(key)}) words=${quoted(choices.join(' '))} ;;`)
  .join('\n')}
    ${valueKeys(commands).map(quoted).join(' | ')}) return ;;
    *)
      case "$at:$current" in
${commands
  .map(
    ({ path, options, subcommands }) => `        ${quoted(`${keyOf(path)}:-`)}*) words=${quoted(wordsOf(options))} ;;
        ${quoted(`${keyOf(path)}:`)}*) words=${quoted(wordsOf(subcommands))} ;;`,
  )
  .join('\n')}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ota_hooks ota-hooks
`;
}

function zsh(commands: readonly CommandWords[]): string {
  return `#compdef ota-hooks
# Completion of ota-hooks for zsh: source <(ota-hooks completion zsh), after compinit
_ota_hooks() {
  local at= index
  local -a subcommands options
  for ((index = 2; index < CURRENT; index++)); do
    case "$at $words[index]" in
      (${paths(commands).map(quoted).join('|')}) at="$at $words[index]" ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${values(commands)
  .map(({ key, choices }) => `    (${quoted(key)}) compadd -- ${choices.map(quoted).join(' ')}; return ;;`)
  .join('\n')}
    (${valueKeys(commands).map(quoted).join('|')}) _files; return ;;
  esac
  case "$at" in
${commands
  .map(
    ({ path, subcommands, options }) => `    (${quoted(keyOf(path))})
      subcommands=(${subcommands.map(zshWord).join(' ')})
      options=(${options.map(zshWord).join(' ')})
      ;;`,
  )
  .join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe option options
  elif (($#subcommands)); then
    _describe command subcommands
  else
    _files
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _ota_hooks "$@"
else
  compdef _ota_hooks ota-hooks
fi
`;
}

function fish(commands: readonly CommandWords[]): string {
  return `# Completion of ota-hooks for fish: ota-hooks completion fish | source
function __ota_hooks_at
    set -l at
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        switch "$at $word"
            case ${paths(commands).map(fishQuoted).join(' ')}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
${commands.flatMap(fishLines).join('\n')}
`;
}

function fishLines({ path, subcommands, options }: CommandWords): readonly string[] {
  const start = `complete -c ota-hooks -n ${fishQuoted(`__ota_hooks_at ${fishQuoted(keyOf(path))}`)}`;
  return [
    ...subcommands.map(({ word, description }) => `${start} -f -a ${fishQuoted(word)} -d ${fishQuoted(description)}`),
    ...options.map(({ word, description, value }) => {
      const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
      const after = typeof value === 'object' ? ` -x -a ${fishQuoted(value.join(' '))}` : fishValues[value];
      return `${start} ${name}${after} -d ${fishQuoted(description)}`;
    }),
  ];
}

const fishValues = { none: '', file: ' -r -F', text: ' -x' } as const;

function powershell(commands: readonly CommandWords[]): string {
  const tableOf = (words: readonly DescribedWord[]) =>
    `[ordered]@{ ${words.map(({ word, description }) => `${powershellQuoted(word)} = ${powershellQuoted(description)}`).join('; ')} }`;
  const entries = (of: (command: CommandWords) => readonly DescribedWord[]) =>
    commands.map((command) => `    ${powershellQuoted(keyOf(command.path))} = ${tableOf(of(command))}`).join('\n');
  return `# Completion of ota-hooks for PowerShell: add the line \`ota-hooks completion powershell | Out-String | Invoke-Expression\` to $PROFILE
Register-ArgumentCompleter -Native -CommandName ota-hooks -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $subcommands = @{
${entries(({ subcommands }) => subcommands)}
  }
  $options = @{
${entries(({ options }) => options)}
  }
  $values = @{
${values(commands)
  .map(({ key, choices }) => `    ${powershellQuoted(key)} = @(${choices.map(powershellQuoted).join(', ')})`)
  .join('\n')}
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -ne '') { $words = @($words | Select-Object -SkipLast 1) }
  $at = ''
  foreach ($word in $words) { if ($options.ContainsKey("$at $word")) { $at = "$at $word" } }
  $previous = if ($words.Count -gt 0) { $words[-1] } else { '' }
  if ($values.ContainsKey("$at $previous")) {
    $offered = [ordered]@{}
    foreach ($value in $values["$at $previous"]) { $offered[$value] = $value }
  } elseif ($wordToComplete.StartsWith('-')) {
    $offered = $options[$at]
  } else {
    $offered = $subcommands[$at]
  }
  foreach ($entry in $offered.GetEnumerator()) {
    if ($entry.Key.StartsWith($wordToComplete)) {
      [System.Management.Automation.CompletionResult]::new($entry.Key, $entry.Key, 'ParameterValue', $entry.Value)
    }
  }
}
`;
}

/** Returns the key of a command in a script: its words, each with a space before it. */
function keyOf(path: readonly string[]): string {
  return path.map((word) => ` ${word}`).join('');
}

function paths(commands: readonly CommandWords[]): readonly string[] {
  return commands.map(({ path }) => keyOf(path)).filter((key) => key !== '');
}

/** Returns the options that accept only certain values. */
function values(commands: readonly CommandWords[]): readonly { key: string; choices: readonly string[] }[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, value }) =>
      typeof value === 'object' ? [{ key: `${keyOf(path)} ${word}`, choices: value }] : [],
    ),
  );
}

/** Returns the options with any other value. */
function valueKeys(commands: readonly CommandWords[]): readonly string[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, value }) => (value === 'file' || value === 'text' ? [`${keyOf(path)} ${word}`] : [])),
  );
}

function wordsOf(words: readonly DescribedWord[]): string {
  return words.map(({ word }) => word).join(' ');
}

/** Quotes text for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function zshWord({ word, description }: DescribedWord): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${description}`);
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function powershellQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
