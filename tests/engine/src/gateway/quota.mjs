// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** The rate limit: so many calls in a window; past it, everything is refused for a while. */

import { failure } from "./answers.mjs";

export class Quota {
  settings = null;

  /** @param settings as `POST /quota` describes them, or null for no limit */
  set(settings) {
    if (settings !== null && !(settings.limit >= 0)) throw new Error("limit: a number of calls is needed");
    this.settings = settings && {
      limit: settings.limit,
      windowMs: (settings.window_s ?? 300) * 1000,
      blockMs: (settings.block_s ?? 300) * 1000,
      headers: settings.headers ?? true,
      retryAfter: settings.retry_after ?? true,
      authErrors: settings.auth_errors_after_429 ?? 0,
      policy: settings.policy ?? "default",
    };
    this.windowEnds = 0;
    this.blockedUntil = 0;
    this.armedAuthErrors = 0;
    this.used = 0;
  }

  /** Takes one call: `{headers}` for its answer, and `refusal` where it is refused. */
  take(now = Date.now()) {
    const settings = this.settings;
    if (!settings) return { headers: {} };
    if (this.armedAuthErrors > 0) {
      this.armedAuthErrors -= 1;
      return { headers: {}, refusal: failure(401, 9109, "Invalid access token") };
    }
    if (now < this.blockedUntil) return this.#refuse(now);
    if (now >= this.windowEnds || this.blockedUntil > 0) {
      this.windowEnds = now + settings.windowMs;
      this.blockedUntil = 0;
      this.used = 0;
    }
    if (this.used >= settings.limit) {
      this.blockedUntil = now + settings.blockMs;
      this.armedAuthErrors = settings.authErrors;
      return this.#refuse(now);
    }
    this.used += 1;
    return { headers: this.#headers(now) };
  }

  #refuse(now) {
    const wait = Math.max(1, Math.ceil((this.blockedUntil - now) / 1000));
    const headers = this.#headers(now);
    if (this.settings.retryAfter) headers["Retry-After"] = String(wait);
    return {
      headers,
      refusal: failure(429, 10429, "workflows.api.error.rate_limit.exceeded: Please wait and consider throttling your request speed"),
    };
  }

  #headers(now) {
    const { headers, limit, windowMs, policy } = this.settings;
    if (!headers) return {};
    const until = this.blockedUntil > now ? this.blockedUntil : this.windowEnds;
    const remaining = this.blockedUntil > now ? 0 : limit - this.used;
    return {
      Ratelimit: `"${policy}";r=${remaining};t=${Math.ceil((until - now) / 1000)}`,
      "Ratelimit-Policy": `"${policy}";q=${limit};w=${Math.ceil(windowMs / 1000)}`,
    };
  }
}
