// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The calls about instances, with production's face. */

import { errors, failure, ok } from "./answers.mjs";
import { parseAction, parseBatch, parseCreation, parseDeletion, parseEvent, parseTermination, Refusal } from "./bodies.mjs";
import { uuidOf } from "./listing.mjs";
import { inParallel } from "./work.mjs";

const EVENT_TYPE = /^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$/;
const SUCCESS = { complete: true, errored: false, terminated: false };

export class InstanceApi {
  constructor({ work, instances, listing, overlays, unknowns }) {
    this.unknowns = unknowns;
    this.work = work;
    this.instances = instances;
    this.listing = listing;
    this.overlays = overlays;
  }

  list({ workflow, query }) {
    return this.listing.answer(workflow, query);
  }

  #created(workflow, id, entry) {
    return {
      id,
      status: "queued",
      version_id: entry?.versionId ?? uuidOf(`${workflow} version 2`),
      workflow_id: uuidOf(workflow),
      trigger_source: "api",
    };
  }

  async create({ workflow, body }) {
    const wanted = parseCreation(body);
    const [id] = await this.work.create(workflow, [wanted]);
    return id === null ? errors.alreadyExists(this.unknowns.exists_status) : ok(this.#created(workflow, id));
  }

  /** Nobody knows what becomes of ids that exist, nor which form the answer has: see Unknowns. */
  async createBatch({ workflow, body }) {
    const { unknowns } = this;
    const wanted = parseBatch(body).filter(({ id }) => !unknowns.batch_forgets.includes(id));
    if (unknowns.batch_existing === "refused") {
      const found = await Promise.all(wanted.map(({ id }) => id !== undefined && this.instances.find(workflow, id)));
      if (found.some(Boolean)) return errors.alreadyExists(unknowns.exists_status);
    }
    const ids = await this.work.create(workflow, wanted);
    const created = ids.filter((id) => id !== null && !unknowns.batch_omits.includes(id)).map((id) => this.#created(workflow, id));
    if (unknowns.batch_form === "list") return ok(created);
    const exists = errors.alreadyExists().json.errors[0];
    const failed = ids.flatMap((id, index) => (id === null ? [{ index, id: wanted[index].id, ...exists }] : []));
    return ok({ created, errors: failed });
  }

  /** The detail as production has it (without overlay), or null; `simple` has no steps, and costs half. */
  async #detail(workflow, instance, simple = false) {
    const seen = await this.work.look(workflow, instance);
    if (!seen) return null;
    const { facts } = seen;
    let result = seen.detail;
    let status = facts.status;
    if (!simple) {
      const answer = await this.work.detail(workflow, instance);
      if (answer.status === 404) return null;
      if (answer.status !== 200) throw new Error(answer.json?.errors?.[0]?.message ?? answer.text);
      result = answer.json.result;
      // The facts were read a moment before: where the engine's word has changed since, that word is the newer one.
      if (result.status !== facts.engineStatus) status = result.status;
      result.steps.push(...seen.rollbackSteps);
      if (status === "terminated") result.steps.push({ type: "termination", trigger: { source: "api" } });
    }
    const entry = await this.instances.find(workflow, instance);
    return {
      ...result,
      status,
      success: SUCCESS[status] ?? null,
      rollback: facts.rollback,
      trigger: { source: entry?.triggerSource ?? "api" },
      versionId: entry?.versionId ?? uuidOf(`${workflow} version 2`),
      schedule: null,
    };
  }

  async detail({ workflow, instance, query }) {
    const params = new URLSearchParams(query);
    const truth = await this.#detail(workflow, instance, params.get("simple") === "true");
    const shown = truth && this.overlays.look(workflow, instance, "detail", truth);
    if (!shown) return errors.instanceNotFound();
    if (shown.steps && params.get("order") === "desc") shown.steps.reverse();
    return ok(shown);
  }

  async step({ workflow, instance, query }) {
    const params = new URLSearchParams(query);
    const [name, type, attempt] = ["name", "type", "attempt"].map((key) => params.get(key));
    if (!name) return errors.badQuery("name is needed");
    if (type !== null && !["step", "waitForEvent"].includes(type)) return errors.badQuery("type must be step or waitForEvent");
    const detail = await this.#detail(workflow, instance);
    if (!detail) return errors.instanceNotFound();
    const step = detail.steps.find((one) => one.name === name && (type === null || one.type === type));
    if (!step) return errors.stepNotFound();
    const tried = attempt === null ? step.attempts?.at(-1) : step.attempts?.[Number(attempt) - 1];
    if (attempt !== null && !tried) return errors.stepNotFound();
    const success = attempt === null ? (step.success ?? (step.finished ? !step.error : null)) : tried.success;
    return ok({
      status: success === null ? "running" : success ? "complete" : "errored",
      output: success ? (step.output ?? null) : null,
      error: success === false ? (step.error ?? tried?.error ?? null) : null,
    });
  }

  async patch({ workflow, instance, body }) {
    if (!(await this.instances.find(workflow, instance))) return errors.instanceNotFound();
    const wanted = parseAction(body);
    const ignored = this.overlays.intercept(workflow, instance, wanted.status, null);
    if (ignored !== null) return ok({ status: ignored, timestamp: new Date().toISOString() });
    const answer = await this.work.patch(workflow, instance, wanted);
    if (answer.status === 200) return ok(answer.json.result);
    const message = answer.json?.errors?.[0]?.message ?? answer.text;
    if (answer.status === 404) return errors.instanceNotFound();
    if (message.includes("instance.cannot_terminate")) return errors.cannotTerminate();
    if (message.includes("instance.cannot_restart")) return errors.cannotRestart();
    if (answer.status === 400) return errors.badBody(message);
    return errors.internal(message);
  }

  /** Without rollback; how many were terminated is all that the answer tells. */
  async terminateBatch({ workflow, body }) {
    const ids = [...new Set(parseTermination(body))];
    const { unknowns } = this;
    if (unknowns.takes("terminate_already_running")) return ok({ status: "already_running", instancesTerminated: 0 });
    const [late, now] = [[], []];
    for (const id of ids) if (!unknowns.terminate_leaves.includes(id)) (unknowns.terminate_late.includes(id) ? late : now).push(id);
    const terminate = async (id) => {
      if (!(await this.instances.find(workflow, id)) || this.overlays.intercept(workflow, id, "terminate", null) !== null) return false;
      return (await this.work.patch(workflow, id, { status: "terminate" })).status === 200;
    };
    const ended = await inParallel(now, 8, terminate);
    if (late.length > 0) setTimeout(() => inParallel(late, 8, terminate).catch(console.error), unknowns.terminate_late_ms);
    const count = ended.filter(Boolean).length + late.length + unknowns.terminate_miscounts;
    return ok({ status: "ok", instancesTerminated: count });
  }

  async event({ workflow, instance, eventType, body }) {
    if (!EVENT_TYPE.test(eventType)) return errors.badBody("the event type is invalid");
    if (!(await this.instances.find(workflow, instance))) return errors.instanceNotFound();
    const payload = parseEvent(body);
    if (this.unknowns.events_to_finished === "refused") {
      const seen = await this.work.look(workflow, instance);
      if (seen && seen.facts.status in { errored: 1, complete: 1, terminated: 1 }) return errors.notRunning();
    }
    const answer = await this.work.event(workflow, instance, eventType, payload);
    if (answer.status === 404) return errors.instanceNotFound();
    if (answer.status !== 200) return errors.internal(answer.json?.errors?.[0]?.message);
    return ok({ instanceId: instance, timestamp: new Date().toISOString() });
  }

  async delete({ workflow, instance }) {
    if (!(await this.work.delete(workflow, instance))) return errors.instanceNotFound();
    return ok({ instanceId: instance, timestamp: new Date().toISOString() });
  }

  /** Each id once, the result for each place in the list, as production has it. */
  async deleteBatch({ workflow, body }) {
    const ids = parseDeletion(body);
    const unique = [...new Set(ids)];
    const done = new Map(unique.map((id, n) => [id, n]));
    const results = await inParallel(unique, 8, (id) => this.work.delete(workflow, id));
    const deleted = ids.filter((id) => results[done.get(id)]).map((id) => ({ id }));
    const missing = failure(404, 10400, "workflows.api.error.instance.not_found").json.errors[0];
    return ok({ deleted, errors: ids.filter((id) => !results[done.get(id)]).map((id) => ({ id, ...missing })) });
  }
}

export { Refusal };
