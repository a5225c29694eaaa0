/*
 * Copyright (C) the chat module's authors
 *
 * Runs the examples of docs/client.md that are followed by their output.
 * Argument: host and port.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { end, importClient, is, ok, require, top, until } from './lib.mjs';

const [host] = process.argv.slice(2);
const { ChatClient } = await importClient();
const { ChatRoom, Inbox } = await importClient('room');
const AsyncFunction = (async () => {}).constructor;

globalThis.WebSocket = require('ws');
globalThis.location = { href: `http://${host}/` };


function show(value) {
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
}


const text = readFileSync(path.join(top, 'docs/client.md'), 'utf8');
const examples = [...text.matchAll(
    /^```js\n(.*?)^```\n\n```text\n(.*?)^```\n/gms)];

ok(examples.length >= 4, 'there are examples');

for (const [, code, output] of examples) {
    const printed = [];
    const console = { log: (...values) => {
        printed.push(`${values.map(show).join(' ')}\n`);
    } };
    const body = code.replace(/^import .*\n/gm, '');

    await new AsyncFunction('ChatClient', 'ChatRoom', 'Inbox', 'console',
                            body)(ChatClient, ChatRoom, Inbox, console);

    /* an event may come behind the last reply */
    await until(() => printed.join('').length >= output.length, 'the output')
          .catch(() => {});
    is(printed.join(''), output, `the example ${/user=\w+/.exec(code) ?? ''}`);
}

end();
