/** Simulator entry point: virtual ESP8266 devices for testing updates. `import { startVirtualDevice } from 'ota-hooks/simulator'`. */

export type { Transport } from '../core/device-model/staging.ts';
export type * from '../core/model/types.ts';
export type { SimulatedBuildOptions } from './build.ts';
export { checkedSyntheticSketch as syntheticSketch, checkedVirtualDevice as startVirtualDevice } from './checked.ts';
export type { EventStream, SimulatorEvent, SimulatorListener } from './events.ts';
export type { BadUpdate, Faults, TransferFault, UdpFaults } from './faults.ts';
export type { UpdateMode } from './http-request.ts';
export type { LinkModel } from './link.ts';
export type { MdnsOptions } from './mdns.ts';
export type { VirtualDeviceOptions } from './options.ts';
export { randomFaults } from './random-faults.ts';
export type { SyntheticSketchOptions } from './synthetic-sketch.ts';
export { deviceTimings, quickTimings, type Timings } from './timings.ts';
export type { VirtualDevice, VirtualDeviceState } from './virtual-device.ts';
export type { WebLogin } from './web-updater.ts';
