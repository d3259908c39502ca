// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The probe: a worker beside the engine that asks its Durable Objects directly. Each operation takes
 * `{op, workflow, …}` and answers JSON.
 */

import { detailOf, factsOf, rollbackSteps } from "./facts.mjs";

async function look(stub, withDetail) {
  const hex = stub.id.toString();
  try {
    const [metadata, rows] = await Promise.all([stub.getInstanceMetadata(), stub.readDetailedLogs()]);
    if (!metadata.instanceId) return { hex };
    const found = { hex, id: metadata.instanceId, facts: factsOf(metadata, rows) };
    if (withDetail) Object.assign(found, { detail: detailOf(rows), rollbackSteps: rollbackSteps(rows) });
    return found;
  } catch (error) {
    // The engine throws this for the entry that a look at an unknown id has left behind.
    if (String(error).includes("never started")) return { hex };
    return { hex, error: String(error) };
  }
}

const operations = {
  /** Looks at instances by id or by the engine's own hexadecimal ids; `detail` adds what a detail needs. */
  async look(engine, { ids, hexes, detail }) {
    const stubs = ids ? ids.map((id) => engine.get(engine.idFromName(id))) : hexes.map((hex) => engine.get(engine.idFromString(hex)));
    return Promise.all(stubs.map((stub) => look(stub, detail)));
  },

  /** The engine's event rows of one instance. */
  async rows(engine, { id }) {
    return { rows: await engine.get(engine.idFromName(id)).readDetailedLogs() };
  },

  /**
   * Creates instances as the engine's own binding does, without its check of the ids: those that production
   * makes for cron triggers don't pass it.
   */
  async create(engine, { workflow, instances }, context) {
    const now = new Date().toISOString();
    for (const { id, params } of instances) {
      const record = { id, created_on: now, modified_on: now, workflow_id: "", version_id: "", status: 0, started_on: now, ended_on: null };
      const event = { timestamp: new Date(), payload: params, instanceId: id, workflowName: workflow };
      context.waitUntil(
        engine
          .get(engine.idFromName(id))
          .init(0, {}, {}, record, event)
          .catch(() => {}),
      );
    }
    return {};
  },

  /** Leaves an instance queued with nobody to run it, as overlapping restarts do. */
  async strand(engine, { id }) {
    const stub = engine.get(engine.idFromName(id));
    await stub.setStatus(0, id, 0);
    await stub.abort("stranded").catch(() => {});
    return {};
  },

  /** Lets a stranded instance run on: an event makes the engine start what does not run. */
  async unstrand(engine, { id }) {
    await engine.get(engine.idFromName(id)).receiveEvent({ type: "edgeops-unstrand", payload: null, timestamp: new Date() });
    return {};
  },
};

export default {
  async fetch(request, env, context) {
    const question = await request.json();
    try {
      const answer = await operations[question.op](env[`ENGINE_${question.workflow}`], question, context);
      return Response.json(answer);
    } catch (error) {
      return Response.json({ error: String(error) }, { status: 500 });
    }
  },
};
