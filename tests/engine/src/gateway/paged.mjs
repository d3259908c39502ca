// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Pages of a list by their number. Pure. */

/** `{result, result_info}` of the page that a query asks for. */
export function paged(items, query, defaultSize) {
  const params = new URLSearchParams(query);
  const page = Math.max(1, Number(params.get("page") ?? 1) || 1);
  const perPage = Math.min(100, Math.max(1, Number(params.get("per_page") ?? defaultSize) || defaultSize));
  const result = items.slice((page - 1) * perPage, page * perPage);
  return {
    result,
    result_info: {
      count: result.length,
      page,
      per_page: perPage,
      total_count: items.length,
      total_pages: Math.ceil(items.length / perPage),
    },
  };
}
