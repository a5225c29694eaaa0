
# Tests for the opening handshake: every check of RFC 6455 4.2 and its status.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_origins  same;
    }

    location /plain {
        return 200 plain;
    }
_EOC_

play();


sub frames {
    my ($len, $n) = @_;

    return unpack 'H*', join '', map {
        Test::Nginx::Chat::Frame::build(payload => 'x' x $len) } 1 .. $n;
}

__DATA__

=== TEST 1: a handshake as the RFC shows it
--- chat
a connect /chat?user=alice
a header Upgrade: websocket
a header no Content-Length
a header no Transfer-Encoding
a header no Sec-WebSocket-Protocol
a header no Sec-WebSocket-Extensions
a header no Sec-WebSocket-Version
a header no Content-Type
a open
a raw "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Sec-WebSocket-Version: 13\r\n\r\n"
a status 101
a header Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
a < {"type":"welcome"}



=== TEST 2: methods
--- chat
a refused 405 POST /chat
a header Allow ~\bGET\b
a refused 405 PUT /chat
a refused 405 DELETE /chat
a refused 405 OPTIONS /chat
a refused 405 HEAD /chat
a connect /chat



=== TEST 3: HTTP/1.0, no Host, two Hosts
--- chat
a refused 400 /chat HTTP/1.0
a refused 400 /chat | -Host
a refused 400 /chat | +Host: localhost
a connect /chat



=== TEST 4: the version
An answer that says no to a version names the one that is spoken.
--- chat
for version 0 8 12 14 99 013 1 130 13x
a refused 426 /chat | Sec-WebSocket-Version: $version
a header Sec-WebSocket-Version: 13
end
a refused 426 /chat | -Sec-WebSocket-Version
a header Sec-WebSocket-Version: 13
a refused 426 /chat | Sec-WebSocket-Version: "13, 8"
a header Sec-WebSocket-Version: 13
a connect /chat | Sec-WebSocket-Version: 13



=== TEST 5: no upgrade asked for
--- chat
a refused 426 /chat | -Upgrade | -Connection
a header Upgrade: websocket
a refused 426 /chat | -Upgrade
a refused 426 /chat | Upgrade: h2c
a refused 426 /chat | Upgrade: websockets
a refused 426 /chat | Upgrade: web socket
a refused 426 /chat | -Connection
a refused 426 /chat | Connection: keep-alive
a refused 426 /chat | Connection: close
a refused 426 /chat | Connection: upgraded
a refused 426 /chat | Connection: x-upgrade



=== TEST 6: lists and letter case of Upgrade and Connection
--- chat
a connect /chat | Upgrade: WebSocket | Connection: upgrade
a connect /chat | Upgrade: WEBSOCKET | Connection: UPGRADE
a connect /chat | Upgrade: h2c, websocket
a connect /chat | Upgrade: websocket , h2c
a connect /chat | Connection: keep-alive, Upgrade
a connect /chat | Connection: keep-alive,Upgrade
a connect /chat | Connection: Upgrade, keep-alive
a connect /chat | Connection: , ,upgrade , ,
a connect /chat | Connection: "keep-alive,\t Upgrade\t, TE"
a connect /chat | Connection: keep-alive | +Connection: Upgrade



=== TEST 7: the key
--- chat
a refused 400 /chat | -Sec-WebSocket-Key
a refused 400 /chat | Sec-WebSocket-Key:
a refused 400 /chat | Sec-WebSocket-Key: short
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZVE=
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub24-_Q==
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbX=sZSBub25jZQ==
a refused 400 /chat | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x
a refused 400 /chat | +Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
a connect /chat | Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
a connect /chat | Sec-WebSocket-Key: ////////////////////+w==



=== TEST 8: subprotocols
--- chat
a connect /chat | Sec-WebSocket-Protocol: chat.v1
a header Sec-WebSocket-Protocol: chat.v1
a < {"type":"welcome","protocol":"chat.v1"}
a connect /chat | Sec-WebSocket-Protocol: soap, chat.v1
a header Sec-WebSocket-Protocol: chat.v1
a connect /chat | Sec-WebSocket-Protocol: "soap ,\tchat.v1\t,wamp"
a header Sec-WebSocket-Protocol: chat.v1
a connect /chat | Sec-WebSocket-Protocol: soap | +Sec-WebSocket-Protocol: chat.v1
a header Sec-WebSocket-Protocol: chat.v1
for name soap chat.v2 chat.v CHAT.V1 chat.v11 constructor
a connect /chat | Sec-WebSocket-Protocol: $name
a header no Sec-WebSocket-Protocol
a < {"type":"welcome","protocol":"chat.v1"}
end



=== TEST 9: a request with a body is no handshake
--- chat
a refused 400 /chat | Content-Length: 5
a refused 400 /chat | Transfer-Encoding: chunked
a connect /chat | Content-Length: 0



=== TEST 10: frames in the segment of the handshake, and what follows it
"8a00" is a pong, "8980..." a masked ping, and "GET /..." is no frame at all.
--- chat
a connect /chat plus=898537fa213d7f9f4d5158
a < {"type":"welcome"}
a recv pong Hello
a connect /chat plus=8980000000008980000000018980000000028881
a < {"type":"welcome"}
a recv pong
a recv pong
a recv pong
a connect /chat plus=474554202f706c61696e20485454502f312e310d0a0d0a
a < {"type":"welcome"}
a closed 1002



=== TEST 11: more in that segment than a header buffer holds, and frames cut by it
--- http_config
    chat_zone chat:4m;
    client_header_buffer_size 1k;
--- config
    location /raw { chat chat; chat_protocol raw; chat_room $arg_room; chat_message_size 256k; }
--- chat
for len 1 500 1024 8000 60000 200000
a connect /raw?room=r$len plus=$(main::frames($len, 3))
for i 1..3
a recv text $("x" x $len)
end
end



=== TEST 12: nothing pipelined behind a refusal is taken for frames
--- chat
a open
a raw "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Key: bad\r\n\
Sec-WebSocket-Version: 13\r\n\r\n\
GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
a status 400
a body ~400 Bad Request.*</html>\s*$
access ~"GET /chat HTTP/1.1" 400



=== TEST 13: headers without end and without sense
What a header line holds is read in linear time, whatever it is.
--- chat
within 1s
a connect /chat | Sec-WebSocket-Protocol: $(", " x 3500)
a header no Sec-WebSocket-Protocol
a connect /chat | Sec-WebSocket-Extensions: $(", ;" x 2300)
a header no Sec-WebSocket-Extensions
a connect /chat | Connection: $("x, " x 2300)Upgrade
a connect /chat | Sec-WebSocket-Extensions: $(join ", ", ("permessage-deflate; x") x 300)
a header no Sec-WebSocket-Extensions
a connect /chat | Sec-WebSocket-Protocol: "\xff\xfe, chat.v1"
a header Sec-WebSocket-Protocol: chat.v1
end
a refused 400 /chat | X: $("x" x 40000)



=== TEST 14: a refused handshake is in the access log with its status
--- chat
a refused 400 /chat | -Sec-WebSocket-Key
a refused 426 /chat | Sec-WebSocket-Version: 8
a connect /chat
access 1 ~"GET /chat HTTP/1.1" 400
access 1 ~"GET /chat HTTP/1.1" 426
access 1 ~"GET /chat HTTP/1.1" 101



=== TEST 15: an answer that keeps the connection, then a handshake on it
--- chat
a open
a raw "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
a status 200
a body ~^plain
b open
b raw "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n\
GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Sec-WebSocket-Version: 13\r\n\r\n"
b status 200
access ~"GET /chat HTTP/1.1" 101
