/** Preloaded in worker threads that run TypeScript sources: before Node.js 22, tsx hooks only the main thread. */
import { register } from 'tsx/esm/api';

register();
