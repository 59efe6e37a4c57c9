/** Contents of the arrays in a generated header: strings without the terminating zero, and bytes in hex. */
export function stringsIn(header: string): ReadonlyMap<string, string> {
  const arrays = header.matchAll(/^static const (?:unsigned )?char (\w+)\[\d*\] PROGMEM =([\s\S]*?);$/gm);
  return new Map(
    [...arrays].map(([, name = '', value = '']) => {
      const texts = [...value.matchAll(/"([^"]*)\\n"/g)].map(([, line = '']) => `${line}\n`);
      const bytes = [...value.matchAll(/0x([0-9a-f]{2})/g)].map(([, byte = '']) => byte);
      return [name, texts.length > 0 ? texts.join('') : bytes.join('')];
    }),
  );
}
