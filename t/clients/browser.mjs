/*
 * Copyright (C) the chat module's authors
 *
 * What the scripts of the browser tests share.  Their arguments: the page's
 * URL, the browser, and the folder for pictures.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { is, require, until } from './lib.mjs';

const [url, executablePath, pictures] = process.argv.slice(2);
const { chromium } = require('playwright-core');

const args = ['--headless=new', '--no-sandbox', '--disable-gpu',
              '--disable-quic', '--no-first-run',
              '--disable-background-networking',
              '--disable-component-update', '--disable-sync'];

export const desk = { viewport: { width: 1280, height: 800 } };
export const phone = { viewport: { width: 390, height: 844 },
                       colorScheme: 'dark', hasTouch: true };

export const faults = [];


export function launch() {
    mkdirSync(pictures, { recursive: true });

    return chromium.launch({ executablePath, args });
}


/* A tab of a browser profile of its own, in the lobby. */

export async function open(browser, name, options) {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    const page = await context.newPage();

    page.setDefaultTimeout(15000);
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


/* In a narrow window the state stands in a drawer: it is not seen. */

export function connected(page) {
    return page.waitForSelector('body[data-state="open"]',
                                { state: 'attached' });
}


export async function say(page, text) {
    await page.fill('#text', text);
    await page.keyboard.press('Enter');
}


/* what stands in the list, as "name: text", without the quotes */

export function shown(page) {
    return page.$$eval('#log .message', (items) => items.map((item) => {
        const bubble = item.querySelector('.bubble').cloneNode(true);

        bubble.querySelectorAll('.quote, .edited, .tools').forEach((node) => {
            node.remove();
        });

        return item.querySelector('.name').textContent + ': '
               + bubble.textContent;
    }));
}


export async function reads(page, expected, name) {
    await sees(() => shown(page), expected, name);
}


/* Waits for what look() returns to be as expected. */

export async function sees(look, expected, name) {
    let found;

    try {
        await until(async () => {
            found = await look();

            return JSON.stringify(found) === JSON.stringify(expected);
        }, name);

    } catch (e) {
        console.log(`# ${e.message}`);
    }

    is(found, expected, name);
}


/* Headless tabs are never hidden: this one is told that it is. */

export async function hide(page, hidden) {
    await page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value,
                                                    configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
}


export function picture(page, name) {
    return page.screenshot({ path: path.join(pictures, `${name}.png`),
                             animations: 'disabled' });
}
