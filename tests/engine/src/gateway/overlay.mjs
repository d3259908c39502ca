// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** What the gateway presents of an instance instead of the truth: for what production does and the engine can't. */

export class Overlays {
  rules = new Map();

  #key(workflow, instance) {
    return `${workflow}\n${instance}`;
  }

  /** Adds, replaces or (`clear`) removes the overlay of an instance. */
  set(workflow, instance, rule) {
    if (rule.clear || rule.status === null) {
      this.rules.delete(this.#key(workflow, instance));
      return;
    }
    const statuses = rule.statuses ?? (rule.status === undefined ? [] : [rule.status]);
    this.rules.set(this.#key(workflow, instance), {
      statuses: [...statuses],
      fields: rule.fields ?? {},
      detail: rule.detail ?? {},
      item: rule.item ?? {},
      times: rule.times ?? null,
      missing: rule.missing ?? false,
      patch: rule.patch ?? null,
      untilPatch: rule.until_patch ?? false,
    });
  }

  /** True where any instance of the listing may look different: lists can then not be cut by status beforehand. */
  get any() {
    return this.rules.size > 0;
  }

  /**
   * One look: what is shown of `record` (a detail or a list item), or null where the instance is to be missing.
   * @param {"detail"|"item"} kind
   */
  look(workflow, instance, kind, record) {
    const at = this.#key(workflow, instance);
    const rule = this.rules.get(at);
    if (!rule) return record;
    if (rule.times !== null) {
      rule.times -= 1;
      if (rule.times <= 0) this.rules.delete(at);
    }
    if (rule.missing) return null;
    const status = (rule.statuses.length > 1 ? rule.statuses.shift() : rule.statuses[0]) ?? record.status;
    return { ...record, status, ...rule.fields, ...rule[kind] };
  }

  /** For a PATCH: the status to answer with where it must not reach the engine, else null. */
  intercept(workflow, instance, action, status) {
    const at = this.#key(workflow, instance);
    const rule = this.rules.get(at);
    if (!rule) return null;
    if (rule.patch === "ignore" || (Array.isArray(rule.patch) && rule.patch.includes(action))) {
      return rule.statuses[0] ?? status;
    }
    if (rule.untilPatch) this.rules.delete(at);
    return null;
  }

  report() {
    return [...this.rules].map(([at, rule]) => {
      const [workflow, instance] = at.split("\n");
      return { workflow, instance, ...rule };
    });
  }

  reset() {
    this.rules.clear();
  }
}
