// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Production's envelopes. An answer is `{status, json}` or `{status, text, contentType}`, with `headers` at times. */

/** A success. */
export function ok(result, extra = {}) {
  return { status: 200, json: { success: true, errors: [], messages: [], result, ...extra } };
}

/** A failure with one error. */
export function failure(status, code, message, headers = {}) {
  return { status, headers, json: { success: false, errors: [{ code, message }], messages: [], result: null } };
}

const word = (name) => `workflows.api.error.${name}`;

export const errors = {
  badBody: (why) => failure(400, 10002, `${word("invalid_body")}: ${why}`),
  badQuery: (why) => failure(400, 10002, `${word("invalid_query")}: ${why}`),
  invalidId: () => failure(400, 10002, word("instance.invalid_id")),
  workflowNotFound: () => failure(404, 10200, word("workflow.not_found")),
  versionNotFound: () => failure(404, 10300, word("version.not_found")),
  instanceNotFound: () => failure(404, 10400, word("instance.not_found")),
  stepNotFound: () => failure(404, 10400, word("step.not_found")),
  cannotTerminate: () => failure(409, 10401, word("instance.cannot_terminate")),
  // Production's code for this one is not public; what clients can rely on is the word.
  cannotRestart: () => failure(409, 10499, `${word("instance.cannot_restart")}: Instance not in a restartable state`),
  alreadyExists: (status = 409) => failure(status, 10405, word("instance.already_exists")),
  notRunning: () => failure(409, 10499, `${word("instance.not_running")}: the instance takes no events`),
  badRange: () => failure(400, 10502, `${word("invalid_query")}: date_start is after date_end`),
  duplicateInBatch: () => failure(400, 10415, word("instance.duplicate_in_batch")),
  internal: (why) => failure(500, 10001, `${word("internal_server")}${why ? `: ${why}` : ""}`),
  noRoute: (path) => failure(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`),
  noMethod: (method) => failure(405, 7001, `Method ${method} not available for that URI.`),
};
