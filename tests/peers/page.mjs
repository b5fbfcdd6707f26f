// page.mjs -- the web page in a real Chromium: asks, opens a citation, uploads; hostile text
// stays text; axe-core finds nothing serious. Run by tests/e2e/page.sh:
//   node page.mjs URL CHROMIUM FOLDER-OF-NODE-MODULES FOLDER-FOR-SCREENSHOTS
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import assert from 'node:assert/strict';

const [url, chromium, modules, shots] = process.argv.slice(2);
const require = createRequire(modules + '/');
const playwright = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const hostile = '# Hostile\n\nThe basilisk sleeps <script>window.pwned = 1</script> under '
  + '<img src=x onerror="window.pwned = 2"> the old stone bridge.\n';

const browser = await playwright.chromium.launch({ executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking',
         '--disable-component-update', '--disable-sync', '--no-first-run'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
const outside = [], errors = [];
page.on('request', r => { if (!r.url().startsWith(url) && !r.url().startsWith('data:')) outside.push(r.url()); });
page.on('pageerror', e => errors.push(String(e)));
page.on('console', m => { if (m.type() === 'error') errors.push(m.text()); });

async function ask(question) {
  await page.fill('#question', question);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#text[aria-busy="true"]');
  await page.waitForSelector('#text[aria-busy="false"]');
}

async function serious(where) {
  // axe runs as a script of the test, not of the page: the page's own policy forbids it.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run());
  const bad = found.violations.filter(v => ['serious', 'critical'].includes(v.impact));
  assert.deepEqual(bad.map(v => v.id + ' ' + v.nodes[0].html), [], where);
}

await page.goto(url);
await page.waitForFunction(() => document.getElementById('state').textContent.includes('document'));
await serious('the empty page');

// Upload with progress, then the list has it.
writeFileSync(shots + '/hostile.txt', hostile);
await page.setInputFiles('#files', shots + '/hostile.txt');
await page.waitForFunction(() => document.getElementById('told').textContent.startsWith('done'));
await page.waitForFunction(() => document.getElementById('documents').textContent.includes('hostile.txt'));

// Ask; click the citation; its words are marked.
await ask('How long is the warranty of the lighthouse lamp?');
await page.waitForSelector('#text .cite');
assert.match(await page.textContent('#text'), /seven years/);
await page.click('#text .cite');
assert.match(await page.textContent('#words mark'), /seven years/);
assert.equal(await page.evaluate(() => document.activeElement.id), 'passage');
assert.ok(await page.locator('#stages tr').count() >= 3);
await serious('an answer and its passage, light');
await page.screenshot({ path: shots + '/light.png' });
await page.click('#theme'); await page.click('#theme');
assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
await serious('an answer and its passage, dark');
await page.screenshot({ path: shots + '/dark.png' });

// Markup in a document stays text.
await ask('Where does the basilisk sleep under the old stone bridge?');
await page.waitForSelector('#text .cite');
await page.click('#text .cite');
assert.match(await page.textContent('#words'), /<script>window\.pwned = 1<\/script>/);
assert.equal(await page.evaluate(() => window.pwned), undefined);
assert.equal(await page.locator('#words script, #words img, #text img').count(), 0);

// The keyboard alone: from the question to the citation by Tab.
await page.focus('#question');
for (let i = 0; i < 12; i++) {
  await page.keyboard.press('Tab');
  if (await page.evaluate(() => document.activeElement.className === 'cite')) break;
}
await page.keyboard.press('Enter');
assert.equal(await page.evaluate(() => document.activeElement.id), 'passage');

// Removing it takes it off the list.
await page.click('button[aria-label="Remove hostile.txt"]');
await page.waitForFunction(() => !document.getElementById('documents').textContent.includes('hostile.txt'));

await page.setViewportSize({ width: 390, height: 800 });
await page.screenshot({ path: shots + '/narrow.png', fullPage: true });
assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'scrolls sideways');
assert.deepEqual(outside, [], 'asks other hosts');
assert.deepEqual(errors, [], 'errors in the console');
await browser.close();
