/**
 * Rolldown plugin for worker threads. The sources start a worker with `new Worker(new URL('./NAME-worker.ts', import.meta.url), …)`. A
 * bundle contains no file with this name, so the plugin makes the module a separate entry and substitutes the URL of its chunk.
 */
const entry = /new URL\('(\.\/[\w-]+-worker\.ts)', import\.meta\.url\)/g;

export function workerEntries() {
  return {
    name: 'worker-entries',
    transform: {
      order: 'pre',
      filter: { code: /-worker\.ts'/ },
      async handler(code, id) {
        let result = code.replaceAll('typeof OTA_HOOKS_BUNDLED', "'boolean'");
        for (const [expression, path] of code.matchAll(entry)) {
          const resolved = await this.resolve(path, id);
          if (resolved === null) throw new Error(`${id} starts ${path}, which does not exist`);
          const chunk = this.emitFile({ type: 'chunk', id: resolved.id, name: path.slice(2, -'.ts'.length) });
          result = result.replace(expression, `new URL(import.meta.ROLLUP_FILE_URL_${chunk})`);
        }
        return { code: result, map: null };
      },
    },
  };
}
