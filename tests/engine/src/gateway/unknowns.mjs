// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** What nobody can tell of production without an account: each is a setting, so that clients are tested under all of them. */

const DEFAULTS = {
  /** For so many calls of batch/terminate the answer is `already_running`, and nothing is processed. */
  terminate_already_running: 0,
  /** Added to the count that batch/terminate answers. */
  terminate_miscounts: 0,
  /** Ids that batch/terminate leaves as they are. */
  terminate_leaves: [],
  /** Ids that batch/terminate ends only later, and the milliseconds after which it does. */
  terminate_late: [],
  terminate_late_ms: 1000,
  /** The HTTP status beside the code 10405 (an instance exists already). */
  exists_status: 409,
  /** What a batch of creations does with ids that exist: `skipped`, or `refused` with all of the batch. */
  batch_existing: "skipped",
  /** How it answers: a `list` of those made, or an `object` with `created` and `errors`. */
  batch_form: "list",
  /** Ids that it makes, and leaves out of its answer. */
  batch_omits: [],
  /** Ids that it neither makes nor tells of. */
  batch_forgets: [],
  /** What becomes of an event to a finished instance: `accepted`, or `refused`. */
  events_to_finished: "accepted",
};

export class Unknowns {
  constructor() {
    this.reset();
  }

  /** Takes some of the settings; the others stay. */
  set(settings) {
    const strange = Object.keys(settings).filter((name) => !(name in DEFAULTS));
    if (strange.length > 0) throw new Error(`unknown ${strange.join(", ")}`);
    Object.assign(this, settings);
  }

  reset() {
    Object.assign(this, DEFAULTS);
  }

  /** True for as many calls as a setting counts. */
  takes(name) {
    if (this[name] <= 0) return false;
    this[name] -= 1;
    return true;
  }
}
