// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The control endpoint: what tests ask of the engine and the gateway. README.md is its contract. */

import { setTimeout as delay } from "node:timers/promises";
import { WORKFLOWS } from "../engine.mjs";
import { OpError } from "../gateway/ops.mjs";
import { readBody } from "../http.mjs";

export const PREFIX = "/__control";

const need = (condition, message) => {
  if (!condition) throw new OpError(400, message);
};

export class Control {
  constructor(parts) {
    Object.assign(this, parts);
    this.calls_ = {
      "GET /health": () => this.#health(),
      "POST /reset": () => this.#reset(),
      "GET /calls": (_, query) => this.calls.report(query),
      "POST /calls/reset": ({ cap }) => this.calls.reset(cap),
      "POST /faults": (body) => ({ ids: this.faults.add(body) }),
      "GET /faults": () => ({ rules: this.faults.rules }),
      "DELETE /faults": () => this.#forgetFaults(),
      "POST /quota": (body) => this.quota.set(body && Object.keys(body).length > 0 ? body : null),
      "POST /unknowns": (body) => this.unknowns.set(body),
      "POST /latency": ({ ms }) => this.#latency(ms),
      "POST /credentials": (body) => this.auth.add(body),
      "POST /overlay": (body) => this.ops.overlay(body),
      "GET /overlay": () => ({ overlays: this.overlays.report() }),
      "DELETE /overlay": () => this.overlays.reset(),
      "GET /steps": (_, { workflow = "lab", instance }) => this.recorder.report(workflow, instance),
      "POST /steps/reset": ({ workflow, instance }) => this.recorder.forget(workflow, instance),
      "GET /enginelog": (_, { workflow = "lab", instance }) => this.engine.probe("rows", workflow, { id: instance }),
      "POST /switch": ({ name, value }) => this.recorder.switches.set(name, value) && {},
      "POST /gate": ({ name, open = true }) => this.recorder.setGate(name, open),
      "GET /gate": () => ({ gates: this.recorder.gateReport() }),
      "POST /instances": (body) => this.#create(body),
      "POST /await": (body) => this.ops.await(body),
      "POST /strand": (body) => this.ops.strand(body),
      "POST /op": (body) => this.#op(body),
      "POST /queues": (body) => this.#queues(body),
      "GET /queues": () => this.#queueReport(),
      "POST /queues/put": (body) => this.#put(body),
      "POST /purge": ({ workflow }) => this.#purge(workflow),
      "POST /idle": ({ timeout_ms: timeout }) => this.#idle(timeout),
    };
  }

  /** Takes one control call. */
  async serve(request, response) {
    const [path, query = ""] = request.url.slice(PREFIX.length).split("?");
    let status = 200;
    let answer;
    try {
      const handler = this.calls_[`${request.method} ${path}`];
      if (!handler) throw new OpError(404, `no such control call: ${request.method} ${path}`);
      const text = await readBody(request);
      const body = text === "" ? {} : JSON.parse(text);
      answer = (await handler(body, Object.fromEntries(new URLSearchParams(query)))) ?? {};
    } catch (error) {
      status = error instanceof OpError ? error.status : 400;
      answer = { error: error.message, ...error.extra };
    }
    const body = JSON.stringify(answer);
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  }

  #health() {
    return { ok: true, pid: process.pid, in_flight: this.gateway.inFlight, looks: this.instances.looks, workflows: Object.keys(WORKFLOWS) };
  }

  #forgetFaults() {
    this.faults.reset();
    this.ops.abandon();
  }

  #reset() {
    this.#forgetFaults();
    this.quota.set(null);
    this.gateway.reset();
    this.calls.reset();
    this.overlays.reset();
    this.unknowns.reset();
    this.auth.reset();
    this.recorder.reset();
    this.queues.reset();
    this.watches.reset();
  }

  #queues({ pull_delay_ms: delayMs, content_type: contentType, plain }) {
    if (delayMs !== undefined) this.queues.pullDelayMs = delayMs;
    if (contentType !== undefined) this.queues.contentType = contentType;
    if (plain !== undefined) this.queues.plain = plain;
  }

  #queueReport() {
    const told = ({ text, contentType, attempts, lease, visibleAt }) => ({
      text,
      content_type: contentType,
      attempts,
      leased: lease !== null && visibleAt > Date.now(),
    });
    return { queues: Object.fromEntries([...this.queues.queues.values()].map(({ name, messages }) => [name, messages.map(told)])) };
  }

  #put({ queue: name, body, content_type: contentType, copies = 1 }) {
    const queue = this.queues.byName(name);
    if (!queue) throw new OpError(404, `no such queue: ${name}`);
    for (let n = 0; n < copies; n += 1) this.queues.put(queue, body, { contentType });
  }

  #latency(ms) {
    need(ms >= 0, "ms is needed");
    this.gateway.latencyMs = ms;
  }

  async #create({
    workflow = "lab",
    ids,
    prefix = "instance-",
    count = 1,
    params = {},
    status,
    timeout_ms: timeout,
    trigger_source: triggerSource,
    version_id: versionId,
  }) {
    if (!this.instances.knows(workflow)) throw new OpError(404, `unknown workflow ${workflow}`);
    const names = ids ?? Array.from({ length: count }, (_, n) => `${prefix}${n}`);
    const wanted = names.map((id, n) => ({ id, params: Array.isArray(params) ? params[n] : params }));
    const created = await this.work.create(workflow, wanted, { triggerSource, versionId });
    const existing = names.filter((_, n) => created[n] === null);
    need(existing.length === 0, `these exist already: ${existing.slice(0, 5).join(", ")}`);
    // The engine answers before it has written an instance down.
    if (status === undefined) await this.ops.await({ workflow, instances: names, statuses: Object.values(ANY), timeout_ms: 60_000 });
    else await this.ops.await({ workflow, instances: names, status, timeout_ms: timeout });
    return { ids: names };
  }

  async #op(body) {
    return Array.isArray(body) ? { results: await this.ops.runAll(body) } : this.ops.run(body);
  }

  async #purge(workflow) {
    if (workflow !== undefined && !this.instances.knows(workflow)) throw new OpError(404, `unknown workflow ${workflow}`);
    const deleted = {};
    for (const name of workflow === undefined ? Object.keys(WORKFLOWS) : [workflow]) deleted[name] = await this.work.purge(name);
    return { deleted };
  }

  async #idle(timeout = 60_000) {
    const end = Date.now() + timeout;
    while (this.gateway.inFlight > 0 || this.ops.background.size > 0) {
      if (Date.now() >= end) throw new OpError(408, `still in flight: ${this.gateway.inFlight}`);
      await delay(5);
    }
    return {};
  }
}

const ANY = ["queued", "running", "waiting", "waitingForPause", "paused", "rollingBack", "errored", "terminated", "complete"];
