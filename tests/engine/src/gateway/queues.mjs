// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Queues as production keeps them: messages with leases, and who subscribes to what. Pure but for the clock. */

import { randomUUID } from "node:crypto";

const DAY_S = 24 * 60 * 60;
const hex = () => randomUUID().replaceAll("-", "");

/** How bodies reach a puller, by the content type. */
export const ENCODINGS = { json: "base64", bytes: "base64", text: "plain" };

export class Queues {
  constructor(now = Date.now) {
    this.now = now;
    this.reset();
  }

  reset() {
    this.queues = new Map();
    this.subscriptions = new Map();
    /** For how long a new pull consumer refuses to be pulled from. */
    this.pullDelayMs = 0;
    /** What messages of events say of their content, and whether their bodies are encoded: nobody has told. */
    this.contentType = "json";
    this.plain = false;
  }

  stamp() {
    return new Date(this.now()).toISOString();
  }

  // -- queues ---------------------------------------------------------------------------------------------------------

  create(name) {
    const queue = {
      id: hex(),
      name,
      created: this.stamp(),
      settings: { delivery_delay: 0, delivery_paused: false, message_retention_period: 4 * DAY_S },
      consumers: [],
      messages: [],
    };
    this.queues.set(queue.id, queue);
    return queue;
  }

  byName(name) {
    return [...this.queues.values()].find((queue) => queue.name === name);
  }

  // -- messages -------------------------------------------------------------------------------------------------------

  put(queue, body, { contentType = this.contentType, visibleAt = this.now() } = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    queue.messages.push({ id: hex(), text, contentType, put: this.now(), visibleAt, attempts: 0, lease: null });
  }

  /** Leases up to so many messages; one that was delivered too often goes to the dead letter queue, or is gone. */
  pull(queue, consumer, size, visibilityMs) {
    const now = this.now();
    const pulled = [];
    for (const message of [...queue.messages]) {
      if (pulled.length >= size) break;
      if (message.visibleAt > now) continue;
      if (message.attempts > consumer.settings.max_retries) {
        this.#bury(queue, consumer, message);
        continue;
      }
      message.lease = hex();
      message.visibleAt = now + visibilityMs;
      message.attempts += 1;
      pulled.push(message);
    }
    return pulled;
  }

  #bury(queue, consumer, message) {
    queue.messages.splice(queue.messages.indexOf(message), 1);
    const dead = consumer.dead_letter_queue && this.byName(consumer.dead_letter_queue);
    if (dead) this.put(dead, message.text, { contentType: message.contentType });
  }

  /** Takes a message away by its lease, though that may be over; false where the lease is unknown. */
  acknowledge(queue, lease) {
    const at = queue.messages.findIndex((message) => message.lease === lease);
    if (at < 0) return false;
    queue.messages.splice(at, 1);
    return true;
  }

  /** Gives a message back, to be seen again after so many seconds; false where the lease is unknown. */
  retry(queue, lease, delayS) {
    const message = queue.messages.find((one) => one.lease === lease);
    if (!message) return false;
    Object.assign(message, { lease: null, visibleAt: this.now() + delayS * 1000 });
    return true;
  }

  metrics(queue) {
    const oldest = Math.min(...queue.messages.map(({ put }) => put));
    return {
      backlog_count: queue.messages.length,
      backlog_bytes: queue.messages.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0),
      oldest_message_timestamp_ms: Number.isFinite(oldest) ? oldest : 0,
    };
  }

  // -- subscriptions --------------------------------------------------------------------------------------------------

  isSubscribed(workflow) {
    return [...this.subscriptions.values()].some(({ source, enabled }) => enabled && source.workflow_name === workflow);
  }

  subscribe(body) {
    const stamp = this.stamp();
    const subscription = { id: hex(), enabled: true, ...body, created_at: stamp, modified_at: stamp };
    this.subscriptions.set(subscription.id, subscription);
    return subscription;
  }

  /** Takes what has happened to instances, and puts a message for each into the queue of whoever has subscribed to it. */
  deliver(events, accountId, versionOf) {
    for (const { workflow, instance, type, at } of events) {
      for (const { id, enabled, source, events: wanted, destination } of this.subscriptions.values()) {
        const queue = this.queues.get(destination.queue_id);
        if (!enabled || !queue || source.workflow_name !== workflow || !wanted.includes(`instance.${type}`)) continue;
        this.put(queue, {
          type: `cf.workflows.workflow.instance.${type}`,
          source: { type: "workflows.workflow", workflowName: workflow },
          payload: { versionId: versionOf(workflow, instance), instanceId: instance },
          metadata: { accountId, eventSubscriptionId: id, eventSchemaVersion: 1, eventTimestamp: new Date(at).toISOString() },
        });
      }
    }
  }
}
