/**
 * Formats that Home Assistant's MQTT integration accepts, written down from its documentation
 * (https://www.home-assistant.io/integrations/update.mqtt/, .../binary_sensor.mqtt/ and .../mqtt/, MQTT discovery) and from the schemas
 * `DISCOVERY_SCHEMA` and `MQTT_JSON_UPDATE_SCHEMA` of `homeassistant/components/mqtt/update.py`. Discovery ignores unknown fields; the
 * schemas here reject them, because an unknown field would be a mistake.
 */
import * as v from 'valibot';

const text = v.pipe(v.string(), v.nonEmpty());
/** Topics without wildcards. */
const topic = v.pipe(text, v.regex(/^[^+#\0]+$/));

const device = v.strictObject({
  identifiers: v.pipe(v.array(text), v.minLength(1)),
  name: v.optional(text),
  model: v.optional(text),
});

const entity = {
  unique_id: text,
  name: v.nullable(text),
  state_topic: topic,
  availability_topic: topic,
  payload_available: text,
  payload_not_available: text,
  qos: v.picklist([0, 1, 2]),
  device,
  origin: v.strictObject({ name: text, sw_version: v.optional(text), support_url: v.optional(v.pipe(text, v.url())) }),
};

const update = v.strictObject({
  ...entity,
  device_class: v.literal('firmware'),
  command_topic: v.optional(topic),
  payload_install: v.optional(text),
});

const binarySensor = v.strictObject({
  ...entity,
  device_class: v.literal('problem'),
  value_template: v.literal('{{ value_json.state }}'),
  json_attributes_topic: topic,
  json_attributes_template: v.literal('{{ value_json.attributes | tojson }}'),
});

const updateState = v.strictObject({
  installed_version: v.optional(v.string()),
  latest_version: v.optional(v.string()),
  title: v.optional(v.string()),
  release_summary: v.optional(v.pipe(v.string(), v.maxLength(255))),
  release_url: v.optional(v.pipe(v.string(), v.url())),
  entity_picture: v.optional(v.pipe(v.string(), v.url())),
  in_progress: v.optional(v.boolean()),
  update_percentage: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(100)))),
});

const sensorState = v.strictObject({
  state: v.picklist(['ON', 'OFF']),
  attributes: v.strictObject({ halted: v.array(v.looseObject({ version: text, channel: text })) }),
});

export type UpdateState = v.InferOutput<typeof updateState>;
export type UpdateDiscovery = v.InferOutput<typeof update>;

/** `<discovery_prefix>/<component>/[<node_id>/]<object_id>/config`, with IDs of letters, digits, `_` and `-`. */
const discoveryTopic = /^homeassistant\/(update|binary_sensor)\/[\w-]+\/[\w-]+\/config$/;

/** @throws Error if Home Assistant would not accept a message */
export function requireHomeAssistantMessage(name: string, payload: string): void {
  const [, component] = discoveryTopic.exec(name) ?? [];
  if (component === 'update') v.parse(update, JSON.parse(payload));
  else if (component === 'binary_sensor') v.parse(binarySensor, JSON.parse(payload));
  else if (name.endsWith('/state')) v.parse(updateState, JSON.parse(payload));
  else if (name.endsWith('/rollout')) v.parse(sensorState, JSON.parse(payload));
  else if (name.endsWith('/availability')) v.parse(v.picklist(['online', 'offline']), payload);
  else throw new Error(`unexpected topic ${name}`);
}
