// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The calls about workflows and their versions. */

import { SCRIPT_NAME, WORKFLOWS } from "../engine.mjs";
import { errors, ok } from "./answers.mjs";
import { parseSettings } from "./bodies.mjs";
import { uuidOf } from "./listing.mjs";
import { paged } from "./paged.mjs";

const CREATED = "2026-01-05T09:00:00.000000Z";
const MODIFIED = "2026-06-01T09:00:00.000000Z";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

export class WorkflowApi {
  retention = { success_retention: WEEK_MS, error_retention: WEEK_MS };

  constructor({ instances, listing }) {
    this.instances = instances;
    this.listing = listing;
  }

  async #describe(name) {
    const entries = await this.instances.all(name);
    const latest = entries.at(-1);
    return {
      id: uuidOf(name),
      name,
      class_name: WORKFLOWS[name],
      script_name: SCRIPT_NAME,
      created_on: CREATED,
      modified_on: MODIFIED,
      triggered_on: latest ? new Date(latest.created).toISOString() : null,
      instances: await this.listing.counts(name),
      schedules: [],
      script_deleted: false,
    };
  }

  settings() {
    return ok({ default_retention: this.retention });
  }

  changeSettings({ body }) {
    this.retention = { ...this.retention, ...parseSettings(body).default_retention };
    return this.settings();
  }

  async list({ query }) {
    const search = new URLSearchParams(query).get("search") ?? "";
    const { result, result_info: info } = paged(
      Object.keys(WORKFLOWS).filter((name) => name.includes(search)),
      query,
      10,
    );
    const described = [];
    for (const name of result) described.push(await this.#describe(name));
    return ok(described, { result_info: info });
  }

  async detail({ workflow }) {
    return ok(await this.#describe(workflow));
  }

  #versions(workflow) {
    // Newest first: instances run version 2.
    return [2, 1].map((n) => ({
      id: uuidOf(`${workflow} version ${n}`),
      class_name: WORKFLOWS[workflow],
      created_on: n === 2 ? MODIFIED : CREATED,
      modified_on: n === 2 ? MODIFIED : CREATED,
      workflow_id: uuidOf(workflow),
      has_dag: false,
      language: "javascript",
      limits: { steps: 10000 },
    }));
  }

  versions({ workflow, query }) {
    const { result, result_info: info } = paged(this.#versions(workflow), query, 10);
    return ok(result, { result_info: info });
  }

  version({ workflow, version }) {
    const found = this.#versions(workflow).find(({ id }) => id === version);
    return found ? ok(found) : errors.versionNotFound();
  }
}
