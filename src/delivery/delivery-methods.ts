import type { DeliveryMethod } from './delivery.ts';
import { deliverByEspota } from './espota/deliver.ts';
import { deliverByWeb } from './web/deliver.ts';

/** Delivery methods by `--method` name. */
export const deliveryMethods: Readonly<Record<DeliveryMethodName, DeliveryMethod>> = {
  espota: { defaultPort: 8266, deliver: deliverByEspota },
  web: { defaultPort: 80, deliver: deliverByWeb },
};

export type DeliveryMethodName = 'espota' | 'web';
