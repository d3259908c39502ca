// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * Watches the instances of workflows that somebody has subscribed to, and hands on what happens to them. It costs nothing
 * where nobody has subscribed.
 */

const RETRY_MS = 50;
const RETRIES = 100;

const key = (workflow, id) => `${workflow}\n${id}`;

export class Watches {
  /** @param isWanted whether anybody has subscribed to a workflow */
  constructor(engine, instances, isWanted) {
    Object.assign(this, { engine, instances, isWanted });
    this.reset();
  }

  reset() {
    this.running = new Set(); // keys
    this.seen = new Map(); // key -> `type moment` of each event
  }

  /** Whether an event was not seen yet: a subscription that is taken up again tells everything once more. */
  isNew({ workflow, instance, type, at }) {
    const place = key(workflow, instance);
    const seen = this.seen.get(place) ?? new Set();
    this.seen.set(place, seen);
    const event = `${type} ${at}`;
    return !seen.has(event) && Boolean(seen.add(event));
  }

  /** Somebody has subscribed to a workflow: what happens to its instances from now on counts. */
  async begin(workflow) {
    const since = Date.now();
    for (const { id } of await this.instances.all(workflow)) this.watch(workflow, id, since);
  }

  /** An instance has been created, or restarted: its events from then on count. */
  watch(workflow, id, since) {
    if (!this.isWanted(workflow) || this.running.has(key(workflow, id))) return;
    this.running.add(key(workflow, id));
    this.#follow(workflow, id, since).finally(() => this.running.delete(key(workflow, id)));
  }

  async #follow(workflow, id, since) {
    for (let attempt = 0; attempt < RETRIES && this.isWanted(workflow); attempt += 1) {
      const answer = await this.engine.watch(workflow, id, since).catch((error) => ({ error: String(error) }));
      if (answer?.ended || !this.instances.has(workflow, id)) return;
      // A restart ends the engine that was subscribed to; the new one has its own log.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
