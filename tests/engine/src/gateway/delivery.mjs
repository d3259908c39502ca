// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** How an answer leaves: whole, or as a fault has it. */

import { setTimeout as delay } from "node:timers/promises";
import { failure } from "./answers.mjs";

const MEGABYTE = 1024 * 1024;

const bodyOf = (answer) => Buffer.from(answer.text ?? JSON.stringify(answer.json));

function head(response, answer, body, headers) {
  response.writeHead(answer.status, {
    "Content-Type": answer.contentType ?? "application/json; charset=UTF-8",
    "Content-Length": body.length,
    ...headers,
    ...answer.headers,
  });
}

/** Sends an answer as it should be. */
export function send(response, answer, headers) {
  const body = bodyOf(answer);
  head(response, answer, body, headers);
  response.end(body);
  return answer.status;
}

function reset(response) {
  const { socket } = response;
  // A TLS socket can't be reset itself; the one below it can.
  (socket._parent ?? socket).resetAndDestroy();
  return "reset";
}

function close(response) {
  response.socket.destroy();
  return "closed";
}

const clientIsGone = (response) => response.destroyed || response.socket?.destroyed;

/** Waits so long, or until the client has gone away. */
function patiently(response, ms) {
  if (clientIsGone(response)) return undefined;
  const gone = new Promise((resolve) => response.once("close", resolve));
  return Promise.race([gone, delay(ms, undefined, { ref: false })]);
}

async function cut(response, answer, headers) {
  const body = bodyOf(answer);
  head(response, answer, body, headers);
  await new Promise((resolve) => response.write(body.subarray(0, Math.ceil(body.length / 2)), resolve));
  response.socket.destroy();
  return "cut";
}

async function drip(response, answer, headers, { chunk_bytes: size = 16, every_ms: every = 100 }) {
  const body = bodyOf(answer);
  head(response, answer, body, headers);
  for (let at = 0; at < body.length; at += size) {
    if (clientIsGone(response)) return "closed";
    response.write(body.subarray(at, at + size));
    await delay(every);
  }
  response.end();
  return answer.status;
}

/** The envelope with padding before its end, sent as fast as the client reads. */
async function huge(response, answer, headers, megabytes) {
  const json = Buffer.from(JSON.stringify(answer.json));
  const start = Buffer.concat([json.subarray(0, json.length - 1), Buffer.from(',"padding":"')]);
  const end = Buffer.from('"}');
  const chunk = Buffer.alloc(MEGABYTE, "x");
  response.writeHead(answer.status, {
    "Content-Type": "application/json",
    "Content-Length": start.length + megabytes * MEGABYTE + end.length,
    ...headers,
    ...answer.headers,
  });
  response.write(start);
  for (let n = 0; n < megabytes; n += 1) {
    if (clientIsGone(response)) return "closed";
    if (!response.write(chunk)) {
      await Promise.race([
        new Promise((resolve) => response.once("drain", resolve)),
        new Promise((resolve) => response.once("close", resolve)),
      ]);
    }
  }
  response.end(end);
  return answer.status;
}

function instead(fault) {
  const { status, body, retry_after: retryAfter, code, message } = fault;
  const headers = { ...fault.headers };
  if (retryAfter !== undefined) headers["Retry-After"] = String(retryAfter);
  if (typeof body === "string") return { status, text: body, headers, contentType: headers["Content-Type"] ?? "text/html; charset=UTF-8" };
  if (body !== undefined) return { status, json: body, headers };
  const words = status === 429 ? [10429, "workflows.api.error.rate_limit.exceeded"] : [10001, "workflows.api.error.internal_server"];
  return failure(status, code ?? words[0], message ?? words[1], headers);
}

async function hang(response, work, headers, fault) {
  const early = fault.work === "before" ? await work() : null;
  await (fault.work === "later" ? delay(fault.hang_ms) : patiently(response, fault.hang_ms));
  if (fault.work === "never") return clientIsGone(response) ? "closed" : close(response);
  if (fault.work !== "later" && early === null && clientIsGone(response)) return "closed";
  const answer = early ?? (await work());
  return clientIsGone(response) ? "closed" : send(response, answer, headers);
}

/**
 * Answers a call that meets a fault.
 * @param work does the work of the call once and resolves to its answer
 * @returns {Promise<number|string>} the HTTP status that went out, or "reset", "cut", "closed"
 */
export async function sendFaulty(response, work, headers, fault) {
  if (fault.hang_ms !== undefined) return hang(response, work, headers, { work: "before", ...fault });
  if (fault.reset === "before") return reset(response);
  if (fault.redirect !== undefined) {
    return send(response, { status: fault.status ?? 302, text: "", headers: { Location: fault.redirect } }, headers);
  }
  if (fault.raw !== undefined) {
    if (fault.work) await work();
    return send(response, { status: fault.status ?? 200, text: fault.raw, contentType: fault.content_type ?? "text/html" }, headers);
  }
  if (fault.huge_mb !== undefined) {
    const answer = fault.work === false ? { status: 200, json: { success: true, errors: [], messages: [], result: {} } } : await work();
    return huge(response, answer, headers, fault.huge_mb);
  }
  if (fault.envelope !== undefined || fault.remove !== undefined) {
    const answer = await work();
    const json = { ...answer.json, ...fault.envelope };
    for (const name of fault.remove ?? []) delete json[name];
    return send(response, { ...answer, status: fault.status ?? answer.status, json }, headers);
  }
  if (fault.status !== undefined) {
    if (fault.work) await work();
    return send(response, instead(fault), headers);
  }
  const answer = await work();
  if (fault.reset) return reset(response);
  if (fault.cut) return cut(response, answer, headers);
  return drip(response, answer, headers, fault.drip);
}
