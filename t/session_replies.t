
# Tests for replies that a client asks for and does not take, or takes late:
# they cost the server little, and nothing of them is lost.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:16m;');

default_config(<<'_EOC_');
    location /chat {
        chat                chat;
        chat_user           $arg_user;
        chat_room           $arg_room;
        chat_send_timeout   60s;
    }

    location /ping {
        chat                chat;
        chat_user           $arg_user;
        chat_room           $arg_room;
        chat_send_timeout   60s;
        chat_ping_interval  700ms;
    }

    location /mirrored {
        mirror              /mirror;
        chat                chat;
        chat_user           $arg_user;

        location /mirrored/kept {
            mirror            /mirror;
            chat              chat;
            chat_user         $arg_user;
            chat_keep_request on;
        }
    }

    location = /mirror {
        internal;
        return 204;
    }
_EOC_

play();

__DATA__

=== TEST 1: many requests for history cost no more memory than one
What had been read was answered whole, however much waited for the socket: a
segment of "history" commands made a worker take gigabytes.
--- chat
timeout 20s
a connect /chat?user=alice&room=r
a skip {"type":"joined"}
for i 1..100
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
b connect /chat?user=bob&room=r same=a rcvbuf=4096
b skip {"type":"joined"}
set before = $main::Server->memory
b pause
b cork
for i 1..300
b > {"type":"history","id":$i,"room":"r","limit":100}
end
b > {"type":"ping","id":"last"}
b flush
a nothing 500ms
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
ok $main::Server->grown($before) < 20 * 1024
b resume
for i 1..20
b < {"type":"ok","id":$i,"more":false}
end



=== TEST 2: what waited is answered in order, to the last
--- chat
timeout 20s
a connect /chat?user=alice&room=r
a skip {"type":"joined"}
for i 1..20
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
a cork
for i 1..40
a > {"type":"history","id":$i,"room":"r","limit":20}
end
a > {"type":"ping","id":"last"}
a flush
for i 1..40
a < {"type":"ok","id":$i,"more":false}
end
a < {"type":"ok","id":"last"}



=== TEST 3: who has ended its side still gets its replies
The end of the input ended the session with the replies of the same round.
--- chat
for n 1..5
a connect /chat?user=alice
a skip {"type":"welcome"}
a cork
a > {"type":"ping","id":1}
a close 1000
a flush
a shut
a < {"type":"ok","id":1}
a recv close 1000
a eof
end



=== TEST 4: no pong is expected of who is not read from
Reading stops while many replies wait, and the pongs are behind it.
--- chat
timeout 20s
a connect /ping?user=alice&room=r
a skip {"type":"joined"}
for i 1..100
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
b connect /ping?user=bob&room=r rcvbuf=4096
b skip {"type":"joined"}
b pause
b cork
for i 1..50
b > {"type":"history","id":$i,"room":"r","limit":20}
end
b flush
a nothing 3s
b resume
for i 1..50
b skip ~^\{"type":"ok","id":$i,
end
log no ~has not answered



=== TEST 5: a chat location has no subrequests in the background
They come back to a connection that is the session's by then: with the request
kept, a segmentation fault.
--- chat
for uri mirrored mirrored/kept
a refused 500 /$uri?user=alice
log ~chat location cannot have subrequests in the background, set "mirror off"
end
