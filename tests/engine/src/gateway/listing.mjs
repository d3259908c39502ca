// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The list of instances: order, cursors, filters, pages. */

import { createHash } from "node:crypto";
import { errors, ok } from "./answers.mjs";

const STATUSES = ["queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting", "rollingBack"];
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/;

/** A stable UUID for a name: workflow and version ids. */
export function uuidOf(name) {
  const hash = createHash("sha256").update(name).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

const encodeCursor = (place) => Buffer.from(JSON.stringify(place)).toString("base64url");

function decodeCursor(text) {
  try {
    const { created, seq, direction } = JSON.parse(Buffer.from(text, "base64url").toString());
    return Number.isFinite(created) && Number.isFinite(seq) ? { created, seq, direction } : null;
  } catch {
    return null;
  }
}

function whole(text, fallback) {
  if (text === null) return fallback;
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

/** The query of a listing, or `{error}`. */
function parseQuery(query) {
  const params = new URLSearchParams(query);
  const perPage = whole(params.get("per_page"), 50);
  if (!(perPage >= 1 && perPage <= 100)) return { error: "per_page must be 1 to 100" };
  const page = whole(params.get("page"), null);
  if (page !== null && !(page >= 1)) return { error: "page must be 1 or more" };
  const cursorText = params.get("cursor");
  if (cursorText !== null && page !== null) return { error: "cursor and page are mutually exclusive" };
  const cursor = cursorText === null || cursorText === "" ? null : decodeCursor(cursorText);
  if (cursorText && !cursor) return { error: "cursor is invalid" };
  const direction = params.get("direction") ?? cursor?.direction ?? "desc";
  if (!["asc", "desc"].includes(direction)) return { error: "direction must be asc or desc" };
  if (params.getAll("status").length > 1) return { error: "only one status can be given" };
  const status = params.get("status");
  if (status !== null && !STATUSES.includes(status)) return { error: `unknown status ${status}` };
  const bounds = {};
  for (const name of ["date_start", "date_end"]) {
    const text = params.get(name);
    if (text === null) continue;
    if (!UTC.test(text) || Number.isNaN(Date.parse(text))) return { error: `${name} must be a UTC time such as 2026-01-31T12:00:00Z` };
    bounds[name] = Date.parse(text);
  }
  return { perPage, page, cursor, direction, status, from: bounds.date_start ?? -Infinity, until: bounds.date_end ?? Infinity };
}

export class Listing {
  constructor(instances, overlays) {
    this.instances = instances;
    this.overlays = overlays;
  }

  /** The item of one instance, as it is shown without overlay. */
  item(workflow, entry, facts) {
    return {
      id: entry.id,
      created_on: new Date(entry.created).toISOString(),
      modified_on: facts.modified,
      started_on: facts.started,
      ended_on: facts.ended,
      status: facts.status,
      version_id: entry.versionId ?? uuidOf(`${workflow} version 2`),
      workflow_id: uuidOf(workflow),
      trigger_source: entry.triggerSource,
    };
  }

  /** Items of these entries that exist, pass the filter and are not hidden by an overlay. */
  async #items(workflow, entries, status) {
    const facts = await this.instances.look(workflow, entries);
    const kept = [];
    for (const [n, entry] of entries.entries()) {
      if (!facts[n]) continue;
      const item = this.overlays.look(workflow, entry.id, "item", this.item(workflow, entry, facts[n]));
      if (item && (status === null || item.status === status)) kept.push({ entry, item });
    }
    return kept;
  }

  async answer(workflow, query) {
    const asked = parseQuery(query);
    if (asked.error) return errors.badQuery(asked.error);
    if (asked.from > asked.until) return errors.badRange();
    const all = await this.instances.all(workflow);
    const range = all.filter((entry) => entry.created >= asked.from && entry.created <= asked.until);
    if (asked.direction === "desc") range.reverse();
    return asked.page === null ? this.#byCursor(workflow, range, asked) : this.#byPage(workflow, range, asked);
  }

  #after(range, { cursor, direction }) {
    if (!cursor) return range;
    const sign = direction === "asc" ? 1 : -1;
    return range.filter((entry) => sign * (entry.created - cursor.created || entry.seq - cursor.seq) > 0);
  }

  async #byCursor(workflow, range, asked) {
    const rest = this.#after(range, asked);
    let total = range.length;
    let kept;
    let more;
    if (asked.status === null && !this.overlays.any) {
      // Only the page itself is looked at: one that has vanished meanwhile leaves the page a little shorter.
      kept = await this.#items(workflow, rest.slice(0, asked.perPage), null);
      more = rest.length > asked.perPage;
      return this.#respond(kept, total, asked, more ? rest[asked.perPage - 1] : null);
    }
    const matching = await this.#items(workflow, range, asked.status);
    total = matching.length;
    const places = new Set(rest);
    kept = matching.filter(({ entry }) => places.has(entry));
    more = kept.length > asked.perPage;
    kept = kept.slice(0, asked.perPage);
    return this.#respond(kept, total, asked, more ? kept.at(-1).entry : null);
  }

  #respond(kept, total, asked, last) {
    const info = { count: kept.length, per_page: asked.perPage, total_count: total };
    if (last) info.cursor = encodeCursor({ created: last.created, seq: last.seq, direction: asked.direction });
    return ok(
      kept.map(({ item }) => item),
      { result_info: info },
    );
  }

  /** Page numbers: an offset into what matches now, so what moves between two calls is lost or repeated. */
  async #byPage(workflow, range, { page, perPage, status }) {
    const offset = (page - 1) * perPage;
    let total = range.length;
    let kept;
    if (status === null) {
      kept = await this.#items(workflow, range.slice(offset, offset + perPage), null);
    } else {
      const matching = await this.#items(workflow, range, status);
      total = matching.length;
      kept = matching.slice(offset, offset + perPage);
    }
    const info = { count: kept.length, page, per_page: perPage, total_count: total, total_pages: Math.ceil(total / perPage) };
    return ok(
      kept.map(({ item }) => item),
      { result_info: info },
    );
  }

  /** How many instances of a workflow hold each status. */
  async counts(workflow) {
    const counts = Object.fromEntries(STATUSES.map((status) => [status, 0]));
    const entries = await this.instances.all(workflow);
    for (const facts of await this.instances.look(workflow, [...entries])) {
      if (facts) counts[facts.status] = (counts[facts.status] ?? 0) + 1;
    }
    return counts;
  }
}
