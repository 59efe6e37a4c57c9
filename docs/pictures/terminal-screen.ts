const esc = String.fromCharCode(27);
const codes = new RegExp(`(${esc}\\[\\d*[A-Za-z]|\\r|\\n)`);
const cursorUp = new RegExp(`^${esc}\\[(\\d+)A$`);
const eraseBelow = `${esc}[J`;

/** Emulates the terminal features that this tool's progress display uses: lines, colors, cursor up, erase below. */
export class TerminalScreen {
  #lines: string[] = [''];
  #row = 0;

  write(text: string): void {
    for (const part of text.split(codes)) this.#take(part);
  }

  /** Lines on the screen, including their color codes. */
  lines(): readonly string[] {
    return this.#lines.at(-1) === '' ? this.#lines.slice(0, -1) : [...this.#lines];
  }

  #take(part: string): void {
    const up = cursorUp.exec(part);
    if (up !== null) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (part === eraseBelow) this.#lines = [...this.#lines.slice(0, this.#row), ''];
    else if (part === '\n') this.#newLine();
    else if (part !== '\r') this.#lines[this.#row] = `${this.#lines[this.#row] ?? ''}${part}`;
  }

  #newLine(): void {
    this.#row += 1;
    this.#lines[this.#row] ??= '';
  }
}
