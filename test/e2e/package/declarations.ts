import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { repository } from '../../docs/pages.ts';

/** Problems in an entry point's declarations. */
export interface DeclarationProblems {
  /** Types that a signature refers to and that a consumer cannot import from the entry point. */
  readonly unexported: readonly string[];
  /** Optional keys whose type lacks `undefined`, which a consumer with `exactOptionalPropertyTypes` cannot pass on. */
  readonly inexact: readonly string[];
}

const { exports: entries } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>;
};

/** Declaration files of the entry points, by the name that a consumer imports. */
export const declarationFiles: ReadonlyMap<string, string> = new Map(
  Object.entries(entries).flatMap(([path, { types }]) =>
    types === undefined ? [] : [[path.replace('.', 'ota-hooks'), join(repository, types)] as const],
  ),
);

export function problemsOf(path: string): DeclarationProblems {
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
  const program = ts.createProgram([path], { ...options, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${path} is not a module`);
  const resolved = (symbol: ts.Symbol) =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  const exported = new Set(checker.getExportsOfModule(module).map(resolved));
  const unexported = new Set<string>();
  const inexact = new Set<string>();

  const requireExported = (name: ts.Node) => {
    const symbol = checker.getSymbolAtLocation(name);
    const target = symbol && resolved(symbol);
    const [declaration] = target?.declarations ?? [];
    if (target === undefined || declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return;
    const isOurs = !program.isSourceFileDefaultLibrary(declaration.getSourceFile());
    if (isOurs && !exported.has(target)) unexported.add(target.name);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeQueryNode(node)) return;
    if (ts.isTypeReferenceNode(node)) requireExported(node.typeName);
    if (ts.isExpressionWithTypeArguments(node)) requireExported(node.expression);
    if (ts.isPropertySignature(node) && node.questionToken !== undefined && !allowsUndefined(node.type)) {
      inexact.add(node.name.getText());
    }
    ts.forEachChild(node, visit);
  };
  for (const { declarations = [] } of exported) declarations.forEach(visit);
  return { unexported: [...unexported].sort(), inexact: [...inexact].sort() };
}

function allowsUndefined(type: ts.TypeNode | undefined): boolean {
  const members = type !== undefined && ts.isUnionTypeNode(type) ? type.types : [type];
  return members.some((member) => member?.kind === ts.SyntaxKind.UndefinedKeyword);
}
