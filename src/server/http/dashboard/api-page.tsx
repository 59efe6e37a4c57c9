import {
  type DocumentedOperation,
  documentPath,
  type MediaTypes,
  type OpenApiDocument,
  openApiDocument,
} from '../api/open-api.ts';
import { type SchemaField, schemaFields, schemaText } from './api-schema.ts';
import { frameOf, Page, show } from './layout.tsx';
import type { PageContext } from './page-login.ts';

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: DocumentedOperation;
}

/** Shows the document of the API to people: all operations with their parameters, bodies and errors. */
export function apiPage(context: PageContext) {
  const document = openApiDocument();
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({ path, method, operation })),
  );
  return show(
    context,
    <Page title="API" {...frameOf(context)}>
      <h1>API</h1>
      <Prose text={document.info.description} />
      <p>
        All paths are below <code>/api/v1</code>. For programs: <a href={documentPath}>OpenAPI document</a>.
      </p>
      {document.tags.map(({ name }) => (
        <section aria-labelledby={name}>
          <h2 id={name}>{name.charAt(0).toUpperCase() + name.slice(1)}</h2>
          {entries
            .filter(({ operation }) => operation.tags.includes(name))
            .map((entry) => (
              <Operation {...entry} document={document} />
            ))}
        </section>
      ))}
    </Page>,
  );
}

function Operation({ path, method, operation, document }: Entry & { document: OpenApiDocument }) {
  const { operationId, summary, description, parameters, requestBody } = operation;
  const all = responsesOf(operation, document);
  const successes = all.filter(({ status }) => status < '300');
  const [success] = successes;
  const failures = all.filter(({ status }) => status >= '300');
  return (
    <article class="card" aria-labelledby={operationId}>
      <h3 id={operationId}>
        <code>
          {method.toUpperCase()} {path}
        </code>
      </h3>
      <Prose text={summary} />
      <Prose text={description} />
      {parameters.length === 0 ? undefined : (
        <Fields
          title="Parameters"
          fields={parameters.map(({ name, in: place, required, description: words, schema }) => ({
            name,
            text: `${place}: ${schemaText(schema, document)}`,
            required,
            description: words,
          }))}
        />
      )}
      {requestBody === undefined ? undefined : (
        <Body title="Request" content={requestBody.content} document={document} />
      )}
      {success === undefined ? undefined : (
        <Body
          title={`Response ${successes.map(({ status }) => status).join(' or ')}`}
          content={success.content}
          document={document}
        />
      )}
      <details>
        <summary>Errors of {operationId}</summary>
        <ul class="lines">
          {failures.map(({ status, description: words }) => (
            <li>
              {status} <Code text={words} />
            </li>
          ))}
        </ul>
      </details>
    </article>
  );
}

/** Returns the responses with their statuses; a shared response is looked up by its name. */
function responsesOf({ responses }: DocumentedOperation, { components }: OpenApiDocument) {
  return Object.entries(responses).flatMap(([status, response]) => {
    const found = '$ref' in response ? components.responses[response.$ref.replace(/^.*\//, '')] : response;
    return found === undefined ? [] : [{ status, ...found }];
  });
}

function Body({ title, content, document }: { title: string; content: MediaTypes; document: OpenApiDocument }) {
  return (
    <>
      {Object.entries(content).map(([type, { schema }]) => (
        <Fields
          title={type === 'application/json' ? title : `${title}: ${type}`}
          fields={schemaFields(schema, document)}
        />
      ))}
    </>
  );
}

function Fields({ title, fields }: { title: string; fields: readonly SchemaField[] }) {
  if (fields.length === 0) return <p>{title}</p>;
  return (
    <details>
      <summary>{title}</summary>
      <dl class="facts">
        {fields.map(({ name, text, required, description }) => (
          <div>
            <dt>
              <code>{name}</code>
              {required ? ' (required)' : ''}
            </dt>
            <dd>
              {text}
              {description === undefined ? undefined : <Prose text={description} />}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Prose({ text }: { text: string }) {
  return (
    <p>
      <Code text={text} />
    </p>
  );
}

/** Shows the parts of a text that are in backquotes as code. */
function Code({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}
