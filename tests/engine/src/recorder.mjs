// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The host's side of the workflows: what truly ran, which executions fail, and the gates they stand behind. */

import { readBody } from "./http.mjs";

const LOG_CAP = 2000;

const key = (workflow, instance) => `${workflow}\n${instance}`;
const bump = (counts, name) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

export class Recorder {
  instances = new Map();
  switches = new Map();
  gates = new Map();
  serial = 0;

  /** Answers the workers' reports: the service binding HOST. */
  async handle(request, response) {
    const report = JSON.parse(await readBody(request));
    // The engine drops the connection of a step that it cancels.
    const gone = new Promise((resolve) => response.once("close", resolve));
    const answer = report.phase === "start" ? await this.#start(report, gone) : this.#end(report);
    if (response.destroyed) return;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(answer));
  }

  #of(workflow, instance) {
    const at = key(workflow, instance);
    if (!this.instances.has(at)) {
      this.instances.set(at, { workflow, instance, steps: {}, finished: {}, rollbacks: {}, rollbacksFinished: {}, log: [] });
    }
    return this.instances.get(at);
  }

  #note(record, { kind, name, occurrence, attempt, phase, error }) {
    record.log.push({ n: ++this.serial, at: new Date().toISOString(), kind, name, occurrence, attempt, phase, error: error ?? null });
    if (record.log.length > LOG_CAP) record.log.shift();
  }

  async #start(report, gone) {
    const { workflow, instance, kind, name, options } = report;
    const record = this.#of(workflow, instance);
    const counts = kind === "rollback" ? record.rollbacks : record.steps;
    bump(counts, name);
    const execution = counts[name];
    this.#note(record, report);
    if (options.gate && !(await this.#pass(options.gate, gone))) this.#note(record, { ...report, phase: "cancel" });
    return { error: this.#fails(options, execution) ? (this.#message(options) ?? `${name} failed`) : null };
  }

  #fails({ fail, fail_while: name }, execution) {
    if (name !== undefined && this.switches.get(name)) return true;
    return typeof fail === "number" ? execution <= fail : Boolean(fail);
  }

  #message({ fail, message }) {
    return message ?? (typeof fail === "string" ? fail : undefined);
  }

  #end(report) {
    const record = this.#of(report.workflow, report.instance);
    if (report.phase === "finish") bump(report.kind === "rollback" ? record.rollbacksFinished : record.finished, report.name);
    this.#note(record, report);
    return {};
  }

  #gate(name) {
    if (!this.gates.has(name)) this.gates.set(name, { open: false, waiting: new Set() });
    return this.gates.get(name);
  }

  /** Waits for the gate to open; false where the step was cancelled instead. */
  async #pass(name, gone) {
    const gate = this.#gate(name);
    if (gate.open) return true;
    let release;
    const opened = new Promise((resolve) => {
      release = () => resolve(true);
    });
    gate.waiting.add(release);
    const passed = await Promise.race([opened, gone.then(() => false)]);
    gate.waiting.delete(release);
    return passed;
  }

  /** Opens or closes a gate; opening lets all pass that stand behind it. */
  setGate(name, open) {
    const gate = this.#gate(name);
    gate.open = open;
    if (!open) return;
    for (const release of gate.waiting) release();
  }

  gateReport() {
    return Object.fromEntries([...this.gates].map(([name, gate]) => [name, { open: gate.open, waiting: gate.waiting.size }]));
  }

  /** What ran of one instance. */
  report(workflow, instance) {
    const { steps, finished, rollbacks, rollbacksFinished, log } = this.instances.get(key(workflow, instance)) ?? {
      steps: {},
      finished: {},
      rollbacks: {},
      rollbacksFinished: {},
      log: [],
    };
    return { workflow, instance, steps, finished, rollbacks, rollbacks_finished: rollbacksFinished, log };
  }

  /** Forgets one instance, a workflow's, or all. */
  forget(workflow, instance) {
    if (workflow !== undefined && instance !== undefined) {
      this.instances.delete(key(workflow, instance));
      return;
    }
    for (const [at, record] of this.instances) {
      if (workflow === undefined || record.workflow === workflow) this.instances.delete(at);
    }
  }

  /** Forgets everything and lets everybody pass. */
  reset() {
    for (const name of this.gates.keys()) this.setGate(name, true);
    this.gates.clear();
    this.switches.clear();
    this.instances.clear();
  }
}
