// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Counts the API calls that arrived, and keeps a log of the latest. */

const COUNTERS = {
  read: "reads",
  list: "lists",
  patch: "patches",
  batch: "batches",
  create: "creates",
  event: "events",
  delete: "deletes",
  pull: "pulls",
  ack: "acks",
  other: "others",
};
const DEFAULT_CAP = 5000;

function countersOf(log) {
  const counts = Object.fromEntries(Object.values(COUNTERS).map((name) => [name, 0]));
  for (const { kind } of log) counts[COUNTERS[kind]] += 1;
  return counts;
}

export class Calls {
  cap = DEFAULT_CAP;
  constructor() {
    this.reset();
  }

  /** Counts a call; the returned entry is completed by the caller as the call goes on. */
  begin(call, authorization) {
    this.total += 1;
    this.byKind[COUNTERS[call.kind]] += 1;
    const { headers } = call;
    const entry = {
      n: this.total,
      at: new Date().toISOString(),
      kind: call.kind,
      method: call.method,
      path: call.path,
      query: call.query,
      workflow: call.workflow ?? null,
      instance: call.instance ?? null,
      body: call.body,
      status: null,
      ms: null,
      fault: null,
      headers: {
        user_agent: headers["user-agent"] ?? null,
        authorization,
        content_type: headers["content-type"] ?? null,
        host: headers.host ?? null,
      },
    };
    this.log.push(entry);
    if (this.log.length > this.cap) this.log.splice(0, this.log.length - this.cap);
    return entry;
  }

  report({ workflow, instance } = {}) {
    if (workflow === undefined && instance === undefined) return { total: this.total, by_kind: { ...this.byKind }, log: this.log };
    const log = this.log.filter(
      (entry) => (workflow === undefined || entry.workflow === workflow) && (instance === undefined || entry.instance === instance),
    );
    return { total: log.length, by_kind: countersOf(log), log };
  }

  reset(cap = DEFAULT_CAP) {
    this.cap = cap;
    this.total = 0;
    this.byKind = countersOf([]);
    this.log = [];
  }
}
