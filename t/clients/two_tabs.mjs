/*
 * Copyright (C) the chat module's authors
 *
 * Two people in two tabs.  Arguments: the page's URL, the browser, and the
 * folder for pictures.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { ask, end, is, ok, require, until } from './lib.mjs';

const [url, executablePath, pictures] = process.argv.slice(2);
const { chromium } = require('playwright-core');

const args = ['--headless=new', '--no-sandbox', '--disable-gpu',
              '--disable-quic', '--no-first-run',
              '--disable-background-networking',
              '--disable-component-update', '--disable-sync'];

const faults = [];


async function open(browser, name, options) {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    const page = await context.newPage();

    page.on('pageerror', (e) => faults.push(`${name}: ${e}`));
    page.on('console', (message) => {
        const text = message.text();

        /* a connection that is refused in a reload is the browser's to tell */
        if (message.type() === 'error' && !text.includes('WebSocket')) {
            faults.push(`${name}: ${text}`);
        }
    });

    await page.goto(url);
    await page.fill('#name', name);
    await page.keyboard.press('Enter');
    await connected(page);

    return page;
}


function connected(page) {
    return page.waitForSelector('.state[data-state="open"]');
}


async function say(page, text) {
    await page.fill('#text', text);
    await page.keyboard.press('Enter');
}


/* what stands in the list, as "name: text" */

function shown(page) {
    return page.$$eval('#log .message', (items) => items.map((item) => {
        return item.querySelector('.name').textContent + ': '
               + item.querySelector('.bubble').textContent;
    }));
}


async function reads(page, expected, name) {
    let lines;

    try {
        await until(async () => {
            lines = await shown(page);
            return lines.length >= expected.length;
        }, name);

    } catch (e) {
        console.log(`# ${e.message}`);
    }

    is(lines, expected, name);
}


/* Headless tabs are never hidden: this one is told that it is. */

async function hide(page, hidden) {
    await page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value,
                                                    configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
}


mkdirSync(pictures, { recursive: true });

const browser = await chromium.launch({ executablePath, args });

const desk = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' };

const alice = await open(browser, 'Alice', desk);
const bob = await open(browser, 'Jürgen', phone);

is(await alice.textContent('#state-text'), 'Connected', 'the state is shown');
ok(await alice.isVisible('#empty'), 'an empty room says so');

/* on two workers, which takes some attempts */

const worker = (name) => ask(`worker user=${encodeURIComponent(name)}`);

await until(async () => {
    if (await worker('Alice') !== await worker('Jürgen')) {
        return true;
    }

    await bob.reload();
    await connected(bob);
}, 'the tabs to be on two workers');

/* live, in both directions */

await say(alice, 'Hello, is anybody here?');
await reads(bob, ['Alice: Hello, is anybody here?'], 'a message arrives');

await say(bob, '<img src=x onerror="document.title=1"><b>me</b>');
await reads(alice, ['You: Hello, is anybody here?',
                    'Jürgen: <img src=x onerror="document.title=1"><b>me</b>'],
            'the answer arrives, as text');

is(await alice.$$eval('#log img, #log b', (nodes) => nodes.length), 0,
   'what users write makes no elements');

await say(alice, 'See https://example.com/a?b=c, and javascript:alert(1)');
await reads(bob, ['Alice: Hello, is anybody here?',
                  'You: <img src=x onerror="document.title=1"><b>me</b>',
                  'Alice: See https://example.com/a?b=c, and '
                  + 'javascript:alert(1)'], 'a third');

is(await bob.$$eval('#log a', (links) => links.map((link) => link.href)),
   ['https://example.com/a?b=c'], 'web addresses alone become links');

/* unread messages */

await hide(bob, true);
await say(alice, 'Are you looking?');
await until(async () => (await bob.title()).startsWith('(1)'), 'the title');
ok(await bob.isVisible('.unread'), 'unread messages are marked');
await hide(bob, false);
is(await bob.title(), 'lobby · Chat', 'the count goes when the tab is seen');

/* a reload of nginx under both tabs, and messages while it is under way */

await bob.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => {
        window.seen.push(document.getElementById('state').dataset.state);
    }).observe(document.getElementById('state'), { attributes: true });
});

const reloaded = ask('reload');

await say(alice, 'This is said while nginx reloads.');
is(await reloaded, 'done', 'nginx reloads');
await until(() => bob.evaluate(() => window.seen.includes('open')),
            'the tab to connect again', 30000);
await connected(alice);
await connected(bob);
await say(bob, 'And this after it.');

const all = ['Alice: Hello, is anybody here?',
             'Jürgen: <img src=x onerror="document.title=1"><b>me</b>',
             'Alice: See https://example.com/a?b=c, and javascript:alert(1)',
             'Alice: Are you looking?',
             'Alice: This is said while nginx reloads.',
             'Jürgen: And this after it.'];

const as = (name) => all.map((line) => line.replace(`${name}: `, 'You: '));

await reads(alice, as('Alice'), 'nothing is lost or doubled over the reload');
await reads(bob, as('Jürgen'), 'nor in the other tab');
ok(!(await bob.isVisible('#outbox .message')), 'nothing is left unsent');

await alice.screenshot({ path: path.join(pictures, 'desktop.png') });
await bob.screenshot({ path: path.join(pictures, 'phone.png') });

/* a reload of the page */

await alice.reload();
await connected(alice);
await reads(alice, as('Alice'), 'a page that is loaded again has history');

/* keyboard alone */

await alice.keyboard.type('Typed at once');
await alice.keyboard.press('Shift+Enter');
await alice.keyboard.type('in two lines');
await alice.keyboard.press('Enter');
await reads(bob, [...as('Jürgen'), 'Alice: Typed at once\nin two lines'],
            'the message field has the focus');

/* away and back */

await alice.click('#leave');
ok(await alice.isVisible('#enter'), 'leaving leads to the entrance');
ok(!(await alice.isVisible('#chat')), 'and closes the room');

await alice.fill('#name', '<i>A</i>');
await alice.keyboard.press('Enter');
await connected(alice);
await say(alice, 'W'.repeat(300));
await reads(bob, [...as('Jürgen'), 'Alice: Typed at once\nin two lines',
                  `<i>A</i>: ${'W'.repeat(300)}`], 'a name is text too');
is(await bob.$$eval('#chat i', (nodes) => nodes.length), 0,
   'and makes no elements');

const widths = await bob.evaluate(() => [
    document.documentElement.scrollWidth,
    document.getElementById('scroller').scrollWidth]);

ok(widths.every((width) => width <= 390), 'nothing is wider than a phone');
is(faults, [], 'no fault on either page');

await browser.close();
end();
