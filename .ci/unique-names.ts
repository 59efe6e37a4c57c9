/** Fails if two files in src/ export a type or function with the same name: one name has one meaning. Part of `npm run check`. */
import { readFileSync } from 'node:fs';
import fastGlob from 'fast-glob';
import ts from 'typescript';

const filesByName = new Map<string, Set<string>>();
for (const path of fastGlob.sync('src/**/*.{ts,tsx}')) {
  for (const name of exportedNames(path)) filesByName.set(name, (filesByName.get(name) ?? new Set()).add(path));
}

const repeated = [...filesByName].filter(([, paths]) => paths.size > 1);
for (const [name, paths] of repeated) console.error(`${name} is exported by ${[...paths].join(' and ')}`);
process.exitCode = repeated.length === 0 ? 0 : 1;

/** Names that a file declares and exports; re-exports do not count. */
function exportedNames(path: string): string[] {
  const { statements } = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  return statements.filter(isExported).flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    return ts.isDeclarationStatement(statement) && statement.name !== undefined ? [statement.name.getText()] : [];
  });
}

function isExported(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement)) return false;
  return ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}
