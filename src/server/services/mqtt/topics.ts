/**
 * Topics of one server. Brokers and Home Assistant keep the retained messages, so the topics never change. They name a device by its MAC, and
 * never contain network addresses.
 */
export interface Topics {
  /** `online` or `offline`. */
  readonly availability: string;
  /** Filter for the commands of all devices. */
  readonly commands: string;
  ofDevice(device: DeviceKey): EntityTopics & { readonly command: string };
  /** Topics of the sensor for halted rollouts. */
  ofProject(project: string): EntityTopics;
  /** Returns the device that a command is for; undefined for other topics. */
  deviceOfCommand(topic: string): DeviceKey | undefined;
  /**
   * Filters that together match the discovery topics of all devices. Each matches one device in 256: Mosquitto drops messages if more than
   * 1,000 wait for a client (`max_queued_messages`).
   */
  readonly discoveryFilters: readonly string[];
  /** Returns the device that a discovery topic is for; undefined for other topics. */
  deviceOfDiscovery(topic: string): DeviceKey | undefined;
}

export interface DeviceKey {
  readonly project: string;
  readonly mac: string;
}

export interface EntityTopics {
  /** Unique ID of the entity in Home Assistant. */
  readonly id: string;
  readonly discovery: string;
  readonly state: string;
}

/** Default prefix of Home Assistant's discovery topics. */
const discoveryPrefix = 'homeassistant';

/** @param server ID of the server's data, so that several servers can use one broker */
export function topicsOf(server: string): Topics {
  const node = `ota-hooks_${server}`;
  const base = `ota-hooks/${server}`;
  const discovery = (device: string, octet: string) => `${discoveryPrefix}/update/${node}_${octet}/${device}/config`;
  return {
    availability: `${base}/availability`,
    commands: `${base}/+/+/install`,
    ofDevice({ project, mac }) {
      const name = `${objectId(project)}_${plainMac(mac)}`;
      const own = `${base}/${project}/${plainMac(mac)}`;
      return {
        id: `${node}_${name}`,
        discovery: discovery(name, mac.slice(-2)),
        state: `${own}/state`,
        command: `${own}/install`,
      };
    },
    ofProject(project) {
      const name = objectId(project);
      return {
        id: `${node}_${name}`,
        discovery: `${discoveryPrefix}/binary_sensor/${node}/${name}/config`,
        state: `${base}/${project}/rollout`,
      };
    },
    deviceOfCommand(topic) {
      const [project, plain, end, ...more] = topic.startsWith(`${base}/`)
        ? topic.slice(base.length + 1).split('/')
        : [];
      const isCommand = end === 'install' && more.length === 0;
      return isCommand && project !== undefined && plain !== undefined ? { project, mac: colonMac(plain) } : undefined;
    },
    discoveryFilters: Array.from({ length: 256 }, (_, octet) => discovery('+', hexOf(octet))),
    deviceOfDiscovery(topic) {
      const [, project, plain] = /\/([\w-]+)_([0-9A-F]{12})\/config$/.exec(topic) ?? [];
      const isOwn = topic.startsWith(`${discoveryPrefix}/update/${node}_`);
      return isOwn && project !== undefined && plain !== undefined
        ? { project: projectName(project), mac: colonMac(plain) }
        : undefined;
    },
  };
}

/** Encodes a project name for discovery topics, in which Home Assistant accepts only letters, digits, `-` and `_`. */
function objectId(project: string): string {
  return project.replaceAll(/[^A-Za-z0-9-]/g, (character) => `_${hexOf(character.charCodeAt(0))}`);
}

function projectName(id: string): string {
  return id.replaceAll(/_([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function hexOf(octet: number): string {
  return octet.toString(16).toUpperCase().padStart(2, '0');
}

function plainMac(mac: string): string {
  return mac.replaceAll(':', '');
}

function colonMac(plain: string): string {
  return plain.replaceAll(/(?<=.)(?=(?:..)+$)/g, ':');
}
