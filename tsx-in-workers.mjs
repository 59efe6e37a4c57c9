/** Preloaded in worker threads that run TypeScript sources: before Node 22 tsx hooks the main thread alone. */
import { register } from 'tsx/esm/api';

register();
