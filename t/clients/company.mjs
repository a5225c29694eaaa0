/*
 * Copyright (C) the chat module's authors
 *
 * Three people and all that they can do to each other: the owner of the rooms,
 * a member on a phone, and one who will misbehave.  Arguments: as of
 * browser.mjs.
 */

import { end, is, ok, until } from './lib.mjs';
import { connected, desk, faults, launch, open, phone, picture, reads, say,
         sees } from './browser.mjs';

const browser = await launch();
const admin = await open(browser, 'admin', desk);
const bob = await open(browser, 'Bob', phone);
const eve = await open(browser, 'Eve', { ...desk, colorScheme: 'dark' });

const text = (page, selector) => () => page.textContent(selector);
const texts = (page, selector) => () => page.$$eval(selector, (nodes) => {
    return nodes.map((node) => node.textContent);
});


/* The toolbar of the message with a text, and one of its buttons. */

async function tool(page, message, name) {
    const item = page.locator('#log .message', { hasText: message }).last();

    await item.locator('.bubble').click({ position: { x: 4, y: 4 } });
    await item.locator(`[data-action="${name}"]`).click();
}


/* people */

await sees(texts(admin, '#members .name'), ['admin', 'Bob', 'Eve'],
           'members are listed, owners first');
is(await text(admin, '#who')(), '3 people', 'and counted');
is(await texts(admin, '#members .tag')(), ['you', 'Owner'],
   'with their roles');

const hues = await admin.$$eval('#members .avatar', (nodes) => {
    return nodes.map((node) => node.style.getPropertyValue('--hue'));
});

is(new Set(hues).size, 3, 'and colors');

/* typing */

await bob.type('#text', 'Hel');
await sees(text(admin, '#typing'), 'Bob is typing…', 'typing is seen');
await bob.fill('#text', '');
await sees(text(admin, '#typing'), '', 'and that it has ended');
await say(bob, 'Hello from the train');
await reads(admin, ['Bob: Hello from the train'], 'a message');

/* edit, reply, jump */

await tool(bob, 'Hello from the train', 'edit');
is(await bob.inputValue('#text'), 'Hello from the train',
   'a message can be edited');
await say(bob, 'Hello from the bus');
await reads(admin, ['Bob: Hello from the bus'], 'all see the new text');
ok(await admin.isVisible('#log .edited'), 'and that it was edited');

await tool(admin, 'Hello from the bus', 'reply');
ok((await text(admin, '#context')()).includes('Reply to Bob'),
   'a reply says to whom');
await say(admin, 'Which one?');
await reads(bob, ['You: Hello from the bus', 'admin: Which one?'],
            'the reply arrives');
is(await texts(bob, '#log .quote .said')(), ['Hello from the bus'],
   'with what it replies to');
await bob.click('#log .quote');
ok(await bob.isVisible('.message.flash'), 'a click leads there');

/* reactions */

await tool(bob, 'Which one?', 'choose');
await bob.click('.choice button[aria-label="React with 👍"]');
await sees(texts(admin, '#log .chip'), ['👍1'], 'a reaction is seen');
await admin.click('#log .chip');
await sees(texts(bob, '#log .chip'), ['👍2'], 'and counted');
await admin.click('#log .chip');
await sees(texts(bob, '#log .chip'), ['👍1'], 'and taken back');

/* profile */

await eve.click('#me');
await eve.fill('#profile-name', 'Evelyn 100%25');
await eve.fill('#profile-color', '#d6336c');
await eve.click('#profile .primary');
await sees(texts(admin, '#members .name'), ['admin', 'Bob', 'Evelyn 100%25'],
           'a new name is seen at once, as it was chosen');
await say(eve, 'BUY NOW');
await reads(bob, ['You: Hello from the bus', 'admin: Which one?',
                  'Evelyn 100%25: BUY NOW'], 'and over messages');

/* direct messages */

await admin.click('#members .member:has-text("Bob")');
await admin.click('#person-write');
await sees(text(admin, '#topic'), 'Only the two of you read this',
           'a conversation of two');
await admin.type('#text', 'Between');
await admin.fill('#text', 'Between us');
await admin.keyboard.press('Enter');
await reads(admin, ['You: Between us'], 'a direct message is sent');
await until(() => bob.isVisible('#menu-unread'), 'a mark on the phone');
await bob.click('#menu');
await sees(texts(bob, '#directs .entry .badge'), ['1'],
           'it counts as unread');
await picture(bob, 'drawer');
await bob.click('#directs .entry');
await reads(bob, ['admin: Between us'], 'and is read');
await say(bob, 'Fine');
await reads(admin, ['You: Between us', 'Bob: Fine'], 'so is the answer');
await tool(admin, 'Between us', 'edit');
await say(admin, 'Between you and me');
await reads(bob, ['admin: Between you and me', 'You: Fine'],
            'an edit of it reaches both');
await tool(bob, 'Fine', 'delete');
await bob.click('#confirm .danger');
await reads(admin, ['You: Between you and me',
                    'Bob: This message was deleted.'], 'a deletion too');
is(await eve.$$eval('#directs .entry', (nodes) => nodes.length), 0,
   'nobody else has heard of it');
await bob.reload();
await connected(bob);
await sees(texts(bob, '#directs .entry .name'), ['admin'],
           'a conversation is there after a reload');
await bob.click('#menu');
await bob.click('#rooms .entry');

/* unread messages of another room */

await say(eve, 'BUY MORE');
await sees(texts(admin, '#rooms .badge'), ['1'],
           'unread messages of another room are counted');
await admin.click('#rooms .entry');
await sees(texts(admin, '#rooms .badge'), [], 'until they are read');

/* a second room */

await admin.click('#find');
await sees(texts(admin, '#finder-list .name'), ['lobby'],
           'rooms are listed');
