// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Steps of the sample workflows. Runs inside workerd; everything it does is told to the host's recorder. */

import { NonRetryableError } from "cloudflare:workflows";

const NO_RETRIES = { limit: 0, delay: 0, backoff: "constant" };

/** The engine's step configuration for our step options. */
function configOf(options) {
  const config = { retries: NO_RETRIES };
  if (options.retries) {
    const { limit = 0, delay_ms: delay = 0, backoff = "constant" } = options.retries;
    config.retries = { limit, delay, backoff };
  }
  if (options.timeout_ms) config.timeout = options.timeout_ms;
  return config;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs steps of one instance and reports each execution to the host. */
export class Steps {
  constructor(event, step, host) {
    this.event = event;
    this.step = step;
    this.host = host;
  }

  async #tell(what) {
    const response = await this.host.fetch("http://host/step", {
      method: "POST",
      body: JSON.stringify({ workflow: this.event.workflowName, instance: this.event.instanceId, ...what }),
    });
    return response.json();
  }

  /** One execution of a step's or a handler's body; throws what its options ask for. */
  async #execute(kind, name, context, options) {
    const who = { kind, name, occurrence: context?.step?.count ?? 1, attempt: context?.attempt ?? 1 };
    // The host answers when the step's gate is open, and decides whether this execution fails.
    const { error } = await this.#tell({ ...who, phase: "start", options });
    if (options.ms) await pause(options.ms);
    await this.#tell({ ...who, phase: error ? "fail" : "finish", error });
    if (error) throw options.fatal ? new NonRetryableError(error) : new Error(error);
    return options.result ?? `${name} done`;
  }

  /** A step with its options; `rollback` registers a handler. */
  do(name, options = {}) {
    const { rollback, ...rest } = options;
    const body = (context) => this.#execute("step", name, context, rest);
    if (!rollback) return this.step.do(name, configOf(rest), body);
    const undo = rollback === true ? {} : rollback;
    return this.step.do(name, configOf(rest), body, {
      rollback: async ({ ctx }) => {
        await this.#execute("rollback", name, ctx, undo);
      },
      rollbackConfig: configOf(undo),
    });
  }

  sleep(name, ms) {
    return this.step.sleep(name, ms);
  }

  wait(name, type, timeout) {
    return this.step.waitForEvent(name, { type, timeout });
  }
}
