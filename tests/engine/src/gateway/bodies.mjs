// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** What production accepts in the bodies of its calls. Each parser answers the value, or throws a refusal. */

import { errors } from "./answers.mjs";

const INSTANCE_ID = /^[a-zA-Z0-9_][a-zA-Z0-9-_]*$/;
const RESERVED_ID = /^(cf_[0-9a-f]{64}|batch|terminate|terminateAll)$/;
const RETENTION = /^\d+\s+(second|minute|hour|day|week|month|year)s?$/;
const MIB = 1024 * 1024;
const CREATION_KEYS = ["instance_id", "params", "instance_retention", "location_hint"];
const ACTIONS = ["pause", "resume", "restart", "terminate"];
const STEP_TYPES = ["do", "sleep", "waitForEvent"];

/** Carries the answer that refuses a call. */
export class Refusal extends Error {
  constructor(answer) {
    super(answer.json.errors[0].message);
    this.answer = answer;
  }
}

const refuse = (why) => {
  throw new Refusal(errors.badBody(why));
};

/** Any JSON; an empty body is `fallback` where one is given. */
export function parseJson(text, fallback) {
  if (text === "" && fallback !== undefined) return fallback;
  try {
    return JSON.parse(text);
  } catch {
    return refuse("not JSON");
  }
}

function parseObject(text, fallback) {
  const value = parseJson(text, fallback);
  if (value === null || typeof value !== "object" || Array.isArray(value)) refuse("an object is needed");
  return value;
}

function checkFrom(from) {
  if (from === null || typeof from !== "object" || Array.isArray(from)) refuse("from must be an object");
  const { name, count, type } = from;
  if (typeof name !== "string" || name.length < 1 || name.length > 256) refuse("from.name must have 1 to 256 characters");
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) refuse("from.count must be a positive integer");
  if (type !== undefined && !STEP_TYPES.includes(type)) refuse(`from.type must be one of ${STEP_TYPES.join(", ")}`);
}

/** The body of PATCH …/status. */
export function parseAction(text) {
  const body = parseObject(text);
  if (!ACTIONS.includes(body.status)) refuse(`status must be one of ${ACTIONS.join(", ")}`);
  if (body.from !== undefined) {
    if (body.status !== "restart") refuse("from goes with restart only");
    checkFrom(body.from);
  }
  if (body.rollback !== undefined && (body.status !== "terminate" || typeof body.rollback !== "boolean")) {
    refuse("rollback is a boolean and goes with terminate only");
  }
  return body;
}

function checkRetention(retention) {
  if (retention === null || typeof retention !== "object" || Array.isArray(retention)) refuse("retention must be an object");
  for (const [name, value] of Object.entries(retention)) {
    if (!["success_retention", "error_retention"].includes(name)) refuse(`retention has no ${name}`);
    if (!Number.isInteger(value) && !(typeof value === "string" && RETENTION.test(value))) {
      refuse("Duration must be a number or a string in format '{{number}} {{unit}}'");
    }
  }
}

function parseOne(item) {
  if (item === null || typeof item !== "object" || Array.isArray(item)) refuse("an object is needed");
  const strange = Object.keys(item).filter((name) => !CREATION_KEYS.includes(name));
  if (strange.length > 0) refuse(`unknown ${strange.join(", ")}`);
  const { instance_id: id, params, instance_retention: retention } = item;
  if (id !== undefined && (typeof id !== "string" || id.length > 100 || !INSTANCE_ID.test(id) || RESERVED_ID.test(id))) {
    throw new Refusal(errors.invalidId());
  }
  if (params !== undefined && typeof params !== "string") refuse("params must be a JSON string");
  if (params !== undefined && Buffer.byteLength(params) > MIB) refuse("params must not exceed 1 MiB");
  if (retention !== undefined) checkRetention(retention);
  return { id, params: params === undefined ? {} : parseJson(params) };
}

/** The body of POST …/instances. */
export function parseCreation(text) {
  return parseOne(parseJson(text, {}));
}

/** The body of POST …/instances/batch. */
export function parseBatch(text) {
  const items = parseJson(text);
  if (Buffer.byteLength(text) > MIB) refuse("a batch must not exceed 1 MiB");
  if (!Array.isArray(items) || items.length < 1 || items.length > 100) refuse("1 to 100 instances are needed");
  const parsed = items.map(parseOne);
  const ids = parsed.map(({ id }) => id).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) throw new Refusal(errors.duplicateInBatch());
  return parsed;
}

function checkIds(ids) {
  if (!Array.isArray(ids) || ids.length < 1 || ids.length > 100 || ids.some((id) => typeof id !== "string" || id === "")) {
    refuse("1 to 100 instances are needed");
  }
  return ids;
}

/** The body of POST …/events/{type}. */
export function parseEvent(text) {
  if (Buffer.byteLength(text) > MIB) refuse("the payload must not exceed 1 MiB");
  return parseJson(text, null);
}

/** The body of PATCH …/settings. */
export function parseSettings(text) {
  const { default_retention: retention } = parseObject(text);
  checkRetention(retention);
  return { default_retention: retention };
}

/** The body of POST …/instances/batch/delete. */
export function parseDeletion(text) {
  return checkIds(parseObject(text).instances);
}

/** The body of POST …/instances/batch/terminate. */
export function parseTermination(text) {
  return checkIds(parseJson(text));
}
