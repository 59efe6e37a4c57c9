import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { icon } from './icon.ts';
import { liveScript } from './live-script.ts';
import type { PageEnv } from './page-login.ts';
import { pageScript } from './page-script.ts';
import { styleSheet } from './style-sheet.ts';

/** Files that the pages load. They are bundled with the program, so that none can be missing. */
const assets = {
  'style.css': { type: 'text/css; charset=utf-8', text: styleSheet },
  'live.js': { type: 'text/javascript; charset=utf-8', text: liveScript },
  'page.js': { type: 'text/javascript; charset=utf-8', text: pageScript },
  'icon.svg': { type: 'image/svg+xml', text: icon },
} as const;
type AssetName = keyof typeof assets;

const names = Object.keys(assets).filter((name): name is AssetName => name in assets);
const digests = new Map(
  names.map((name) => [name, createHash('sha256').update(assets[name].text).digest('hex').slice(0, 12)]),
);

/** Returns the path of an asset. The path contains a digest of the content, so browsers may cache the asset indefinitely. */
export function assetPath(name: AssetName): string {
  return `/assets/${digests.get(name)}/${name}`;
}

export function assetRoutes(): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();
  for (const name of names) {
    const { type, text } = assets[name];
    routes.get(assetPath(name), (context) =>
      context.body(text, 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=31536000, immutable' }),
    );
  }
  return routes;
}
