// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The calls about event subscriptions. */

import { failure, ok } from "./answers.mjs";
import { parseJson, Refusal } from "./bodies.mjs";
import { paged } from "./paged.mjs";

const EVENTS = ["queued", "started", "paused", "errored", "terminated", "completed"].map((name) => `instance.${name}`);

const refuse = (answer) => {
  throw new Refusal(answer);
};
const badBody = (why) => refuse(failure(400, 10002, `event_subscriptions.api.error.invalid_body: ${why}`));

export class SubscriptionApi {
  constructor({ queues, instances, watches }) {
    Object.assign(this, { queues, instances, watches });
  }

  #checkEvents(events) {
    if (!Array.isArray(events) || events.length === 0 || events.some((event) => !EVENTS.includes(event))) {
      badBody(`events must be of ${EVENTS.join(", ")}`);
    }
  }

  #subscription(id) {
    return this.queues.subscriptions.get(id) ?? refuse(failure(404, 10104, "event_subscriptions.api.error.not_found"));
  }

  list({ query }) {
    const { result, result_info: info } = paged([...this.queues.subscriptions.values()], query, 20);
    return ok(result, { result_info: info });
  }

  detail({ subscription }) {
    return ok(this.#subscription(subscription));
  }

  async create({ body }) {
    const { name, enabled = true, source, events, destination } = parseJson(body, {}) ?? {};
    if (typeof name !== "string" || name === "") badBody("name is needed");
    if (source?.type !== "workflows.workflow" || !this.instances.knows(source.workflow_name))
      badBody("source must be a workflow that exists");
    if (destination?.type !== "queues.queue" || !this.queues.queues.has(destination.queue_id)) badBody("destination must be a queue");
    this.#checkEvents(events);
    if ([...this.queues.subscriptions.values()].some((one) => one.source.workflow_name === source.workflow_name)) {
      return failure(400, 10002, "We currently do not support multiple subscriptions on the same resource.");
    }
    const subscription = this.queues.subscribe({ name, enabled, source, events, destination });
    await this.watches.begin(source.workflow_name);
    return ok(subscription);
  }

  async change({ subscription, body }) {
    const found = this.#subscription(subscription);
    const { name, enabled, events, destination } = parseJson(body, {}) ?? {};
    if (events !== undefined) this.#checkEvents(events);
    if (destination !== undefined && !this.queues.queues.has(destination.queue_id)) badBody("destination must be a queue");
    for (const [field, value] of Object.entries({ name, enabled, events, destination })) if (value !== undefined) found[field] = value;
    found.modified_at = this.queues.stamp();
    await this.watches.begin(found.source.workflow_name);
    return ok(found);
  }

  delete({ subscription }) {
    const found = this.#subscription(subscription);
    this.queues.subscriptions.delete(found.id);
    return ok(found);
  }
}
