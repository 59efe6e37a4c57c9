#!/usr/bin/env node
import './require-node.js';
import { fileURLToPath } from 'node:url';

// Imported after the version check: an older Node.js cannot even link it. No top-level await: V8 of Node.js 22.13 can abort on it.
import('./run.ts').then(({ main }) => main(fileURLToPath(import.meta.url)));
