// A broadcast server on npm's ws: each message goes to all members of the
// room, which is named by the request target.  Usage: ws.js PORT

'use strict';

const { WebSocketServer } = require('ws');

const rooms = new Map();
const server = new WebSocketServer({
    host: '127.0.0.1',
    port: Number(process.argv[2]),
    backlog: 4096,
    perMessageDeflate: false,
});

server.on('connection', (socket, request) => {
    let room = rooms.get(request.url);

    if (room === undefined) {
        room = new Set();
        rooms.set(request.url, room);
    }

    room.add(socket);

    socket.on('message', (data, binary) => {
        for (const member of room) {
            member.send(data, { binary });
        }
    });

    socket.on('close', () => room.delete(socket));
    socket.on('error', () => socket.terminate());
});
