// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** Which credentials the gateway accepts, and what it says of the others. */

import { randomBytes, timingSafeEqual } from "node:crypto";
import { failure, ok } from "./answers.mjs";

const same = (left, right) => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};

export class Auth {
  accountId = "0123456789abcdef0123456789abcdef";
  // Long and random, so that they are found wherever they leak and nothing else is masked with them.
  own = {
    token: `engine-token-${randomBytes(24).toString("hex")}`,
    email: "operator@edgeops.example",
    key: `engine-key-${randomBytes(24).toString("hex")}`,
  };
  added = [];

  /** Accepts one more token, or email and key, until the next reset. */
  add({ token, email, key, status = "active" }) {
    if (!token && !(email && key)) throw new Error("token, or email and key, are needed");
    this.added.push({ token, email, key, status });
  }

  reset() {
    this.added = [];
  }

  #known() {
    return [{ token: this.own.token, status: "active" }, { email: this.own.email, key: this.own.key, status: "active" }, ...this.added];
  }

  /** The credentials of a request: `{kind, known}`; `known` is undefined where nobody knows them. */
  #read(headers) {
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? "");
    if (bearer) {
      return { kind: "bearer", known: this.#known().find(({ token }) => token && same(token, bearer[1])) };
    }
    const { "x-auth-email": email, "x-auth-key": key } = headers;
    if (email !== undefined && key !== undefined) {
      return { kind: "key", known: this.#known().find((one) => one.key && same(one.email, email) && same(one.key, key)) };
    }
    return { kind: "none" };
  }

  /** For the call log: never the value. */
  kindOf(headers) {
    return this.#read(headers).kind;
  }

  /** The answer that refuses a call, or null. */
  refuse(headers, account) {
    const { kind, known } = this.#read(headers);
    if (kind === "none") return failure(401, 10000, "Authentication error");
    if (known?.status !== "active") {
      return kind === "bearer" ? failure(401, 9109, "Invalid access token") : failure(403, 9103, "Unknown X-Auth-Key or X-Auth-Email");
    }
    if (account !== undefined && account !== this.accountId) return failure(403, 10000, "Authentication error");
    return null;
  }

  /** `tokens/verify`: tells of disabled and expired tokens, too. */
  verify(headers, account) {
    const { kind, known } = this.#read(headers);
    if (kind !== "bearer") return failure(400, 6003, "Invalid request headers");
    if (!known) return failure(401, 1000, "Invalid API Token");
    if (account !== undefined && account !== this.accountId) return failure(403, 10000, "Authentication error");
    return ok({ id: "f".repeat(32), status: known.status });
  }
}
