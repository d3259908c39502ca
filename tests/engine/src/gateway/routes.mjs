// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Which call a method and path are. Pure. */

const API = "/client/v4";
const DEVELOPMENT = "/cdn-cgi/local/explorer/api";

// resource -> [method, path below it, kind, handler]
const ROUTES = Object.entries({
  workflows: [
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
  ],
  queues: [
    ["GET", "", "other", "queues.list"],
    ["POST", "", "other", "queues.create"],
    ["GET", "/:queue", "other", "queues.detail"],
    ["PATCH", "/:queue", "other", "queues.change"],
    ["DELETE", "/:queue", "other", "queues.delete"],
    ["GET", "/:queue/consumers", "other", "queues.consumers"],
    ["POST", "/:queue/consumers", "other", "queues.addConsumer"],
    ["PUT", "/:queue/consumers/:consumer", "other", "queues.changeConsumer"],
    ["DELETE", "/:queue/consumers/:consumer", "other", "queues.removeConsumer"],
    ["POST", "/:queue/messages/pull", "pull", "queues.pull"],
    ["POST", "/:queue/messages/ack", "ack", "queues.acknowledge"],
    ["GET", "/:queue/metrics", "other", "queues.metrics"],
  ],
  "event_subscriptions/subscriptions": [
    ["GET", "", "other", "subscriptions.list"],
    ["POST", "", "other", "subscriptions.create"],
    ["GET", "/:subscription", "other", "subscriptions.detail"],
    ["PATCH", "/:subscription", "other", "subscriptions.change"],
    ["DELETE", "/:subscription", "other", "subscriptions.delete"],
  ],
}).map(([resource, routes]) => ({
  resource,
  routes: routes.map(([method, path, kind, handler]) => ({ method, parts: path.split("/").slice(1), kind, handler })),
}));

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

/** The route of a path below the account, or below a development session's root; null where no resource is at its beginning. */
function resourceRoute(method, path) {
  const found = ROUTES.find(({ resource }) => path === `/${resource}` || path.startsWith(`/${resource}/`));
  if (!found) return null;
  const below = path.slice(found.resource.length + 1);
  const parts = below === "" ? [] : below.split("/").slice(1);
  const fitting = found.routes.map((route) => ({ route, names: match(parts, route.parts) })).filter(({ names }) => names);
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
    const route = resourceRoute(method, below) ?? { kind: "other" };
    return { ...route, handler: "development", developmentPath: below };
  }
  if (!path.startsWith(`${API}/`)) return { kind: "other", handler: "noRoute" };
  const below = path.slice(API.length);
  if (below === "/user/tokens/verify") return { kind: "other", handler: method === "GET" ? "verify" : "noMethod" };
  const [, account, rest] = /^\/accounts\/([^/]+)(\/.*)$/.exec(below) ?? [];
  if (account === undefined) return { kind: "other", handler: "noRoute" };
  if (rest === "/tokens/verify") return { kind: "other", handler: method === "GET" ? "verify" : "noMethod", account };
  const route = resourceRoute(method, rest);
  return route ? { account: decode(account), ...route } : { kind: "other", handler: "noRoute", account };
}
