// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** What the engine's own event rows of an instance say beyond its status. Pure; runs inside workerd. */

export const EVENT = {
  WORKFLOW_QUEUED: 0,
  WORKFLOW_START: 1,
  WORKFLOW_SUCCESS: 2,
  WORKFLOW_FAILURE: 3,
  WORKFLOW_TERMINATED: 4,
  STEP_START: 5,
  STEP_SUCCESS: 6,
  STEP_FAILURE: 7,
  SLEEP_START: 8,
  SLEEP_COMPLETE: 9,
  ATTEMPT_START: 10,
  ATTEMPT_SUCCESS: 11,
  ATTEMPT_FAILURE: 12,
  WAIT_START: 14,
  WAIT_COMPLETE: 15,
  WAIT_TIMED_OUT: 16,
  ROLLBACK_START: 17,
  ROLLBACK_STEP_START: 18,
  ROLLBACK_ATTEMPT_START: 19,
  ROLLBACK_ATTEMPT_SUCCESS: 20,
  ROLLBACK_ATTEMPT_FAILURE: 21,
  ROLLBACK_STEP_SUCCESS: 22,
  ROLLBACK_STEP_FAILURE: 23,
  ROLLBACK_COMPLETE: 24,
  ROLLBACK_FAILED: 25,
};

export const STATUS = ["queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting"];
const FINISHED = new Set(["errored", "terminated", "complete"]);

const CLOSED = new Set([EVENT.STEP_SUCCESS, EVENT.STEP_FAILURE, EVENT.SLEEP_COMPLETE, EVENT.WAIT_COMPLETE, EVENT.WAIT_TIMED_OUT]);
const HIBERNATING = new Set([EVENT.SLEEP_START, EVENT.WAIT_START, EVENT.ATTEMPT_FAILURE]);

/** True when something is open and all of it sleeps, waits for an event or for its next attempt. */
export function hibernates(rows) {
  const latest = new Map();
  for (const row of rows) {
    if (row.group && !row.group.startsWith("rollback:")) latest.set(row.group, row.event);
  }
  const open = [...latest.values()].filter((event) => !CLOSED.has(event));
  return open.length > 0 && open.every((event) => HIBERNATING.has(event));
}

/** `rollingBack`, and the rollback's outcome as production reports it. */
export function rollbackOf(rows, finished) {
  const marks = [EVENT.ROLLBACK_START, EVENT.ROLLBACK_COMPLETE, EVENT.ROLLBACK_FAILED];
  const mark = rows.findLast((row) => marks.includes(row.event))?.event;
  if (mark === undefined) return { rollingBack: false, rollback: null };
  if (mark === EVENT.ROLLBACK_START) return { rollingBack: !finished, rollback: null };
  if (mark === EVENT.ROLLBACK_COMPLETE) return { rollingBack: false, rollback: { outcome: "complete", error: null } };
  // The step's own failure has the name only; the message is with its last attempt.
  const errorOf = (event) => rows.findLast((row) => row.event === event)?.metadata?.error;
  const failure = errorOf(EVENT.ROLLBACK_ATTEMPT_FAILURE) ?? errorOf(EVENT.ROLLBACK_STEP_FAILURE);
  const error = { name: failure?.name ?? "Error", message: failure?.message ?? "" };
  return { rollingBack: false, rollback: { outcome: "failed", error } };
}

/** The rollback handlers as entries of the step log. */
export function rollbackSteps(rows) {
  const groups = new Map();
  for (const row of rows) {
    if (row.group && row.event >= EVENT.ROLLBACK_STEP_START && row.event <= EVENT.ROLLBACK_STEP_FAILURE) {
      groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
    }
  }
  return [...groups.values()].map((group) => {
    const start = group[0];
    const end = group.findLast((row) => [EVENT.ROLLBACK_STEP_SUCCESS, EVENT.ROLLBACK_STEP_FAILURE].includes(row.event));
    const attempts = group
      .filter((row) => row.event === EVENT.ROLLBACK_ATTEMPT_START)
      .map((row) => {
        const of = (event) => group.find((other) => other.event === event && other.metadata?.attempt === row.metadata?.attempt);
        const good = of(EVENT.ROLLBACK_ATTEMPT_SUCCESS);
        const bad = of(EVENT.ROLLBACK_ATTEMPT_FAILURE);
        return {
          start: row.timestamp,
          end: (good ?? bad)?.timestamp ?? null,
          success: good ? true : bad ? false : null,
          error: bad?.metadata?.error ?? null,
        };
      });
    return {
      name: start.target ?? "",
      type: "rollback",
      start: start.timestamp,
      end: end?.timestamp ?? null,
      success: end ? end.event === EVENT.ROLLBACK_STEP_SUCCESS : null,
      config: start.metadata?.config ?? null,
      attempts,
    };
  });
}

/** The fields of a detail without its steps, as the engine's REST has them. */
export function detailOf(rows) {
  const first = (event) => rows.find((row) => row.event === event);
  const success = first(EVENT.WORKFLOW_SUCCESS);
  const failure = first(EVENT.WORKFLOW_FAILURE);
  const steps = rows.filter(({ event }) => [EVENT.STEP_START, EVENT.SLEEP_START, EVENT.WAIT_START].includes(event));
  return {
    params: first(EVENT.WORKFLOW_QUEUED)?.metadata?.params ?? null,
    queued: first(EVENT.WORKFLOW_QUEUED)?.timestamp ?? null,
    start: first(EVENT.WORKFLOW_START)?.timestamp ?? null,
    end: (success ?? failure ?? first(EVENT.WORKFLOW_TERMINATED))?.timestamp ?? null,
    output: success?.metadata?.result ?? null,
    error: failure?.metadata?.error ?? null,
    step_count: new Set(steps.map(({ group }) => group)).size,
  };
}

/** Everything the gateway needs to know of an instance, small enough to fetch by the hundred. */
export function factsOf(metadata, rows) {
  const engineStatus = STATUS[metadata.status] ?? "unknown";
  const finished = FINISHED.has(engineStatus);
  const at = (event) => rows.find((row) => row.event === event)?.timestamp ?? null;
  const { rollingBack, rollback } = rollbackOf(rows, finished);
  let status = engineStatus;
  if (rollingBack) status = "rollingBack";
  else if (engineStatus === "running" && hibernates(rows)) status = "waiting";
  return {
    status,
    engineStatus,
    created: metadata.createdOn,
    started: at(EVENT.WORKFLOW_START),
    ended: at(EVENT.WORKFLOW_SUCCESS) ?? at(EVENT.WORKFLOW_FAILURE) ?? at(EVENT.WORKFLOW_TERMINATED),
    modified: rows.at(-1)?.timestamp ?? metadata.createdOn,
    rollback,
  };
}
