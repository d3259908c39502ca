// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Does the work of a routed call and answers as production would. */

import { errors } from "./answers.mjs";
import { Refusal } from "./bodies.mjs";

export class Api {
  constructor({ auth, engine, instances, instanceApi, workflowApi, queueApi, subscriptionApi }) {
    this.auth = auth;
    this.engine = engine;
    this.instances = instances;
    this.handlers = { instances: instanceApi, workflows: workflowApi, queues: queueApi, subscriptions: subscriptionApi };
  }

  async answer(call) {
    try {
      return await this.#answer(call);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      console.error(error);
      return errors.internal(String(error.message ?? error));
    }
  }

  async #answer(call) {
    if (call.handler === "development") return this.#development(call);
    if (call.handler === "verify") return this.auth.verify(call.headers, call.account);
    const refusal = this.auth.refuse(call.headers, call.account);
    if (refusal) return refusal;
    if (call.handler === "noRoute") return errors.noRoute(call.path);
    if (call.handler === "noMethod") return errors.noMethod(call.method);
    if (call.workflow !== undefined && !this.instances.knows(call.workflow)) return errors.workflowNotFound();
    const [room, name] = call.handler.split(".");
    return this.handlers[room][name](call);
  }

  /** A development session through the gateway: nothing is translated. */
  async #development(call) {
    const query = call.query ? `?${call.query}` : "";
    const answer = await this.engine.raw(
      call.method,
      `${call.developmentPath}${query}`,
      call.body || undefined,
      call.headers["content-type"] ?? null,
    );
    return { status: answer.status, text: answer.text, contentType: "application/json" };
  }
}
