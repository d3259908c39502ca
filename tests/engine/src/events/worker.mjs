// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The way of an event: from the engine's own subscription to an instance into a real queue, and from that queue's consumer to
 * the host. A `watch` lasts until the instance has ended, or its engine has gone away.
 */

// What the engine calls it -> what a message calls it. (Its `workflow_started` is not there after a resume or a restart from a step.)
const TYPES = {
  workflow_queued: "queued",
  workflow_running: "started",
  workflow_paused: "paused",
  workflow_errored: "errored",
  workflow_terminated: "terminated",
  workflow_completed: "completed",
};

async function watch(env, { workflow, id, since }) {
  const engine = env[`ENGINE_${workflow}`];
  const subscription = await engine.get(engine.idFromName(id)).subscribe({ filter: Object.keys(TYPES) });
  for (;;) {
    const { done, value } = await subscription.next();
    if (done) return { ended: true };
    if (value.timestamp < since) continue;
    await env.EVENTS.send({ workflow, instance: id, type: TYPES[value.type], at: value.timestamp });
  }
}

export default {
  async fetch(request, env) {
    try {
      return Response.json(await watch(env, await request.json()));
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },

  async queue(batch, env) {
    const events = batch.messages.map(({ body }) => body);
    await env.HOST.fetch("http://host/", { method: "POST", body: JSON.stringify({ events }) });
  },
};
