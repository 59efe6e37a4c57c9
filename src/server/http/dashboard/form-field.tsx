interface InputFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value?: string | undefined;
  /** Sentence below the field. */
  readonly hint?: string | undefined;
  /** Number of lines of a field for several lines. */
  readonly rows?: number | undefined;
  /** Further attributes of the input. */
  readonly more?: object | undefined;
}

/** Field of a form with its label and its hint. */
export function InputField({ name, label, value, hint, rows, more = {} }: InputFieldProps) {
  const attributes = {
    id: name,
    name,
    autocomplete: 'off',
    spellcheck: false,
    'aria-describedby': hint === undefined ? undefined : `${name}-hint`,
    ...more,
  };
  return (
    <>
      <label for={name}>{label}</label>
      {rows === undefined ? (
        <input {...attributes} value={value} />
      ) : (
        <textarea {...attributes} rows={rows}>
          {value}
        </textarea>
      )}
      {hint === undefined ? undefined : (
        <p id={`${name}-hint`} class="quiet">
          {hint}
        </p>
      )}
    </>
  );
}

interface CheckBoxProps {
  readonly name: string;
  readonly label: string;
  readonly isChecked: boolean;
}

export function CheckBox({ name, label, isChecked }: CheckBoxProps) {
  return (
    <p>
      <input id={name} type="checkbox" name={name} value="yes" checked={isChecked || undefined} />
      <label for={name}>{label}</label>
    </p>
  );
}

interface SelectProps {
  readonly name: string;
  readonly label: string;
  readonly values: readonly (readonly [value: string, text: string])[];
  readonly chosen: string | undefined;
}

export function Select({ name, label, values, chosen }: SelectProps) {
  return (
    <>
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {values.map(([value, text]) => (
          <option value={value} selected={value === chosen || undefined}>
            {text}
          </option>
        ))}
      </select>
    </>
  );
}

/** Returns the names in a field, which are separated by commas or white space. */
export function namesIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter((name) => name !== '');
}

/** Returns the lines of a field that are not empty. */
export function linesIn(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