await picture(admin, 'rooms');
await admin.fill('#finder-name', 'garden');
await admin.keyboard.press('Enter');
await sees(text(admin, '#room-name'), 'garden', 'another room');
await say(admin, 'Quiet here');
await reads(admin, ['You: Quiet here'], 'has its own messages');
await admin.click('#rooms .entry:has-text("lobby")');

/* moderation */

await tool(admin, 'BUY NOW', 'delete');
await admin.click('#confirm .danger');
await sees(texts(eve, '#log .deleted .bubble'),
           ['This message was deleted.'], 'a moderator deletes');

await admin.click('#members .member:has-text("Evelyn")');
await admin.selectOption('#person-what', 'mute');
await admin.fill('#person-reason', 'advertising');
await picture(admin, 'moderation');
await admin.click('#person-act .danger');
await until(() => eve.isDisabled('#text'), 'the field to be closed');
ok((await text(eve, '#text-label')()).startsWith('You are muted until'),
   'who is muted is told until when');
await sees(async () => (await texts(bob, '#log .note span')()).at(-1)
                       ?.replace(/until .*:/, 'until …:'),
           'admin muted Evelyn 100%25 until …: “advertising”.',
           'the others too');
await admin.click('#log .note .link');
await until(() => eve.isEnabled('#text'), 'the field to be open');

await admin.click('#more');
await admin.fill('#settings-topic', 'Buses and trains');
await admin.selectOption('#settings-slow', '30000');
await admin.click('#settings .primary');
await sees(text(eve, '#topic'), 'Buses and trains', 'a topic');
await say(eve, 'one');
await until(async () => /again in (30|29|2\d) s/
                        .test(await text(eve, '#hint')()),
            'slow mode to count down');
ok(await eve.isDisabled('#send'), 'and hold the button');
await picture(eve, 'slow');

const before = await text(eve, '#hint')();

await until(async () => await text(eve, '#hint')() !== before, 'a second');
await say(admin, 'No hurry');
await say(admin, 'for moderators');
await sees(async () => (await texts(bob, '#log .bubble')()).slice(-2),
           ['No hurry', 'for moderators'], 'which moderators are free of');

await admin.click('#more');
await admin.selectOption('#settings-slow', '0');
await admin.check('#settings-locked');
await admin.click('#settings .primary');
await until(() => eve.isDisabled('#text'), 'a lock to close the field');
is(await text(eve, '#text-label')(),
   'The room is locked: only moderators may write', 'and say so');
await admin.click('#more');
await admin.uncheck('#settings-locked');
await admin.click('#settings .primary');
await until(() => eve.isEnabled('#text'), 'an end of it');

await picture(admin, 'company-light');
await picture(eve, 'company-dark');
await picture(bob, 'company-phone');

await admin.click('#members .member:has-text("Bob")');
await admin.selectOption('#person-grant select', 'moderator');
await admin.click('#person-grant .quiet');
await sees(texts(admin, '#members .tag'), ['you', 'Owner', 'Moderator'],
           'a role is given');

await bob.click('#who');
await bob.click('#members .member:has-text("Evelyn")');
await bob.selectOption('#person-what', 'kick');
await bob.check('#person-purge input');
await picture(bob, 'person-phone');
await bob.click('#person-act .danger');
await sees(text(eve, '#notice-text'),
           'You were removed from this room by Bob.',
           'a new moderator removes somebody, who is told');
ok(await eve.isDisabled('#text'), 'and can write no more');
await sees(texts(admin, '#members .name'), ['admin', 'Bob'],
           'the others see that');
await sees(() => admin.$$eval('#log .message:not(.deleted) .name', (nodes) => {
    return nodes.filter((node) => node.textContent.includes('Evelyn')).length;
}), 0, 'with all that had been said');
await picture(eve, 'kicked');
await eve.click('#retry');
await sees(texts(admin, '#members .name'), ['admin', 'Bob', 'Evelyn 100%25'],
           'who was removed may come back');

await admin.click('#members .member:has-text("Evelyn")');
await admin.selectOption('#person-what', 'ban');
await admin.selectOption('#person-duration', '3600000');
await admin.click('#person-act .danger');
await sees(async () => (await text(eve, '#notice-text')())
                       .replace(/until .*/, 'until …'),
           'You are banned from this room by admin until …',
           'who is banned is told until when');
await eve.click('#retry');
await sees(async () => (await text(eve, '#notice-text')())
                       .replace(/until .*/, 'until …'),
           'You are not in this room: you are banned until …',
           'and may not come back');
await admin.click('#log .note:last-child .link');
await sees(async () => (await texts(bob, '#log .note span')()).at(-1),
           'admin unbanned Evelyn 100%25.', 'a ban can be undone');
await eve.click('#retry');
await sees(texts(admin, '#members .name'), ['admin', 'Bob', 'Evelyn 100%25'],
           'and then it is over');

/* keyboard alone */

await admin.focus('#text');
await admin.keyboard.press('ArrowUp');
is(await admin.inputValue('#text'), 'for moderators',
   'arrow up edits the last message');
await admin.keyboard.press('Escape');
is(await admin.inputValue('#text'), '', 'escape does not');
await admin.focus('#scroller');
await admin.keyboard.press('ArrowUp');
is(await admin.evaluate(() => document.activeElement.className.split(' ')[0]),
   'message', 'messages can be walked through');
await admin.keyboard.press('Tab');
ok(await admin.evaluate(() => document.activeElement.closest('.tools')
                              !== null), 'to what can be done with them');

const width = await bob.evaluate(() => document.documentElement.scrollWidth);

ok(width <= 390, 'nothing is wider than a phone');
is(faults, [], 'no fault on any page');

await browser.close();
end();
