// Measure pages of a running site with Lighthouse (mobile, simulated): `make lighthouse URL=http://127.0.0.1:8000 CODE=00001`.
//
// Lighthouse is no dependency of the project: the make target installs it in a scratch folder, given by LIGHTHOUSE.
// Its word list of third parties and its crash reports stay off: nothing leaves the machine.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [url, code = "00001"] = process.argv.slice(2);
if (!url || !process.env.LIGHTHOUSE) {
  console.error("usage: LIGHTHOUSE=folder node tools/lighthouse.mjs URL [CODE]");
  process.exit(2);
}

// Page, then the least score of each category; the map is judged on its speed.
const all = { performance: 95, accessibility: 95, "best-practices": 95, seo: 95 };
const pages = [
  ["/", all],
  ["/recherche/?q=arbres", all],
  ["/services/1-23/", all],
  [`/donnees/${code}/arbres/`, all],
  ["/carte/", { performance: 90 }],
];
const flags = "--headless=new --no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader --disable-background-networking";
const folder = mkdtempSync(join(tmpdir(), "lighthouse-"));
const program = join(process.env.LIGHTHOUSE, "node_modules/lighthouse/cli/index.js");
let short = 0;

for (const [position, [path, least]] of pages.entries()) {
  const report = join(folder, `${position}.json`);
  const options = ["--quiet", "--output=json", `--output-path=${report}`, "--no-enable-error-reporting", `--chrome-flags=${flags}`];
  spawnSync(process.execPath, [program, url + path, ...options], { stdio: ["ignore", "ignore", "inherit"] });
  const { categories, audits } = JSON.parse(readFileSync(report, "utf8"));
  const told = Object.entries(categories).map(([name, one]) => {
    const score = Math.round((one.score ?? 0) * 100);
    const low = score < (least[name] ?? 0);
    short += low ? 1 : 0;
    return `${name} ${score}${low ? " (sous le seuil)" : ""}`;
  });
  const speed = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];
  console.log(`${path}\n  ${told.join(" · ")}\n  ${speed.map((name) => `${name} ${audits[name].displayValue}`).join(" · ")}`);
  const failed = Object.values(audits).filter((one) => one.score !== null && one.score < 0.9 && one.scoreDisplayMode !== "informative");
  console.log(failed.map((one) => `    ${one.id} ${one.displayValue ?? ""}`).join("\n"));
}
process.exit(short ? 1 : 0);
