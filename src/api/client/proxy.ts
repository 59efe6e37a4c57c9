import type { Agent } from 'node:http';
import { OtaError } from '../../errors/ota-error.ts';

/** HTTP proxy for requests to a server. */
export interface HttpProxy {
  /** URL without user name and password, for messages. */
  readonly url: string;
  readonly agent: Agent;
}

/**
 * Returns the proxy that the environment names for a URL: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case,
 * as in curl. A server on this machine is never reached through a proxy.
 *
 * @throws OtaError PROXY_UNUSABLE if the variable contains no URL of an HTTP proxy
 */
export async function proxyFor(url: string): Promise<HttpProxy | undefined> {
  if (isLoopback(new URL(url).hostname)) return undefined;
  const { getProxyForUrl } = await import('proxy-from-env');
  const value = getProxyForUrl(url);
  if (value === '') return undefined;
  const proxy = parse(value);
  if (url.startsWith('https:')) {
    const { HttpsProxyAgent } = await import('https-proxy-agent');
    return { url: proxy.origin, agent: new HttpsProxyAgent(proxy) };
  }
  const { HttpProxyAgent } = await import('http-proxy-agent');
  return { url: proxy.origin, agent: new HttpProxyAgent(proxy) };
}

function parse(value: string): URL {
  const proxy = URL.canParse(value) ? new URL(value) : undefined;
  if (proxy !== undefined && /^https?:$/.test(proxy.protocol)) return proxy;
  // The value may contain a password.
  const reason = proxy === undefined ? 'it is not a URL' : `${proxy.protocol} is not supported`;
  throw new OtaError('PROXY_UNUSABLE', { proxy: 'the proxy in the environment', reason });
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
