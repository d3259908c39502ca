// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The sample workflows. README.md says what their params mean. */

import { WorkflowEntrypoint } from "cloudflare:workers";
import { Steps } from "./steps.mjs";

const HOUR_MS = 3600 * 1000;

/** An order, as an operator would recognise it. */
export class OrderWorkflow extends WorkflowEntrypoint {
  async run(event, step) {
    const params = event.payload ?? {};
    const steps = new Steps(event, step, this.env.HOST);
    const undone = params.rollback === true ? ["reserve", "charge", "ship"] : (params.rollback ?? []);
    const run = (name) =>
      steps.do(name, {
        ...params.steps?.[name],
        rollback: undone.includes(name) && (params.rollback_options?.[name] ?? true),
      });

    await run("reserve");
    await run("charge");
    if (params.approval) {
      await steps.wait("approval", "approval", params.approval === true ? HOUR_MS : params.approval);
    }
    if (params.cooling_off_ms) await steps.sleep("cooling-off", params.cooling_off_ms);
    await run("ship");
    await run("notify");
    return { order: params.order ?? event.instanceId, charged: true, shipped: true };
  }
}

/** A workflow made of the entries in its params, for tests. */
export class LabWorkflow extends WorkflowEntrypoint {
  async run(event, step) {
    const params = event.payload ?? {};
    const steps = new Steps(event, step, this.env.HOST);
    for (const entry of params.steps ?? []) await this.#entry(steps, entry);
    return params.output ?? "done";
  }

  async #entry(steps, entry) {
    if (entry.throw !== undefined) throw new Error(entry.throw);
    if (entry.parallel) {
      const ends = await Promise.allSettled(entry.parallel.map((one) => this.#entry(steps, one)));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
      return;
    }
    if (entry.sleep) {
      await steps.sleep(entry.sleep, entry.ms);
      return;
    }
    const { handled, ...rest } = entry;
    try {
      await (entry.wait ? this.#wait(steps, rest) : this.#do(steps, rest));
    } catch (error) {
      if (!handled) throw error;
    }
  }

  #do(steps, { do: name, ...options }) {
    return steps.do(name, options);
  }

  #wait(steps, { wait, type = wait, timeout_ms: timeout = HOUR_MS }) {
    return steps.wait(wait, type, timeout);
  }
}

export default {
  fetch() {
    return new Response("The sample workflows have no web page.", { status: 404 });
  },
};
