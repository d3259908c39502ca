// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Operations straight on the engine, for races and for the control endpoint: never counted, never delayed. */

import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 10;
// Long enough for the busiest machine: what comes at all comes much sooner.
const DEFAULT_TIMEOUT_MS = 60_000;

/** An operation that can't be done; `status` is the control endpoint's. */
export class OpError extends Error {
  constructor(status, message, extra = {}) {
    super(message);
    this.status = status;
    this.extra = extra;
  }
}

export class Ops {
  constructor({ engine, instances, work, overlays, recorder }) {
    Object.assign(this, { engine, instances, work, overlays, recorder });
    this.background = new Set(); // {abandoned} of each run of operations that goes on by itself
  }

  /** Ends what waits in the background: what it waited for must not set it off later. */
  abandon() {
    for (const run of this.background) run.abandoned = true;
  }

  #scope({ workflow = "lab", instance }) {
    if (!this.instances.knows(workflow)) throw new OpError(404, `unknown workflow ${workflow}`);
    return { workflow, instance };
  }

  #needInstance(op) {
    const scope = this.#scope(op);
    if (typeof scope.instance !== "string") throw new OpError(400, "instance is needed");
    return scope;
  }

  /** Runs one operation. */
  async run(op) {
    if (["pause", "resume", "terminate", "restart"].includes(op.op)) return this.#patch(op);
    const method = {
      delete: this.#delete,
      event: this.#event,
      create: this.#create,
      await: this.await,
      strand: this.strand,
      sleep: this.#sleep,
      gate: this.#gate,
      switch: this.#switch,
      overlay: this.overlay,
      background: this.#background,
    }[op.op];
    if (!method) throw new OpError(400, `unknown operation ${op.op}`);
    return method.call(this, op);
  }

  /** Runs operations one after the other; an error takes the place of a result. */
  async runAll(ops, defaults = {}) {
    const results = [];
    for (const op of ops) {
      if (defaults.run?.abandoned) break;
      try {
        results.push(await this.run({ ...defaults, ...op }));
      } catch (error) {
        results.push({ error: error.message });
      }
    }
    return results;
  }

  async #patch(op) {
    const { workflow, instance } = this.#needInstance(op);
    if (!(await this.instances.find(workflow, instance))) throw new OpError(404, `unknown instance ${instance}`);
    const body = { status: op.op };
    if (op.rollback !== undefined) body.rollback = op.rollback;
    if (op.from !== undefined) body.from = op.from;
    const answer = await this.work.patch(workflow, instance, body);
    if (answer.status !== 200) throw new OpError(400, answer.json?.errors?.[0]?.message ?? answer.text);
    return answer.json.result;
  }

  async #delete(op) {
    const { workflow, instance } = this.#needInstance(op);
    return { deleted: await this.work.delete(workflow, instance) };
  }

  async #event(op) {
    const { workflow, instance } = this.#needInstance(op);
    if (!(await this.instances.find(workflow, instance))) throw new OpError(404, `unknown instance ${instance}`);
    const answer = await this.work.event(workflow, instance, op.type, op.body ?? null);
    return { status: answer.status };
  }

  async #create(op) {
    const { workflow, instance } = this.#needInstance(op);
    const [id] = await this.work.create(workflow, [{ id: instance, params: op.params }]);
    if (id === null) throw new OpError(400, `${instance} exists`);
    return { id };
  }

  async #sleep({ ms }) {
    await delay(ms);
    return {};
  }

  #gate({ name, open }) {
    this.recorder.setGate(name, open ?? true);
    return {};
  }

  #switch({ name, value }) {
    this.recorder.switches.set(name, value);
    return {};
  }

  overlay(op) {
    const { workflow, instance } = this.#needInstance(op);
    this.overlays.set(workflow, instance, op);
    return {};
  }

  #background({ ops, ...defaults }) {
    const { op: _, ...scope } = defaults;
    const run = { abandoned: false };
    this.background.add(run);
    this.runAll(ops, { ...scope, run }).finally(() => this.background.delete(run));
    return {};
  }

  /** Leaves an instance queued for good, or (`undo`) lets it run on. */
  async strand(op) {
    const { workflow, instance } = this.#needInstance(op);
    if (!(await this.instances.find(workflow, instance))) throw new OpError(404, `unknown instance ${instance}`);
    await this.engine.probe(op.undo ? "unstrand" : "strand", workflow, { id: instance });
    const seen = await this.work.look(workflow, instance);
    return { status: seen?.facts.status ?? null };
  }

  /** Waits for statuses, for executions of a step, or for steps behind a gate. */
  async await(op) {
    if (op.gate !== undefined) return this.#until(op, () => this.#gateHolds(op));
    if (op.step !== undefined) {
      const { workflow, instance } = this.#needInstance(op);
      return this.#until(op, () => this.#stepRan(workflow, instance, op));
    }
    const { workflow } = this.#scope(op);
    const ids = op.instances ?? [this.#needInstance(op).instance];
    const wanted = op.statuses ?? [op.status];
    return this.#until(op, () => this.#allHold(workflow, ids, wanted));
  }

  /** Polls until `look` says done; `look` answers `{done, report}`. */
  async #until({ timeout_ms: timeout = DEFAULT_TIMEOUT_MS, run }, look) {
    const end = Date.now() + timeout;
    for (;;) {
      const { done, report } = await look();
      if (run?.abandoned) throw new OpError(409, "abandoned");
      if (done) return report;
      if (Date.now() >= end) throw new OpError(408, `not reached within ${timeout} ms: ${JSON.stringify(report).slice(0, 500)}`, report);
      await delay(POLL_MS);
    }
  }

  #gateHolds({ gate, waiting = 1, open }) {
    const seen = { open: false, waiting: 0, ...this.recorder.gateReport()[gate] };
    return { done: open ? seen.open : seen.waiting >= waiting, report: { gate, ...seen } };
  }

  #stepRan(workflow, instance, { step, phase = "start", count = 1, kind = "step" }) {
    const report = this.recorder.report(workflow, instance);
    const sets = kind === "rollback" ? [report.rollbacks, report.rollbacks_finished] : [report.steps, report.finished];
    const ran = sets[phase === "finish" ? 1 : 0][step] ?? 0;
    return { done: ran >= count, report: { step, phase, count: ran } };
  }

  /** `null` among the wanted means that the instance is gone. */
  async #allHold(workflow, ids, wanted) {
    const index = this.instances.workflows.get(workflow);
    if (ids.some((id) => !index.byId.has(id))) await this.instances.refresh(workflow);
    const entries = ids.map((id) => index.byId.get(id)).filter(Boolean);
    const facts = await this.instances.look(workflow, entries);
    const statuses = Object.fromEntries(ids.map((id) => [id, null]));
    for (const [n, entry] of entries.entries()) statuses[entry.id] = facts[n]?.status ?? null;
    return { done: Object.values(statuses).every((status) => wanted.includes(status)), report: { statuses } };
  }
}
