// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * Starts the engine, the gateway and the control endpoint, prints one line of JSON, and stops when told to, or when
 * its standard input ends: whoever started it is gone then.
 *
 *     node main.mjs '{"packages": DIR with node_modules, "state": DIR for instances, "scratch": DIR to remove at the end, or null}'
 */

import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { Control, PREFIX } from "./control/control.mjs";
import { Engine, WORKFLOWS } from "./engine.mjs";
import { Api } from "./gateway/api.mjs";
import { Auth } from "./gateway/auth.mjs";
import { Calls } from "./gateway/calls.mjs";
import { Faults } from "./gateway/faults.mjs";
import { Gateway } from "./gateway/gateway.mjs";
import { InstanceApi } from "./gateway/instance-api.mjs";
import { Instances } from "./gateway/instances.mjs";
import { Listing, uuidOf } from "./gateway/listing.mjs";
import { Ops } from "./gateway/ops.mjs";
import { Overlays } from "./gateway/overlay.mjs";
import { QueueApi } from "./gateway/queue-api.mjs";
import { Queues } from "./gateway/queues.mjs";
import { Quota } from "./gateway/quota.mjs";
import { SubscriptionApi } from "./gateway/subscription-api.mjs";
import { Unknowns } from "./gateway/unknowns.mjs";
import { Watches } from "./gateway/watches.mjs";
import { Work } from "./gateway/work.mjs";
import { WorkflowApi } from "./gateway/workflow-api.mjs";
import { readBody } from "./http.mjs";
import { Recorder } from "./recorder.mjs";
import { selfSigned } from "./tls.mjs";

const options = JSON.parse(process.argv[2]);
// Longer than any client keeps a connection: one closed by us just as it is used again would look like a fault.
const KEEP_ALIVE_MS = 10 * 60 * 1000;
const STOP_MS = 8000;

function build() {
  const recorder = new Recorder();
  const queues = new Queues();
  const engine = new Engine(
    options.packages,
    options.state,
    (request, response) => recorder.handle(request, response),
    (request, response) => takeEvents(request, response),
  );
  const instances = new Instances(engine, Object.keys(WORKFLOWS), (workflow, id) => recorder.forget(workflow, id));
  const overlays = new Overlays();
  const listing = new Listing(instances, overlays);
  const watches = new Watches(engine, instances, (workflow) => queues.isSubscribed(workflow));
  const work = new Work(engine, instances, watches);
  const [auth, calls, faults, quota, unknowns] = [new Auth(), new Calls(), new Faults(), new Quota(), new Unknowns()];
  const ops = new Ops({ engine, instances, work, overlays, recorder });
  const instanceApi = new InstanceApi({ work, instances, listing, overlays, unknowns });
  const workflowApi = new WorkflowApi({ instances, listing });
  const queueApi = new QueueApi(queues);
  const subscriptionApi = new SubscriptionApi({ queues, instances, watches });
  const versionOf = (workflow, id) => instances.known(workflow, id)?.versionId ?? uuidOf(`${workflow} version 2`);
  const takeEvents = async (request, response) => {
    const { events } = JSON.parse(await readBody(request));
    queues.deliver(
      events.filter((event) => watches.isNew(event)),
      auth.accountId,
      versionOf,
    );
    response.end("{}");
  };
  const api = new Api({ auth, engine, instances, instanceApi, workflowApi, queueApi, subscriptionApi });
  const gateway = new Gateway({ api, auth, calls, faults, ops, quota });
  const control = new Control({
    auth,
    calls,
    engine,
    faults,
    gateway,
    instances,
    ops,
    overlays,
    queues,
    quota,
    recorder,
    unknowns,
    watches,
    work,
  });
  return { auth, engine, gateway, control };
}

function listen(server) {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 0;
  server.on("clientError", (_, socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", 1024, () => resolve(server.address().port));
  });
}

const { auth, engine, gateway, control } = build();
const serve = (request, response) => (request.url.startsWith(`${PREFIX}/`) ? control : gateway).serve(request, response);
const { key, cert } = selfSigned();
const certificatePath = join(options.state, "gateway-ca.pem");
const servers = [createServer(serve), createTlsServer({ key, cert }, serve)];

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  // Whatever holds the engine up must not hold up the end of the process.
  setTimeout(() => process.exit(1), STOP_MS).unref();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(certificatePath, { force: true });
  await engine.stop().catch(() => {});
  if (options.scratch) rmSync(options.scratch, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, stop);
process.stdin.on("end", stop).on("error", stop).resume();
// A client that goes away in the middle of an answer is part of what is tested here.
process.on("uncaughtException", (error) => console.error(error));
process.on("unhandledRejection", (error) => console.error(error));

await engine.start();
const [port, tlsPort] = await Promise.all(servers.map(listen));
writeFileSync(certificatePath, cert);
console.log(
  JSON.stringify({
    api_url: `http://127.0.0.1:${port}/client/v4`,
    tls_url: `https://127.0.0.1:${tlsPort}/client/v4`,
    tls_ca: certificatePath,
    dev_url: engine.developmentUrl,
    dev_gateway_url: `http://127.0.0.1:${port}/cdn-cgi/local/explorer/api`,
    control_url: `http://127.0.0.1:${port}${PREFIX}`,
    account_id: auth.accountId,
    api_token: auth.own.token,
    api_email: auth.own.email,
    api_key: auth.own.key,
    pid: process.pid,
    workflows: Object.keys(WORKFLOWS),
  }),
);
