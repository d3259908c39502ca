// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * A miniflare plugin with one binding type: the namespace of the Durable Objects in which the engine keeps the
 * instances of a workflow. The engine's REST looks at one instance per call and at all of them per list; through
 * this, the probe worker looks at exactly those that a page needs, in one call.
 */

const TYPE = "workflow-engine";

export const plugins = {
  [TYPE]: {
    bindingTypeDescription: "Workflow engine namespace",
    getBindings({ config }) {
      return Object.entries(config.env ?? {})
        .filter(([, binding]) => binding.type === `unsafe:${TYPE}`)
        .map(([name, binding]) => ({
          name,
          durableObjectNamespace: { className: "Engine", serviceName: `workflows:${binding.dev.options.workflow}` },
        }));
    },
    getNodeBindings() {
      return {};
    },
    async getServices() {
      return [];
    },
  },
};

/** The binding's name in the probe for a workflow. */
export function bindingName(workflow) {
  return `ENGINE_${workflow}`;
}

/** miniflare's option for a worker to have the engine namespaces of these workflows. */
export function engineBindings(workflows, pluginPath) {
  return workflows.map((workflow) => ({
    name: bindingName(workflow),
    type: TYPE,
    plugin: { package: pluginPath, name: TYPE },
    options: { workflow },
  }));
}
