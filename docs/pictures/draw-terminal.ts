const lineHeight = 18;
const columnWidth = 7.85;
const margin = 16;
const barHeight = 28;
const colors: Readonly<Record<string, string>> = { '31': '#f28b82', '32': '#81c995', '33': '#fdd663', '0': '#e8eaed' };

const code = `${String.fromCharCode(27)}\\[(\\d*)m`;

/** Draws the lines of a terminal as an SVG picture; color codes become colors. */
export function drawTerminal(lines: readonly string[]): string {
  const columns = Math.max(80, ...lines.map((line) => withoutColors(line).length));
  const width = Math.ceil(columns * columnWidth + 2 * margin);
  const height = lines.length * lineHeight + 2 * margin + barHeight;
  const texts = lines.map((line, index) => drawLine(line, barHeight + margin + 13 + index * lineHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>A terminal: one line a device, with a bar while it is updated</title>
<rect width="${width}" height="${height}" rx="8" fill="#202124"/>
${['#f28b82', '#fdd663', '#81c995'].map((fill, index) => `<circle cx="${18 + 18 * index}" cy="16" r="5.5" fill="${fill}"/>`).join('')}
<g font-family="'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace" font-size="13" xml:space="preserve">
${texts.join('\n')}
</g>
</svg>
`;
}

function drawLine(line: string, y: number): string {
  let color = colors['0'];
  const spans = line.split(new RegExp(`(${code.replace('(', '(?:')})`)).map((part) => {
    const number = new RegExp(`^${code}$`).exec(part)?.[1];
    if (number === undefined) return part === '' ? '' : `<tspan fill="${color}">${xmlText(part)}</tspan>`;
    color = colors[number] ?? colors['0'];
    return '';
  });
  return `<text x="${margin}" y="${y}">${spans.join('')}</text>`;
}

function withoutColors(line: string): string {
  return line.replace(new RegExp(code, 'g'), '');
}

function xmlText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
