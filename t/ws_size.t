
# Tests for chat_message_size: what is too large is refused when its header
# is read.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat               chat;
        chat_protocol      raw;
        chat_room          $arg_room;
        chat_history       off;
        chat_message_size  1000;
    }

    location /big {
        chat               chat;
        chat_protocol      raw;
        chat_room          big$arg_room;
        chat_message_size  4m;
    }

    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_message_size  1000;
    }
_EOC_

default_http_config('chat_zone chat:32m;');

play();

__DATA__

=== TEST 1: at the limit, and one over
--- chat
a connect /raw?room=1
a text $("x" x 1000)
a recv text $("x" x 1000)
a text $("x" x 1001)
a closed 1009



=== TEST 2: the header alone is enough
--- chat
for len 1001 65535 65536 4294967295 4294967296 9223372036854775807
a connect /raw?room=1
a frame op=2 len=$len form=$($len < 65536 ? 16 : 64) x
a closed 1009
end



=== TEST 3: a length with the highest bit is no length
--- chat
a connect /raw?room=1
a hex 82 ff 80 00 00 00 00 00 00 00
a skip closed 1002
a connect /raw?room=1
a hex 82 ff ff ff ff ff ff ff ff ff
a skip closed 1002



=== TEST 4: the fragments of a message together
--- chat
a connect /raw?room=1
a frame op=1 fin=0 $("x" x 500)
a frame op=0 $("x" x 500)
a recv text $("x" x 1000)
a frame op=1 fin=0 $("x" x 500)
a frame op=0 len=501
a closed 1009
a connect /raw?room=1
a frame op=1 fin=0 $("x" x 1000)
a frame op=0 len=1
a closed 1009



=== TEST 5: huge claims cost no memory
--- chat
a connect /raw?room=1
set before = $main::Server->memory
for i 1..50
b connect /big?room=1
b frame op=2 len=4194304 x
b drop
end
a text here
a recv text here
ok $main::Server->grown($before) < 4096



=== TEST 6: megabytes, whole and in fragments
--- chat
timeout 20s
a connect /big?room=1
a text $("x" x 4194304)
a recv text ~^x{32766}
a text $("x" x 4194305)
a closed 1009



=== TEST 7: many small fragments are as good as one large
--- chat
timeout 20s
a connect /big?room=2
a cork
a frame op=2 fin=0
for i 1..8192
a frame op=0 fin=0 $("y" x 64)
end
a frame op=0 end
a flush
a recv binary ~^y+end$



=== TEST 8: fragments without end and without sense
--- chat
timeout 20s
a connect /raw?room=1
a cork
a frame op=1 fin=0 x
for i 1..20000
a frame op=0 fin=0
end
a flush
a closed 1009



=== TEST 9: in chat.v1 a message a little over the limit is an error, one far over it the end
--- chat
a connect /chat?user=alice
a < {"type":"welcome","limits":{"message_size":1000}}
a > {"type":"ping","id":1,"x":"$("x" x 971)"}
a < {"type":"ok","id":1}
a > {"type":"ping","id":2,"x":"$("x" x 972)"}
a < {"type":"error","id":2,"code":"too_large"}
a > {"type":"ping","id":3}
a < {"type":"ok","id":3}
a text $("x" x 20000)
a closed 1009
