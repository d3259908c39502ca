// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Cloudflare's engine: starts it and speaks to it, without anything of production's face. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "./client.mjs";
import { engineBindings } from "./probe/plugin.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const COMPATIBILITY_DATE = "2026-01-01";
const REST = "/cdn-cgi/local/explorer/api";

/** Workflow names and the classes that run them. */
export const WORKFLOWS = {
  orders: "OrderWorkflow",
  ...Object.fromEntries(
    ["lab", "fleet", "bench", "model", ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `scratch-${n}`)].map((name) => [name, "LabWorkflow"]),
  ),
};
export const SCRIPT_NAME = "edgeops-samples";

function modules(folder, ...files) {
  return files.map((file) => {
    const path = join(HERE, folder, file);
    return { type: "ESModule", path, contents: readFileSync(path, "utf8") };
  });
}

export class Engine {
  /**
   * @param {string} packages folder that holds node_modules (outside the checkout)
   * @param {string} state folder in which instances are kept
   * @param {(request, response) => Promise<void>} host a Node request handler: answers what the workflows tell the host
   * @param {(request, response) => Promise<void>} mailbox another one: takes what the queue of events holds
   */
  constructor(packages, state, host, mailbox) {
    // The sources stay in the checkout, so the packages can't be found by walking up from here.
    const { Miniflare, Log, LogLevel, convertV4MiniflareOptions } = createRequire(join(packages, "package.json"))("miniflare");
    this.state = state;
    this.client = new Client();
    this.miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        cf: false,
        telemetry: { enabled: false },
        unsafeLocalExplorer: true,
        resourcePersistencePath: state,
        log: new Log(LogLevel.NONE),
        handleStructuredLogs: ({ level, message }) => console.error(`[${level}] ${message}`),
        workers: [
          {
            name: SCRIPT_NAME,
            compatibilityDate: COMPATIBILITY_DATE,
            modules: modules("workflows", "main.mjs", "steps.mjs"),
            modulesRoot: join(HERE, "workflows"),
            workflows: Object.fromEntries(
              Object.entries(WORKFLOWS).map(([name, className]) => [name.toUpperCase().replaceAll("-", "_"), { name, className }]),
            ),
            serviceBindings: { HOST: { node: host } },
          },
          {
            name: "events",
            compatibilityDate: COMPATIBILITY_DATE,
            modules: modules("events", "worker.mjs"),
            modulesRoot: join(HERE, "events"),
            unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
            unsafeBindings: engineBindings(Object.keys(WORKFLOWS), join(HERE, "probe", "plugin.mjs")),
            queueProducers: { EVENTS: "instance-events" },
            queueConsumers: { "instance-events": { maxBatchSize: 100, maxBatchTimeout: 0, maxRetries: 3 } },
            serviceBindings: { HOST: { node: mailbox } },
          },
          {
            name: "probe",
            compatibilityDate: COMPATIBILITY_DATE,
            modules: modules("probe", "worker.mjs", "facts.mjs"),
            modulesRoot: join(HERE, "probe"),
            unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
            unsafeBindings: engineBindings(Object.keys(WORKFLOWS), join(HERE, "probe", "plugin.mjs")),
          },
        ],
      }),
    );
  }

  async start() {
    this.url = await this.miniflare.ready;
    this.probeUrl = await this.miniflare.unsafeGetDirectURL("probe");
    this.eventsUrl = await this.miniflare.unsafeGetDirectURL("events");
  }

  get developmentUrl() {
    return new URL(REST, this.url).href;
  }

  /** Where the engine keeps the instances of a workflow: `<hexadecimal id>.sqlite` and its companions. */
  folder(workflow) {
    return join(this.state, "workflows", `miniflare-workflows-${workflow}`);
  }

  /** A call to the engine's REST, below `/workflows`. */
  call(method, path, body) {
    return this.raw(method, `/workflows${path}`, body === undefined ? undefined : JSON.stringify(body));
  }

  /** The same below its root, with the body as it is. */
  raw(method, path, text, contentType) {
    return this.client.send(this.url, method, `${REST}${path}`, text, contentType);
  }

  /** A question to the probe worker. */
  async probe(op, workflow, rest = {}) {
    const { json, text } = await this.client.send(this.probeUrl, "POST", "/", JSON.stringify({ op, workflow, ...rest }));
    if (json === undefined || json.error) throw new Error(json?.error ?? text);
    return json;
  }

  /** Puts what happens to an instance from a moment (milliseconds) on into the queue of events, until it has ended. */
  async watch(workflow, id, since) {
    const { json, text } = await this.client.send(this.eventsUrl, "POST", "/", JSON.stringify({ workflow, id, since }));
    return json ?? { error: text };
  }

  async stop() {
    this.client.stop();
    await this.miniflare.dispose();
  }
}
