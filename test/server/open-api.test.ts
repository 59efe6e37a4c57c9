import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { apiRoot } from '../../src/api/release.ts';
import { makeApi } from '../../src/server/http/api/app.ts';
import { documentPath, openApiDocument } from '../../src/server/http/api/open-api.ts';
import { startTestServer } from './running-server.ts';

const document = openApiDocument();
const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test('documents every route of the API, and no others', async (t) => {
  const { parts } = await startTestServer(t);
  const routes = makeApi(parts)
    .routes.filter(({ method, path }) => path.startsWith(`${apiRoot}/`) && method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.slice(apiRoot.length).replaceAll(/:(\w+)/g, '{$1}')}`);
  const inDocument = documented.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  t.deepEqual([...new Set(routes)].sort(), inDocument.sort());
});

test('serves the document to requests without a token', async (t) => {
  const { url } = await startTestServer(t);
  const response = await fetch(url + documentPath);
  t.is(response.status, 200);
  t.deepEqual(await response.json(), JSON.parse(JSON.stringify(document)));
});

test('contains only valid JSON schemas and references to existing parts', (t) => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, validateFormats: false });
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'document', components: document.components }, 'document');
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"(#[^"]+)"/g)].map(([, reference]) => String(reference)));
  t.true(references.size > 40);
  for (const reference of references) {
    if (reference.startsWith('#/components/schemas/')) t.notThrows(() => ajv.compile({ $ref: `document${reference}` }));
    else t.not(document.components.responses[reference.slice('#/components/responses/'.length)], undefined, reference);
  }
});

test('names each operation once, and each parameter in a path', (t) => {
  const ids = documented.map(({ operation }) => operation.operationId);
  t.deepEqual([...new Set(ids)], ids);
  for (const { path, operation } of documented) {
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
    t.deepEqual(inPath, path.match(/\{\w+\}/g) ?? []);
  }
});

test('returns 405 with the allowed methods on each path', async (t) => {
  const { url } = await startTestServer(t);
  for (const [path, methods] of Object.entries(document.paths)) {
    const response = await fetch(url + apiRoot + path.replaceAll(/\{(\w+)\}/g, '$1'), { method: 'OPTIONS' });
    t.is(response.status, 405, path);
    const expected = Object.keys(methods).flatMap((method) =>
      method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
    );
    t.deepEqual(response.headers.get('allow')?.split(', ').sort(), expected.sort(), path);
  }
});

test('rejects unknown, repeated and invalid query parameters', async (t) => {
  const { api, url, token } = await startTestServer(t);
  await api('PUT', '/projects/door', {});
  for (const query of ['limit=0', 'limit=1001', 'limit=1e2', 'limit=', 'limit=5&limit=5', 'limits=5', 'before=-1']) {
    const { status, body } = await api('GET', `/projects/door/releases?${query}`);
    t.is(status, 422, query);
    t.like(body, { error: { code: 'invalid' } });
  }
  t.is((await api('GET', '/projects/door/releases?limit=1000&before=9007199254740991')).status, 200);
  const head = await fetch(`${url}${apiRoot}/projects`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  });
  t.is(head.status, 200);
});
