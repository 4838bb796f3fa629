// What senders and staff do with a browser, step by step. Each page is looked at by axe and kept as a picture.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const pictures = join(here, "..");
const { CHROMIUM, PROGRAM, SITE, SCRATCH } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(pictures, { recursive: true });

const tidegate = (...args) => execFileSync(PROGRAM, args, { encoding: "utf8" });

const sample = (id, extra = "") => [
  `MSH|^~\\&|SAMPLEEHR|CLINIC|IIS|STATE|20240308120000-0600||VXU^V04^VXU_V04|${id}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS`,
  "PID|1||90012^^^CLINIC^MR||SAMPLE^CHILD||20200101|F",
  "ORC|RE||65930^CLINIC",
  `RXA|0|1|20240308||08^Hep B, adolescent or pediatric^CVX|0.5|mL^milliliter^UCUM||00^New immunization record^NIP001|${extra}|||||A1|20251231|MSD^Merck^MVX|||CP`,
].join("\r") + "\r";
const batch = (...messages) => "BHS|^~\\&|SAMPLEEHR|CLINIC\r" + messages.join("") + `BTS|${messages.length}\r`;
const file = (name, text) => {
  const path = join(SCRATCH, name);
  writeFileSync(path, text);
  return path;
};

const browser = await chromium.launchPersistentContext(join(SCRATCH, "profile"), {
  executablePath: CHROMIUM,
  headless: true,
  ignoreHTTPSErrors: true,
  // The pages' own policy stays in force; what it refuses is listened for.
  bypassCSP: false,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const PATIENCE_MS = 120_000;
browser.setDefaultTimeout(PATIENCE_MS);

const refused = [];
const wrong = [];
const watch = (page) => page.on("console", (message) => {
  if (/Content Security Policy|Refused to/.test(message.text())) { refused.push(message.text()); }
});

const views = [["desk", { width: 1280, height: 860 }, "light"], ["dark", { width: 1280, height: 860 }, "dark"],
  ["phone", { width: 390, height: 844 }, "light"]];

// Looks at a page in three ways.
const look = async (page, name) => {
  for (const [view, size, scheme] of views) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(pictures, `${name}-${view}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) { wrong.push(`${name} (${view}): ${wide} pixels too wide`); }
    // Over the debugger's protocol, which the page's policy does not concern.
    const session = await browser.newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: axe });
    const { result } = await session.send("Runtime.evaluate", {
      expression: "axe.run().then((found) => JSON.stringify(found.violations.map((one) => "
        + "one.id + ': ' + one.nodes.map((node) => node.target.join(' ')).join(', '))))",
      awaitPromise: true, returnByValue: true,
    });
    for (const violation of JSON.parse(result.value)) { wrong.push(`${name} (${view}): ${violation}`); }
    await session.detach();
  }
  await page.setViewportSize(views[0][1]);
  await page.emulateMedia({ colorScheme: "light" });
};

const page = await browser.newPage();
watch(page);

const status = async () => {
  await page.goto(`${SITE}/status`);
  assert.match(await page.textContent("h1"), /are being processed/);
  await look(page, "status-open");
  tidegate("maintenance", "add", "upgrade", "--from", "2031-03-07 19:00", "--to", "2031-03-08 00:00", "--reason", "Registry upgrade");
  tidegate("maintenance", "start", "--for", "2h", "--reason", "not for everyone's eyes");
  await page.goto(`${SITE}/status`);
  assert.match(await page.textContent("h1"), /accepted and wait/);
  assert.doesNotMatch(await page.content(), /everyone's eyes/);
  await look(page, "status-closed");
};

const portal = async () => {
  await page.goto(`${SITE}/`);
  await look(page, "portal-login");
  await page.fill("#account", "acme");
  await page.fill("#password", "wrong password");
  await page.click("button[type=submit]");
  await page.getByRole("alert").waitFor();
  await page.fill("#account", "acme");
  await page.fill("#password", "correct horse battery");
  await page.click("button[type=submit]");
  await page.getByRole("button", { name: "Log out" }).waitFor();
  await look(page, "portal-empty");

  const good = file("friday.hl7", batch(sample("S-1"), sample("S-2")));
  const faulty = file("<img src=x onerror=alert(1)>.hl7", batch(sample("S-3").replace("08^Hep B", "^Hep B"), sample("S-4")));
  const cut = file("cut-off.hl7", "BHS|^~\\&|SAMPLEEHR|CLINIC\r" + sample("S-5"));
  // The page loads itself anew once all are sent.
  await Promise.all([page.waitForEvent("load"), page.setInputFiles("#file", [good, faulty, cut])]);
  assert.deepEqual(await page.locator("td .tag").allTextContents(), ["queued", "queued", "queued"]);
  await look(page, "portal-waiting");

  tidegate("maintenance", "release", "--reason", "done");
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    assert.ok(Date.now() < deadline, "the files are processed in time");
    await page.goto(`${SITE}/`);
    const states = await page.locator("td .tag").allTextContents();
    if (!states.some((state) => ["queued", "processing"].includes(state))) { break; }
  }
  assert.deepEqual(await page.locator("td .tag").allTextContents(), ["error", "accepted with errors", "accepted"]);
  await look(page, "portal-done");
  await page.getByRole("link", { name: "onerror" }).click();
  await page.locator("pre").waitFor();
  await look(page, "portal-answer");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Fetch the HL7 response").click()]);
  assert.match(download.suggestedFilename(), /^[0-9A-Z]{16}\.response$/);
  assert.match(readFileSync(await download.path(), "utf8"), /MSA\|AE\|S-4/);
  await page.getByText("Delete the answer").click();
  await look(page, "portal-answer-delete");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
};

// The same without scripts.
const plain = async () => {
  const other = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ["--no-sandbox", "--disable-gpu",
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  const context = await other.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${SITE}/`);
  await page.fill("#account", "acme");
  await page.fill("#password", "correct horse battery");
  await page.click("button[type=submit]");
  await page.setInputFiles("#file", [file("plain.hl7", batch(sample("S-6")))]);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("What became of your files").waitFor();
  assert.deepEqual(await page.locator(".tag").allTextContents(), ["received"]);
  await page.screenshot({ path: join(pictures, "portal-sent-desk.png"), fullPage: true });
  await other.close();
};

const console_ = async () => {
  await page.goto(`${SITE}/staff`);
  await look(page, "staff-login");
  await page.fill("#name", "jo");
  await page.fill("#password", "correct horse battery");
  await page.click("button[type=submit]");
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  await look(page, "staff-overview-open");

  await page.getByRole("link", { name: "Maintenance" }).click();
  await page.fill("#hold-for", "45m");
  await page.fill("#reason-hold", "registry restarts");
  await page.getByRole("button", { name: "Hold" }).click();
  await page.getByText(/^Opens in \d+ min/).waitFor();
  const day = new Date(Date.now() + 5 * 86400e3).toISOString().slice(0, 10);
  await page.fill("#window-name", "database-upgrade");
  await page.fill("#window-from", `${day}T19:00`);
  await page.fill("#window-to", `${day}T23:30`);
  await page.fill("#reason-window", "Registry database upgrade");
  await page.getByRole("button", { name: "Announce" }).click();
  await page.getByText("database-upgrade is announced here").waitFor();
  await look(page, "staff-maintenance");
  await page.getByText("Change").first().click();
  await look(page, "staff-maintenance-change");
  await page.getByRole("link", { name: "Notice of database-upgrade" }).click();
  await page.getByText("To be told by mail, 2 recipients:").waitFor();
  await look(page, "staff-notice");
  await page.getByRole("link", { name: "As HTML" }).click();
  await page.getByText("Registry database upgrade").first().waitFor();
  await page.screenshot({ path: join(pictures, "staff-notice-html-desk.png"), fullPage: true });
  await page.goBack();
  await page.getByRole("button", { name: "Mail it" }).click();
  await page.getByText("2 of 2 mails sent.").waitFor();
  // What is left to be told comes up to date by itself.
  await page.getByText("Nobody is left to be told by mail.").waitFor();
  await page.locator("#told td").first().waitFor();
  await look(page, "staff-notice-mailed");

  await page.getByRole("link", { name: "Jobs" }).click();
  await page.getByRole("link", { name: "cut-off.hl7" }).waitFor();
  await look(page, "staff-jobs");
  await page.selectOption("#state", "error");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.waitForURL(/state=error/);
  assert.equal(await page.locator("td .tag").count(), 1);
  await page.getByRole("checkbox").first().check();
  await page.fill("#reason-act", "once more");
  await page.getByRole("button", { name: "Requeue" }).click();
  await page.getByText("Done for 1 of 1.").waitFor();
  assert.ok((await page.locator("td .tag").allTextContents()).includes("queued"));
  await page.getByRole("link", { name: "onerror" }).click();
  await page.getByRole("heading", { name: "What is wrong" }).waitFor();
  await look(page, "staff-job");

  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText(/^Opens in/).waitFor();
  await look(page, "staff-overview-closed");
  await page.getByRole("link", { name: "Accounts" }).click();
  await page.getByRole("heading", { name: "Organizations" }).waitFor();
  await look(page, "staff-accounts");
  await page.getByRole("link", { name: "Audit" }).click();
  await page.getByRole("heading", { name: "Audit log" }).waitFor();
  await look(page, "staff-audit");
  await page.getByRole("link", { name: "Maintenance" }).click();
  await page.getByText("Release", { exact: true }).first().click();
  await page.fill("#reason-hold-0", "done");
  await page.getByRole("button", { name: /^Release all/ }).click();
  await page.getByText("Released 1.").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
};

// An administrator adds an organization, whose account logs in at once.
const organizations = async () => {
  await page.goto(`${SITE}/staff`);
  await page.fill("#name", "jo");
  await page.fill("#password", "correct horse battery");
  await page.click("button[type=submit]");
  await page.getByRole("link", { name: "Accounts" }).click();
  await page.getByRole("link", { name: "Add an organization" }).click();
  await look(page, "staff-add-organization");
  await page.fill("#new-code", "ACME01");
  await page.fill("#new-name", "Burlington <b>Pediatrics</b>");
  await page.fill("#new-account", "burlington");
  await page.fill("#new-password", "short");
  await page.fill("#new-again", "short");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("organization ACME01 exists already").waitFor();
  assert.equal(await page.inputValue("#new-name"), "Burlington <b>Pediatrics</b>");
  assert.equal(await page.inputValue("#new-password"), "");
  await look(page, "staff-add-organization-refused");
  await page.fill("#new-code", "BURL03");
  await page.fill("#new-password", "correct horse battery");
  await page.fill("#new-again", "correct horse battery");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("BURL03 is added, and may log in.").waitFor();
  await look(page, "staff-organization");

  await page.fill("#set-contacts", "it@burlington.example\nDr. Miller, by phone");
  await page.fill("#set-sessions_max", "many");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#set-sessions_max-mistake").waitFor();
  assert.equal(await page.inputValue("#set-contacts"), "it@burlington.example\nDr. Miller, by phone");
  await look(page, "staff-organization-refused");
  await page.fill("#set-sessions_max", "5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("BURL03 is changed.").waitFor();
  await page.getByText("Add keys", { exact: true }).first().click();
  await page.fill("#add-keys-0-public_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEys+QpaZZwLtzCqXxkFAH0CT0yLl0Kh+t1G2rua35DD jane@clinic");
  await page.getByRole("button", { name: "Add keys" }).click();
  await page.getByText("burlington may log in with 1 key now.").waitFor();
  await page.getByText("Set the password", { exact: true }).first().click();
  await look(page, "staff-organization-account");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();

  await page.goto(`${SITE}/`);
  await page.fill("#account", "burlington");
  await page.fill("#password", "correct horse battery");
  await page.click("button[type=submit]");
  await Promise.all([page.waitForEvent("load"), page.setInputFiles("#file", [file("first.hl7", batch(sample("B-1")))])]);
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    assert.ok(Date.now() < deadline, "the file is processed in time");
    await page.goto(`${SITE}/`);
    if ((await page.locator("td .tag").allTextContents()).join() === "accepted") { break; }
  }
  await page.getByRole("link", { name: "first.hl7" }).click();
  await page.locator("pre").waitFor();
  await page.getByText("Delete the answer").click();
  await page.getByRole("button", { name: "Delete both" }).click();
  await page.getByText("was deleted from your outbox").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
};

try {
  await status();
  await portal();
  await plain();
  await console_();
  await organizations();
} finally {
  await browser.close();
}
assert.deepEqual(refused, [], "what the pages' own policy refused");
assert.deepEqual(wrong, [], "what axe found");
console.log("the pages are as they should be; pictures are in target/pages");
