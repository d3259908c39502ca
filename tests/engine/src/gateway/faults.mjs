// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The rules that say which calls meet which fault, and which operations race with them. */

const FAULTS = ["status", "reset", "hang_ms", "cut", "raw", "envelope", "remove", "redirect", "drip", "huge_mb"];
const MATCHES = ["method", "kind", "workflow", "instance", "path_regex", "action", "tls"];

/** The action of a PATCH, where its body can be read. */
function actionOf(call) {
  if (call.kind !== "patch") return undefined;
  try {
    return JSON.parse(call.body)?.status;
  } catch {
    return undefined;
  }
}

function matches({ path_regex: pattern, action, ...plain }, call) {
  if (pattern !== undefined && !new RegExp(pattern).test(call.path)) return false;
  if (action !== undefined && action !== actionOf(call)) return false;
  return Object.entries(plain).every(([name, value]) => call[name] === value);
}

function check(rule) {
  const unknown = Object.keys(rule.match ?? {}).filter((name) => !MATCHES.includes(name));
  if (unknown.length > 0) throw new Error(`match: unknown ${unknown.join(", ")}`);
  if (rule.fault && !Object.keys(rule.fault).some((name) => FAULTS.includes(name))) {
    throw new Error(`fault: one of ${FAULTS.join(", ")} is needed`);
  }
  if (!rule.fault && !rule.before && !rule.after) throw new Error("fault, before or after is needed");
}

export class Faults {
  rules = [];
  serial = 0;

  /** Adds rules; answers their ids. */
  add(rules) {
    const list = Array.isArray(rules) ? rules : [rules];
    list.forEach(check);
    return list.map((rule) => {
      const { match = {}, skip = 0, times = null, fault = null, before = [], after = [] } = rule;
      const entry = { id: rule.id ?? `fault-${++this.serial}`, match, skip, times, fault, before, after, seen: 0, fired: 0, op_errors: [] };
      this.rules.push(entry);
      return entry.id;
    });
  }

  /** The rule that this call meets, or undefined; counts it. */
  take(call) {
    for (const rule of this.rules) {
      if (!matches(rule.match, call)) continue;
      if (rule.times !== null && rule.fired >= rule.times) continue;
      rule.seen += 1;
      if (rule.seen <= rule.skip) continue;
      rule.fired += 1;
      return rule;
    }
    return undefined;
  }

  reset() {
    this.rules = [];
  }
}
