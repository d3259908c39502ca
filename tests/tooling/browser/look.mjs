// Copyright (c) 2026, edgeops.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Looks at a page in a browser, in several views, and prints what it saw as JSON; see ../browser.py.
//
// The argument is JSON: {packages, executable, page, views: [{width, scheme, screenshot}]}. `packages` is the folder that holds
// node_modules; without an `executable` the browser packed into @sparticuz/chromium is used, which is unpacked there once.

import { createReadStream, createWriteStream } from "node:fs";
import { access, chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { createBrotliDecompress } from "node:zlib";

const { packages, executable, page: file, views } = JSON.parse(process.argv[2]);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");

// As the package itself starts it: one process, and pictures drawn without a graphics card.
const PACKED = [
  "--no-zygote",
  "--single-process",
  "--in-process-gpu",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];
const ALL = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
];

// Its own fonts alone, so that lines are as long on every machine.
const fonts = (folder) => `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, "fonts")}</dir><cachedir>${join(folder, "font-cache")}</cachedir></fontconfig>`;

async function unpacked() {
  const folder = join(packages, "browser");
  try {
    await access(folder);
    return folder;
  } catch {
    const packed = join(packages, "node_modules", "@sparticuz", "chromium", "bin");
    const partial = await mkdtemp(`${folder}-`);
    for (const name of ["al2023", "fonts", "swiftshader"]) {
      const { extract } = require("tar-fs");
      await pipeline(createReadStream(join(packed, `${name}.tar.br`)), createBrotliDecompress(), extract(partial));
    }
    const program = join(partial, "chromium");
    await pipeline(createReadStream(join(packed, "chromium.br")), createBrotliDecompress(), createWriteStream(program));
    await chmod(program, 0o755);
    await writeFile(join(partial, "fonts.conf"), fonts(folder));
    // Somebody else may have been faster: theirs is as good.
    await rename(partial, folder).catch(() => rm(partial, { recursive: true, force: true }));
    return folder;
  }
}

async function launch() {
  if (executable) {
    return chromium.launch({ executablePath: executable, args: ALL, timeout: 60_000 });
  }
  const folder = await unpacked();
  const env = { PATH: process.env.PATH, HOME: tmpdir(), LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: join(folder, "fonts.conf") };
  return chromium.launch({ executablePath: join(folder, "chromium"), args: [...ALL, ...PACKED], env, timeout: 60_000 });
}

// Runs in the page.
function measure() {
  const luminance = (colour) => {
    const [red, green, blue] = colour
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/^rgba\(.*, 0\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const details of document.querySelectorAll("details")) details.open = true;
  const outside = [];
  let contrast = 21;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (!node.data.trim() || node.parentElement.matches("script, style")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rectangles = [...range.getClientRects()];
    const parent = node.parentElement;
    let isOutside = !rectangles.length || rectangles.some((one) => one.left < -0.5 || one.right > innerWidth + 0.5);
    for (let each = parent; each && each !== document.body; each = each.parentElement) {
      if (getComputedStyle(each).display === "inline" || getComputedStyle(each).overflow === "visible") continue;
      const box = each.getBoundingClientRect();
      isOutside ||= rectangles.some((one) => one.left < box.left - 0.5 || one.right > box.right + 0.5 || one.bottom > box.bottom + 0.5);
    }
    if (isOutside) outside.push(node.data.trim().slice(0, 60));
    const [lighter, darker] = [luminance(getComputedStyle(parent).color), luminance(ground(parent))].sort((a, b) => b - a);
    contrast = Math.min(contrast, (lighter + 0.05) / (darker + 0.05));
  }
  return {
    innerWidth,
    scrollWidth: document.documentElement.scrollWidth,
    outside,
    contrast,
    ground: getComputedStyle(document.body).backgroundColor,
    headings: [...document.querySelectorAll("h1, h2, h3")].map((one) => `${one.tagName.toLowerCase()} ${one.textContent.trim()}`),
    pictures: [...document.querySelectorAll("svg")].map((one) => one.getAttribute("aria-label") ?? ""),
    links: [...document.querySelectorAll("a")].map((one) => one.href),
    unnamed: [...document.querySelectorAll("th")].filter((one) => !one.getAttribute("scope") || !one.textContent.trim()).length,
    elements: [...new Set([...document.querySelectorAll("*")].map((one) => one.tagName.toLowerCase()))].sort(),
    text: document.body.textContent,
  };
}

const browser = await launch();
// One tab for all: where the browser is one process, it ends with its first tab.
const tab = await browser.newPage();
let requests = [];
let complaints = [];
tab.on("request", (request) => requests.push(request.url()));
tab.on("console", (message) => complaints.push(message.text()));
tab.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
const seen = [];
for (const { width, scheme, screenshot } of views) {
  [requests, complaints] = [[], []];
  await tab.emulateMedia({ colorScheme: scheme });
  await tab.setViewportSize({ width, height: 900 });
  await tab.goto(pathToFileURL(file).href);
  if (screenshot) await tab.screenshot({ path: screenshot, fullPage: true });
  seen.push({ ...(await tab.evaluate(measure)), requests: requests.slice(1), complaints });
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
