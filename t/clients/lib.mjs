/*
 * Copyright (C) the chat module's authors
 *
 * What the scripts of the foreign clients share.  They print their results
 * and ask the test that plays them for actions (see t/lib/ChatServer.pm).
 */

import { copyFileSync, mkdirSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const top = path.resolve(fileURLToPath(import.meta.url), '../../..');

export const require = createRequire(
    path.join(process.env.TEST_NODE_MODULES
              ?? path.join(top, 'build/node/node_modules'), 'none.js'));


export function ok(value, name) {
    console.log(`${value ? '' : 'not '}ok - ${name}`);

    return Boolean(value);
}


export function is(value, expected, name) {
    if (!ok(isDeepStrictEqual(value, expected), name)) {
        console.log(`# got ${short(value)}, expected ${short(expected)}`);
    }
}


/* The last thing of a script: what is still open does not hold it. */

export function end() {
    process.stdout.write('end\n', () => process.exit(0));
}


const answers = createInterface({ input: process.stdin })
                [Symbol.asyncIterator]();


export async function ask(action) {
    console.log(`do ${action}`);

    return (await answers.next()).value;
}


export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}


/* Resolves with what condition() returns once that is true. */

export async function until(condition, what, timeout = 15000) {
    const end = Date.now() + timeout;

    for ( ;; ) {
        const value = await condition();

        if (value) {
            return value;
        }

        if (Date.now() > end) {
            throw new Error(`waited in vain: ${what}`);
        }

        await sleep(10);
    }
}


/* Older versions of node take a file for a module only by its name. */

export async function importClient(name = 'chat') {
    const dir = path.join(top, 'build/t');
    const copy = path.join(dir, `${name}.${process.pid}.mjs`);

    mkdirSync(dir, { recursive: true });
    copyFileSync(path.join(top, `conf/examples/html/${name}.js`), copy);

    const client = await import(pathToFileURL(copy));

    unlinkSync(copy);

    return client;
}


function short(value) {
    return (JSON.stringify(value) ?? String(value)).slice(0, 500);
}
