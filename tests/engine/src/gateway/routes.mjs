// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Which call a method and path are. Pure. */

const API = "/client/v4";
const DEVELOPMENT = "/cdn-cgi/local/explorer/api";

// [method, path below …/workflows, kind, handler]
const ROUTES = [
  ["GET", "", "list", "workflows.list"],
  ["GET", "/settings", "read", "workflows.settings"],
  ["PATCH", "/settings", "other", "workflows.changeSettings"],
  ["GET", "/:workflow", "read", "workflows.detail"],
  ["GET", "/:workflow/versions", "list", "workflows.versions"],
  ["GET", "/:workflow/versions/:version", "other", "workflows.version"],
  ["GET", "/:workflow/instances", "list", "instances.list"],
  ["POST", "/:workflow/instances", "create", "instances.create"],
  ["POST", "/:workflow/instances/batch", "create", "instances.createBatch"],
  ["POST", "/:workflow/instances/batch/delete", "delete", "instances.deleteBatch"],
  ["POST", "/:workflow/instances/batch/terminate", "batch", "instances.terminateBatch"],
  ["GET", "/:workflow/instances/:instance", "read", "instances.detail"],
  ["DELETE", "/:workflow/instances/:instance", "delete", "instances.delete"],
  ["GET", "/:workflow/instances/:instance/step", "read", "instances.step"],
  ["PATCH", "/:workflow/instances/:instance/status", "patch", "instances.patch"],
  ["POST", "/:workflow/instances/:instance/events/:eventType", "event", "instances.event"],
].map(([method, path, kind, handler]) => ({ method, parts: path.split("/").slice(1), kind, handler }));

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function match(parts, pattern) {
  if (parts.length !== pattern.length) return null;
  const names = {};
  for (const [n, part] of pattern.entries()) {
    if (part.startsWith(":")) names[part.slice(1)] = decode(parts[n]);
    else if (part !== parts[n]) return null;
  }
  return names;
}

function workflowRoute(method, below) {
  const parts = below === "" ? [] : below.split("/").slice(1);
  const fitting = ROUTES.map((route) => ({ route, names: match(parts, route.parts) })).filter(({ names }) => names);
  const hit = fitting.find(({ route }) => route.method === method);
  if (hit) return { kind: hit.route.kind, handler: hit.route.handler, ...hit.names };
  return { kind: "other", handler: fitting.length > 0 ? "noMethod" : "noRoute" };
}

/**
 * `{kind, handler, account?, workflow?, instance?, …}` of a request. The path is taken as it came: a URL parser
 * would resolve `..` and turn a look at an instance into one at its workflow.
 */
export function routeOf(method, path) {
  if (path.startsWith(`${DEVELOPMENT}/`)) {
    const below = path.slice(DEVELOPMENT.length);
    const route = below.startsWith("/workflows") ? workflowRoute(method, below.slice("/workflows".length)) : { kind: "other" };
    return { ...route, handler: "development", developmentPath: below };
  }
  if (!path.startsWith(`${API}/`)) return { kind: "other", handler: "noRoute" };
  const below = path.slice(API.length);
  if (below === "/user/tokens/verify") return { kind: "other", handler: method === "GET" ? "verify" : "noMethod" };
  const [, account, rest] = /^\/accounts\/([^/]+)(\/.*)$/.exec(below) ?? [];
  if (account === undefined) return { kind: "other", handler: "noRoute" };
  if (rest === "/tokens/verify") return { kind: "other", handler: method === "GET" ? "verify" : "noMethod", account };
  if (rest === "/workflows" || rest.startsWith("/workflows/")) {
    return { account: decode(account), ...workflowRoute(method, rest.slice("/workflows".length)) };
  }
  return { kind: "other", handler: "noRoute", account };
}
