#!/usr/bin/env node
import './require-node.js';
import { fileURLToPath } from 'node:url';

// Loaded dynamically after the version check, because older Node.js versions cannot link the module.
// Top-level await is avoided, because V8 in Node.js 22.13 can abort when it is used.
import('./run.ts').then(({ main }) => main(fileURLToPath(import.meta.url)));
