/*
 * Copyright (C) the chat module's authors
 *
 * Two people in two tabs.  Arguments: the page's URL, the browser, and the
 * folder for pictures.
 */

import { ask, end, is, ok, until } from './lib.mjs';
import { connected, desk, faults, hide, launch, open, phone, picture, reads,
         say } from './browser.mjs';

const browser = await launch();
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
await until(async () => await bob.title() === 'lobby · Chat',
            'the count to go when the tab is seen');

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
await until(async () => !(await bob.isVisible('#outbox .message')),
            'nothing to be left unsent');

await picture(alice, 'desktop');
await picture(bob, 'phone');

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
ok(await alice.isVisible('#enter'), 'signing out leads to the entrance');
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
