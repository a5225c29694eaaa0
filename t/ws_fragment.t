
# Tests for fragmented messages, with control frames in between.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
    }

    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }
_EOC_

play();

__DATA__

=== TEST 1: a message in two, three and many fragments
--- chat
a connect /raw?room=1
b connect /raw?room=1 other=a
a frame op=1 fin=0 hel
a nothing 20ms
a frame op=0 lo
a recv text hello
b recv text hello
a frame op=2 fin=0 a
a frame op=0 fin=0 b
a frame op=0 c
a recv binary abc
b recv binary abc
a frame op=1 fin=0 x
for i 1..200
a frame op=0 fin=0 x
end
a frame op=0 x
a recv text $("x" x 202)
b recv text $("x" x 202)



=== TEST 2: empty fragments
--- chat
a connect /raw?room=1
a frame op=1 fin=0
a frame op=0
a recv text
a frame op=1 fin=0
a frame op=0 fin=0 mid
a frame op=0
a recv text mid
a frame op=1 fin=0 end
a frame op=0 fin=0
a frame op=0
a recv text end



=== TEST 3: control frames in between
--- chat
a connect /raw?room=1
a frame op=1 fin=0 one
a ping 1
a recv pong 1
a pong unasked
a frame op=0 fin=0 two
a ping 2
a recv pong 2
a frame op=0 three
a recv text onetwothree



=== TEST 4: everything in one segment, and every byte alone
--- chat
a connect /raw?room=1
for how cork uncut
a cork
a frame op=1 fin=0 one
a ping p
a frame op=0 fin=0 two
a ping q
a frame op=0 three
a flush
a recv pong p
a recv pong q
a recv text onetwothree
end
a slowly frame op=1 fin=0 one
a slowly ping p
a slowly frame op=0 fin=0 two
a slowly frame op=0 three
a recv pong p
a recv text onetwothree



=== TEST 5: other members' messages come while a message is half there
--- chat
a connect /raw?room=1
b connect /raw?room=1 same=a
a frame op=1 fin=0 first
b text second
b recv text second
a recv text second
a frame op=0 half
a recv text firsthalf
b recv text firsthalf



=== TEST 6: commands in fragments
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a frame op=1 fin=0 {"type":"pi
a frame op=0 ng","id":1}
a < {"type":"ok","id":1}
a frame op=2 fin=0 {"type":"pi
a frame op=0 fin=0
a frame op=0 ng","id":2}
a < {"type":"ok","id":2}



=== TEST 7: half a message at the end
--- chat
a connect /raw?room=1
b connect /raw?room=1
a frame op=1 fin=0 half
a drop
b nothing 100ms
