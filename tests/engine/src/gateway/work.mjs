// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * What can be done to instances, straight on the engine and kept in step with the index and the recorder. The API,
 * the control endpoint and the race operations all go through here.
 */

// The engine lets 100 ms pass in each deletion.
const DELETE_AT_ONCE = 64;
const CREATE_AT_ONCE = 16;
const ENGINE_ID = /^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$/;

/** Maps with so many at a time. */
export async function inParallel(list, limit, work) {
  const results = new Array(list.length);
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const n = next++;
      results[n] = await work(list[n], n);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, worker));
  return results;
}

const messageOf = (answer) => answer.json?.errors?.[0]?.message ?? answer.text;

export class Work {
  constructor(engine, instances, watches) {
    this.engine = engine;
    this.instances = instances;
    this.watches = watches;
  }

  #path(workflow, instance, rest = "") {
    return `/${workflow}/instances/${encodeURIComponent(instance)}${rest}`;
  }

  /** Creates instances; answers the ids, null for those that exist already. */
  async create(workflow, wanted, shown = {}) {
    return inParallel(wanted, CREATE_AT_ONCE, async ({ id = crypto.randomUUID(), params = {} }) => {
      if (this.instances.has(workflow, id)) return null;
      const created = Date.now();
      if (ENGINE_ID.test(id)) {
        // The engine itself refuses ids that exist; only then is the index behind.
        const answer = await this.engine.call("POST", `/${workflow}/instances`, { id, params });
        if (answer.status !== 200) {
          if (messageOf(answer).includes("already_exists")) return null;
          throw new Error(messageOf(answer));
        }
      } else {
        if (await this.instances.find(workflow, id)) return null;
        await this.engine.probe("create", workflow, { instances: [{ id, params }] });
      }
      this.instances.add(workflow, id, { created, ...shown });
      this.watches.watch(workflow, id, created);
      return id;
    });
  }

  /** PATCH on the engine: `{status, json}` as it answers. */
  async patch(workflow, instance, body) {
    const began = Date.now();
    const answer = await this.engine.call("PATCH", this.#path(workflow, instance, "/status"), body);
    // What has ended is watched no more.
    if (body.status === "restart") this.watches.watch(workflow, instance, began);
    return answer;
  }

  detail(workflow, instance) {
    return this.engine.call("GET", this.#path(workflow, instance));
  }

  event(workflow, instance, type, body) {
    return this.engine.call("POST", this.#path(workflow, instance, `/events/${encodeURIComponent(type)}`), body);
  }

  /** Deletes one instance; true if it was there. */
  async delete(workflow, instance) {
    if (!(await this.instances.find(workflow, instance))) return false;
    const answer = await this.engine.call("DELETE", this.#path(workflow, instance));
    this.instances.remove(workflow, [instance]);
    if (answer.status !== 200 && answer.status !== 404) throw new Error(messageOf(answer));
    return answer.status === 200;
  }

  /** Deletes all instances of a workflow, and the engine's phantoms; answers how many there were. */
  async purge(workflow) {
    const entries = [...(await this.instances.all(workflow))];
    await inParallel(entries, DELETE_AT_ONCE, ({ id }) => this.delete(workflow, id));
    const { phantoms } = this.instances.workflows.get(workflow);
    await inParallel([...phantoms.keys()], DELETE_AT_ONCE, (hex) => this.engine.call("DELETE", this.#path(workflow, hex)));
    phantoms.clear();
    return entries.length;
  }

  /** The probe's look at one instance now (`{facts, detail, rollbackSteps}`), or null where it does not exist. */
  async look(workflow, instance) {
    if (!(await this.instances.find(workflow, instance))) return null;
    const [seen] = await this.engine.probe("look", workflow, { ids: [instance], detail: true });
    if (seen.error) throw new Error(seen.error);
    if (seen.facts) return seen;
    this.instances.remove(workflow, [instance]);
    return null;
  }
}
