#!/usr/bin/env node
import './require-node.js';
import { fileURLToPath } from 'node:url';

// Loaded after the version check: an older Node.js cannot even link what follows.
const { main } = await import('./main.ts');
await main(fileURLToPath(import.meta.url));
