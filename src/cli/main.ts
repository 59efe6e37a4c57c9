#!/usr/bin/env node
import './require-node.js';
import { fileURLToPath } from 'node:url';

// Imported after the version check, because older Node.js versions cannot even link it.
// No top-level await: V8 in Node.js 22.13 can abort because of it.
import('./run.ts').then(({ main }) => main(fileURLToPath(import.meta.url)));
