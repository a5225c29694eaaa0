
# Tests for raw mode: what one member sends goes to all, as it was.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
    }

    location /silent {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_echo      off;
    }

    location /chat {
        chat           chat;
        chat_room      $arg_room;
    }
_EOC_

play();

__DATA__

=== TEST 1: on one worker and on another one
--- chat
a connect /raw?room=1
b connect /raw?room=1 same=a
c connect /raw?room=1 other=a
a text hello
for who a b c
$who recv text hello
end
c binary "\x00\x01"
for who a b c
$who recv binary "\x00\x01"
end



=== TEST 2: rooms are apart
--- chat
a connect /raw?room=1
b connect /raw?room=2 same=a
c connect /raw?room=2 other=a
a text one
a recv text one
b text two
b recv text two
c recv text two
a nothing 50ms



=== TEST 3: text and binary keep their order and kind
--- chat
a connect /raw?room=1
b connect /raw?room=1 other=a
for i 1..200
a text t$i
a binary b$i
end
for who a b
for i 1..200
$who recv text t$i
$who recv binary b$i
end
end



=== TEST 4: all see the same order
--- chat
a connect /raw?room=1 record=all
b connect /raw?room=1 record=all other=a
c connect /raw?room=1 record=all same=a
d connect /raw?room=1 record=all other=a
for i 1..100
a text a$i
b text b$i
c text c$i
d text d$i
end
for who a b c d
for i 1..400
$who recv text ~^[a-d]\d+$
end
end
ok @{$main::Script->client("a")->{seen}} == 400
same a b c d



=== TEST 5: no echo
--- chat
a connect /silent?room=1
b connect /silent?room=1 same=a
c connect /silent?room=1 other=a
a text one
b recv text one
c recv text one
b text two
a recv text two
c recv text two
a text three
a text four
b text five
a recv text five
for i three four
b recv text $i
end
for i three four five
c recv text $i
end
a nothing 50ms
b nothing 50ms



=== TEST 6: echo is each location's, the room is one
--- chat
a connect /silent?room=1
b connect /raw?room=1 other=a
a text one
b recv text one
b text two
b recv text two
a recv text two
a nothing 50ms



=== TEST 7: no JSON, no welcome, no words of our own
--- chat
a connect /raw?room=1
a nothing 50ms
a text {"type":"join","id":1,"room":"x"}
a recv text {"type":"join","id":1,"room":"x"}
a header no Sec-WebSocket-Protocol
b connect /raw?room=1 | Sec-WebSocket-Protocol: chat.v1
b header no Sec-WebSocket-Protocol



=== TEST 8: a room needs a name
--- chat
a refused 403 /raw
a refused 403 /raw?room=
a refused 403 /raw?room=$("x" x 129)
a connect /raw?room=$("x" x 128)



=== TEST 9: many messages at once, none lost
--- chat
timeout 20s
a connect /raw?room=1
b connect /raw?room=1 other=a
a cork
for i 1..5000
a text message number $i
end
a flush
for who a b
for i 1..5000
$who recv text message number $i
end
end



=== TEST 10: a room of chat.v1 of the same name is another room
--- chat
a connect /raw?room=1
b connect /chat?room=1
b < {"type":"welcome"}
b < {"type":"joined","room":"1","seq":0,"members":1}
a text hello
a recv text hello
b > {"type":"send","id":1,"room":"1","text":"from chat"}
b < {"type":"ok","id":1,"seq":1}
b < {"type":"message","seq":1,"text":"from chat"}
b > {"type":"history","id":2,"room":"1"}
b < {"type":"ok","id":2,"messages":[{"seq":1,"text":"from chat"}]}
a nothing 50ms
