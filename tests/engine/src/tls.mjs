// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/** A self-signed certificate for 127.0.0.1 and localhost, made anew at each start: no private key is ever kept. */

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

const TAG = { INTEGER: 0x02, BITS: 0x03, OCTETS: 0x04, OID: 0x06, UTF8: 0x0c, TIME: 0x18, SEQUENCE: 0x30, SET: 0x31 };
const DAY_MS = 24 * 3600 * 1000;

function der(tag, ...parts) {
  const body = Buffer.concat(parts);
  let length = Buffer.from([body.length]);
  if (body.length > 127) {
    const bytes = Buffer.from(body.length.toString(16).padStart(body.length > 255 ? 4 : 2, "0"), "hex");
    length = Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
  }
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

const sequence = (...parts) => der(TAG.SEQUENCE, ...parts);
const bits = (body) => der(TAG.BITS, Buffer.from([0]), body);

function oid(dotted) {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const sevens = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) sevens.unshift((left & 0x7f) | 0x80);
    bytes.push(...sevens);
  }
  return der(TAG.OID, Buffer.from(bytes));
}

const time = (at) => der(TAG.TIME, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, "")}`));
const extension = (id, critical, value) =>
  sequence(oid(id), ...(critical ? [Buffer.from([0x01, 0x01, 0xff])] : []), der(TAG.OCTETS, value));

/** @returns {{key: string, cert: string}} both as PEM */
export function selfSigned() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
  const name = sequence(der(TAG.SET, sequence(oid("2.5.4.3"), der(TAG.UTF8, Buffer.from("edgeops local engine")))));
  const alternatives = sequence(der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = sequence(
    extension("2.5.29.19", true, sequence(Buffer.from([0x01, 0x01, 0xff]))), // basicConstraints: its own authority
    extension("2.5.29.15", true, der(TAG.BITS, Buffer.from([0x02, 0x84]))), // keyUsage: digitalSignature, keyCertSign
    extension("2.5.29.17", false, alternatives),
  );
  const serial = randomBytes(16);
  serial[0] = 0x40 | (serial[0] & 0x3f); // positive, and no leading zero
  const content = sequence(
    der(0xa0, der(TAG.INTEGER, Buffer.from([2]))), // X.509 version 3
    der(TAG.INTEGER, serial),
    algorithm,
    name,
    sequence(time(new Date(Date.now() - DAY_MS)), time(new Date(Date.now() + 30 * DAY_MS))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const certificate = sequence(content, algorithm, bits(sign("sha256", content, privateKey)));
  const lines = certificate
    .toString("base64")
    .match(/.{1,64}/g)
    .join("\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
