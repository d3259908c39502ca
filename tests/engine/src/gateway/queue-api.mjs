// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The calls about queues, their consumers and their messages. */

import { failure, ok } from "./answers.mjs";
import { parseJson, Refusal } from "./bodies.mjs";
import { paged } from "./paged.mjs";
import { ENCODINGS } from "./queues.mjs";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const TWELVE_HOURS_MS = 12 * 60 * 60 * 1000;
const DAY_S = 24 * 60 * 60;

const refuse = (answer) => {
  throw new Refusal(answer);
};
const badBody = (why) => refuse(failure(400, 10207, `queues.api.error.invalid_body: ${why}`));
const notFound = () => failure(404, 10104, "queues.api.error.queue_not_found");

function objectOf(body) {
  const value = parseJson(body, {});
  if (value === null || typeof value !== "object" || Array.isArray(value)) badBody("an object is needed");
  return value;
}

function within(name, value, low, high, fallback) {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < low || value > high) badBody(`${name} must be from ${low} to ${high}`);
  return value;
}

export class QueueApi {
  constructor(queues) {
    this.queues = queues;
  }

  #queue(id) {
    if (!/^[0-9a-f]{32}$/.test(id)) refuse(failure(400, 10107, "queues.api.error.invalid_queue_id"));
    return this.queues.queues.get(id) ?? refuse(notFound());
  }

  #consumerTold(queue, { id, type, dead_letter_queue, settings, created_on }) {
    return { consumer_id: id, type, queue_name: queue.name, ...(dead_letter_queue && { dead_letter_queue }), settings, created_on };
  }

  #told(queue) {
    const producers = [...this.queues.subscriptions.values()]
      .filter(({ destination }) => destination.queue_id === queue.id)
      .map(({ id, source }) => ({ type: "event_subscription", subscription_id: id, source }));
    const consumers = queue.consumers.map((consumer) => this.#consumerTold(queue, consumer));
    return {
      queue_id: queue.id,
      queue_name: queue.name,
      created_on: queue.created,
      modified_on: queue.created,
      settings: queue.settings,
      producers,
      producers_total_count: producers.length,
      consumers,
      consumers_total_count: consumers.length,
    };
  }

  list({ query }) {
    const { result, result_info: info } = paged([...this.queues.queues.values()], query, 20);
    return ok(
      result.map((queue) => this.#told(queue)),
      { result_info: info },
    );
  }

  create({ body }) {
    const { queue_name: name } = objectOf(body);
    if (typeof name !== "string" || !NAME.test(name)) badBody("queue_name must be lower case letters, digits and dashes, at most 63");
    if (this.queues.byName(name))
      return failure(409, 11009, `Queue name '${name}' is already taken. Please use a different name and try again.`);
    return ok(this.#told(this.queues.create(name)));
  }

  detail({ queue }) {
    return ok(this.#told(this.#queue(queue)));
  }

  change({ queue, body }) {
    const found = this.#queue(queue);
    Object.assign(found.settings, objectOf(body).settings);
    return ok(this.#told(found));
  }

  delete({ queue }) {
    const found = this.#queue(queue);
    if (this.#told(found).producers_total_count > 0) return failure(409, 11005, "queues.api.error.queue_has_event_subscriptions");
    this.queues.queues.delete(found.id);
    return ok(null);
  }

  consumers({ queue }) {
    const found = this.#queue(queue);
    return ok(found.consumers.map((consumer) => this.#consumerTold(found, consumer)));
  }

  /** What a body says of a consumer. */
  #consumerWanted(body) {
    const { type, dead_letter_queue: dead, settings = {} } = objectOf(body);
    if (type !== "http_pull") badBody("type must be http_pull");
    return {
      type,
      dead_letter_queue: dead,
      settings: {
        batch_size: within("batch_size", settings.batch_size, 1, 100, 5),
        max_retries: within("max_retries", settings.max_retries, 0, 100, 3),
        retry_delay: within("retry_delay", settings.retry_delay, 0, DAY_S, 0),
        visibility_timeout_ms: within("visibility_timeout_ms", settings.visibility_timeout_ms, 0, TWELVE_HOURS_MS, 30_000),
      },
    };
  }

  addConsumer({ queue, body }) {
    const found = this.#queue(queue);
    const wanted = this.#consumerWanted(body);
    if (found.consumers.length > 0) return failure(400, 11004, `Queue '${found.name}' already has a consumer.`);
    const consumer = {
      id: crypto.randomUUID().replaceAll("-", ""),
      ...wanted,
      created_on: this.queues.stamp(),
      pullableAt: this.queues.now() + this.queues.pullDelayMs,
    };
    found.consumers.push(consumer);
    return ok(this.#consumerTold(found, consumer));
  }

  /** The whole consumer as the body has it; it can be pulled from as before. */
  changeConsumer({ queue, consumer, body }) {
    const found = this.#queue(queue);
    const wanted = this.#consumerWanted(body);
    const changed = found.consumers.find(({ id }) => id === consumer);
    if (!changed) return failure(404, 11001, "queues.api.error.consumer_not_found");
    return ok(this.#consumerTold(found, Object.assign(changed, wanted)));
  }

  removeConsumer({ queue, consumer }) {
    const found = this.#queue(queue);
    const at = found.consumers.findIndex(({ id }) => id === consumer);
    if (at < 0) return failure(404, 11001, "queues.api.error.consumer_not_found");
    found.consumers.splice(at, 1);
    return ok(null);
  }

  // -- messages -------------------------------------------------------------------------------------------------------

  #consumerOf(queue) {
    const [consumer] = queue.consumers;
    if (!consumer || consumer.pullableAt > this.queues.now()) {
      refuse(failure(400, 10106, "HTTP pull not enabled for this queue. Please enable using wrangler queues consumer http add."));
    }
    return consumer;
  }

  #messageTold({ id, text, contentType, put, attempts, lease }) {
    const plain = this.queues.plain || ENCODINGS[contentType] === "plain";
    return {
      id,
      lease_id: lease,
      body: plain ? text : Buffer.from(text).toString("base64"),
      attempts: attempts - 1,
      timestamp_ms: put,
      metadata: { "CF-Content-Type": contentType, "CF-sourceMessageSource": "event-subscriptions" },
    };
  }

  pull({ queue, body }) {
    const found = this.#queue(queue);
    const consumer = this.#consumerOf(found);
    const { batch_size: size, visibility_timeout_ms: visibility } = objectOf(body);
    const messages = this.queues.pull(
      found,
      consumer,
      within("batch_size", size, 1, 100, consumer.settings.batch_size),
      within("visibility_timeout_ms", visibility, 0, TWELVE_HOURS_MS, consumer.settings.visibility_timeout_ms),
    );
    const metrics = this.queues.metrics(found);
    return ok({
      message_backlog_count: metrics.backlog_count,
      messages: messages.map((message) => this.#messageTold(message)),
      metadata: { metrics },
    });
  }

  acknowledge({ queue, body }) {
    const found = this.#queue(queue);
    const consumer = this.#consumerOf(found);
    const { acks = [], retries = [] } = objectOf(body);
    if (!Array.isArray(acks) || !Array.isArray(retries)) badBody("acks and retries must be lists");
    const warnings = {};
    const count = (list, act) =>
      list.filter((one) => {
        const done = act(one);
        if (!done) warnings[one.lease_id] = "the lease is not known";
        return done;
      }).length;
    const ackCount = count(acks, ({ lease_id: lease }) => this.queues.acknowledge(found, lease));
    const retryCount = count(retries, ({ lease_id: lease, delay_seconds: delay }) =>
      this.queues.retry(found, lease, within("delay_seconds", delay, 0, DAY_S, consumer.settings.retry_delay)),
    );
    return ok({ ackCount, retryCount, warnings });
  }

  metrics({ queue }) {
    return ok(this.queues.metrics(this.#queue(queue)));
  }
}
