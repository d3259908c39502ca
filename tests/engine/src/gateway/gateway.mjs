// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The gateway: takes API calls by HTTP and HTTPS, counts them, holds them up, lets faults meet them, answers. */

import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { readBody } from "../http.mjs";
import { send, sendFaulty } from "./delivery.mjs";
import { routeOf } from "./routes.mjs";

/** A request as the rest of the gateway sees it: its parts and where they lead. */
async function parseCall(request) {
  const [path, ...query] = request.url.split("?");
  const { method, headers } = request;
  return {
    method,
    path,
    query: query.join("?"),
    headers,
    tls: Boolean(request.socket.encrypted),
    body: await readBody(request),
    ...routeOf(method, path),
  };
}

export class Gateway {
  latencyMs = 0;
  inFlight = 0;

  constructor({ api, auth, calls, faults, ops, quota }) {
    Object.assign(this, { api, auth, calls, faults, ops, quota });
  }

  /** Takes one API call. */
  async serve(request, response) {
    this.inFlight += 1;
    const began = performance.now();
    let entry;
    try {
      const call = await parseCall(request);
      entry = this.calls.begin(call, this.auth.kindOf(call.headers));
      entry.status = await this.#answer(call, entry, response);
    } catch (error) {
      // The client went away while it was speaking, or was spoken to.
      if (error.code !== "ECONNRESET" && error.message !== "aborted") console.error(error);
      if (entry) entry.status = "closed";
      response.destroy();
    } finally {
      this.inFlight -= 1;
      if (entry) entry.ms = Math.round(performance.now() - began);
    }
  }

  async #answer(call, entry, response) {
    if (this.latencyMs > 0) await delay(this.latencyMs);
    const { headers: limits, refusal } = this.quota.take();
    const headers = { "CF-Ray": `${randomBytes(8).toString("hex")}-LOC`, ...limits };
    if (refusal) return send(response, refusal, headers);

    const rule = this.faults.take(call);
    if (!rule) return send(response, await this.api.answer(call), headers);
    entry.fault = rule.id;
    const defaults = { workflow: call.workflow, instance: call.instance };
    for (const name of Object.keys(defaults)) if (defaults[name] === undefined) delete defaults[name];
    await this.#race(rule, rule.before, defaults);
    const work = async () => {
      const answer = await this.api.answer(call);
      await this.#race(rule, rule.after, defaults);
      return answer;
    };
    return rule.fault ? sendFaulty(response, work, headers, rule.fault) : send(response, await work(), headers);
  }

  async #race(rule, ops, defaults) {
    const results = await this.ops.runAll(ops, defaults);
    rule.op_errors.push(...results.filter((result) => result?.error).map((result) => result.error));
  }

  reset() {
    this.latencyMs = 0;
  }
}
