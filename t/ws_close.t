
# Tests for the close handshake: RFC 6455 5.5.1 and 7.4.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone   chat:1m;
    log_format  ends '$chat_user $chat_close_code';
_EOC_

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_user      $arg_user;
        chat_log       logs/ends.log ends;
    }
_EOC_

play();

__DATA__

=== TEST 1: codes that may be sent are answered with the same
--- chat
for code 1000 1001 1002 1003 1007 1008 1009 1010 1011 1012 1013 1014 3000 3999 4000 4999
a connect /raw?room=1
a close $code
a closed $code
end



=== TEST 2: codes that may not
--- chat
for code 0 1 999 1004 1005 1006 1015 1016 1100 2000 2999 5000 65535
a connect /raw?room=1
a close $code
a closed 1002
end



=== TEST 3: payloads
--- chat
a connect /raw?room=1
a close
a recv close none
a eof
a connect /raw?room=1
a close hex 03
a closed 1002
a connect /raw?room=1
a close 1000 good bye
a recv close 1000
a eof
a connect /raw?room=1
a close 1000 $("x" x 123)
a recv close 1000
a eof
a connect /raw?room=1
a close 1000 "\xc3\xa9\xf0\x9f\x98\x80"
a closed 1000
for bad ff c3 c328 eda080 f09f98 c080 f4908080
a connect /raw?room=1
a close hex 03e8 $bad
a closed 1007
end



=== TEST 4: cut anywhere
--- chat
for cut 1..9
a connect /raw?room=1
a cut $cut close 1000 bye
a closed 1000
end



=== TEST 5: nothing counts behind a close frame
--- chat
a connect /raw?room=1
b connect /raw?room=1
a cork
a text before
a close 1000
a text behind
a frame op=1 mask=0 garbage
a flush
a recv text before
a closed 1000
b recv text before
b nothing 100ms



=== TEST 6: a close frame between the fragments of a message
--- chat
a connect /raw?room=1
b connect /raw?room=1
a frame op=1 fin=0 never
a close 1000
a closed 1000
b nothing 100ms



=== TEST 7: what was sent before the fault arrives before the close frame
--- chat
a connect /raw?room=1
a cork
for i 1..20
a text $i
end
a frame op=3
a flush
for i 1..20
a recv text $i
end
a closed 1002



=== TEST 8: the close frame survives input that nobody reads any more
Closing a socket with unread input resets it, and may take the close frame
with it.
--- chat
for i 1..5
a connect /raw?room=1
a cork
a frame op=1 mask=0 x
a raw $("x" x 200000)
a flush
a closed 1002
end



=== TEST 9: a peer that does not answer the close frame is not waited for
--- chat
timeout 10s
a connect /raw?room=1
a autoclose off
a frame op=3
a closed 1002



=== TEST 10: ends without a close frame
--- chat
a connect /raw?room=1
b connect /raw?room=1
a drop
b text 1
b recv text 1
c connect /raw?room=1
c reset
b text 2
b recv text 2
d connect /raw?room=1
d frame op=1 fin=0 ab
d shut
d skip eof
b text 3
b recv text 3
e connect /raw?room=1
e hex 81
e drop
b text 4
b recv text 4



=== TEST 11: the code is in the chat log
--- chat
a connect /raw?room=1&user=alice
a close 4321
a closed 4321
log in ends.log 1 ~^alice 4321
b connect /raw?room=1&user=bob
b frame op=3
b closed 1002
log in ends.log 1 ~^bob 1002
c connect /raw?room=1&user=carol
c drop
log in ends.log 1 ~^carol 1006
d connect /raw?room=1&user=dave
d close
d recv close none
log in ends.log 1 ~^dave 1005
