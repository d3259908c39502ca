// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The index of instances: which exist, in the order of their creation, and what the engine says of them now.
 * The engine names its files after a hash of the id and lists phantoms, so the index keeps who is who.
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

// A file that changed so shortly before a look may have changed again within the same tick of its clock.
const SETTLED_NS = 100_000_000n;
const CHUNK = 100;

const chunks = (list) => Array.from({ length: Math.ceil(list.length / CHUNK) }, (_, n) => list.slice(n * CHUNK, (n + 1) * CHUNK));
const remember = (stamp, facts) => (stamp?.settled ? { stamp: stamp.text, facts } : null);
const byAge = (a, b) => a.created - b.created || a.seq - b.seq;

class WorkflowIndex {
  entries = []; // oldest first
  byId = new Map();
  byHex = new Map();
  phantoms = new Map(); // hex -> the stamp at which it was one
}

export class Instances {
  serial = 0;
  /** How many looks at an instance the engine was asked for. */
  looks = 0;

  /** @param {(workflow: string, id: string) => void} onGone told of each instance that no longer exists */
  constructor(engine, workflows, onGone) {
    this.engine = engine;
    this.onGone = onGone;
    this.workflows = new Map(workflows.map((name) => [name, new WorkflowIndex()]));
  }

  knows(workflow) {
    return this.workflows.has(workflow);
  }

  /** True where the index has this instance already. */
  has(workflow, id) {
    return this.workflows.get(workflow).byId.has(id);
  }

  /** The entry of an instance as far as the index knows it, or undefined. */
  known(workflow, id) {
    return this.workflows.get(workflow)?.byId.get(id);
  }

  /** Enters an instance that is being created now. */
  add(workflow, id, { created = Date.now(), triggerSource = "api", versionId } = {}) {
    const index = this.workflows.get(workflow);
    const entry = { id, created, seq: ++this.serial, hex: null, triggerSource, versionId, look: null };
    index.byId.set(id, entry);
    let at = index.entries.length;
    while (at > 0 && byAge(index.entries[at - 1], entry) > 0) at -= 1;
    index.entries.splice(at, 0, entry);
    return entry;
  }

  /** Forgets instances that are gone. */
  remove(workflow, ids) {
    const index = this.workflows.get(workflow);
    const gone = new Set(ids);
    for (const id of gone) {
      const entry = index.byId.get(id);
      if (entry?.hex) index.byHex.delete(entry.hex);
      index.byId.delete(id);
      this.onGone(workflow, id);
    }
    index.entries = index.entries.filter((entry) => !gone.has(entry.id));
  }

  /** Where the instance's writes go first; its stamp changes with every change of the instance. */
  #stamp(workflow, hex) {
    const base = join(this.engine.folder(workflow), `${hex}.sqlite`);
    for (const path of [`${base}-wal`, base]) {
      try {
        const { mtimeNs, size } = statSync(path, { bigint: true });
        return { text: `${mtimeNs}:${size}`, settled: BigInt(Date.now()) * 1_000_000n - mtimeNs > SETTLED_NS };
      } catch {
        // not there: try the other
      }
    }
    return null;
  }

  /** Brings the index up to date with the engine's files: instances also come and go by development sessions. */
  async refresh(workflow) {
    const index = this.workflows.get(workflow);
    const present = new Set();
    try {
      for (const name of readdirSync(this.engine.folder(workflow))) {
        if (name.endsWith(".sqlite") && name !== "metadata.sqlite") present.add(name.slice(0, -".sqlite".length));
      }
    } catch {
      return; // no instance was ever created
    }
    const gone = index.entries.filter((entry) => entry.hex && !present.has(entry.hex)).map((entry) => entry.id);
    if (gone.length > 0) this.remove(workflow, gone);
    const unknown = [...present].filter(
      (hex) => !index.byHex.has(hex) && !(index.phantoms.has(hex) && index.phantoms.get(hex) === this.#stamp(workflow, hex)?.text),
    );
    for (const hexes of chunks(unknown)) {
      const stamps = new Map(hexes.map((hex) => [hex, this.#stamp(workflow, hex)]));
      this.looks += hexes.length;
      for (const { hex, id, facts } of await this.engine.probe("look", workflow, { hexes })) {
        if (id === undefined) {
          index.phantoms.set(hex, stamps.get(hex)?.text);
          continue;
        }
        const entry = index.byId.get(id) ?? this.add(workflow, id, { created: Date.parse(facts.created) });
        entry.hex = hex;
        entry.look = remember(stamps.get(hex), facts);
        index.byHex.set(hex, entry);
        index.phantoms.delete(hex);
      }
    }
  }

  /** The entry of an existing instance, or undefined. Never asks the engine about an id that it does not have. */
  async find(workflow, id) {
    const index = this.workflows.get(workflow);
    if (!index.byId.has(id)) await this.refresh(workflow);
    return index.byId.get(id);
  }

  /** All entries, oldest first. */
  async all(workflow) {
    await this.refresh(workflow);
    return this.workflows.get(workflow).entries;
  }

  /**
   * The engine's facts of these entries now, in their order; null where one is gone. An instance whose files have
   * not changed since the last look is not asked again: so long lists stay fast.
   */
  async look(workflow, entries) {
    const index = this.workflows.get(workflow);
    const known = entries.map((entry) => entry.look);
    const stamps = entries.map((entry) => (entry.hex ? this.#stamp(workflow, entry.hex) : null));
    const stale = entries.filter((_entry, n) => !known[n] || !stamps[n] || known[n].stamp !== stamps[n].text);
    const stampOf = new Map(entries.map((entry, n) => [entry, stamps[n]]));
    const found = new Map();
    this.looks += stale.length;
    for (const some of chunks(stale)) {
      const answers = await this.engine.probe("look", workflow, { ids: some.map((entry) => entry.id) });
      for (const [n, answer] of answers.entries()) {
        const entry = some[n];
        if (answer.error) throw new Error(answer.error);
        found.set(entry, answer.facts ?? null);
        if (!answer.facts) continue;
        if (!entry.hex) {
          entry.hex = answer.hex;
          index.byHex.set(answer.hex, entry);
        }
        entry.look = remember(stampOf.get(entry), answer.facts);
      }
    }
    return entries.map((entry, n) => (found.has(entry) ? found.get(entry) : known[n].facts));
  }
}
