
# Tests for sessions over TLS: partial writes, slow readers, farewells.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:16m;');

default_config(<<'_EOC_');
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
    ssl_certificate      $TEST_NGINX_SERVER_ROOT/html/chat.crt;
    ssl_certificate_key  $TEST_NGINX_SERVER_ROOT/html/chat.key;

    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_room          $arg_room;
        chat_message_size  200k;
        chat_send_timeout  60s;
        chat_close_delay   300ms;
    }

    location /quick {
        chat               chat;
        chat_user          $arg_user;
        chat_room          $arg_room;
        chat_send_timeout  1s;
        chat_backlog       256k;
        chat_history       messages=10 age=1h;
    }

    location /raw {
        chat               chat;
        chat_protocol      raw;
        chat_room          $arg_room;
        chat_message_size  200k;
    }
_EOC_

play();

__DATA__

=== TEST 1: large messages in both directions, cut and slow
--- chat
timeout 20s
a connect /raw?room=1 tls port=$TEST_NGINX_RAND_PORT_1
b connect /raw?room=1 tls port=$TEST_NGINX_RAND_PORT_1 rcvbuf=4096
for len 0 1 125 126 16000 16383 16384 16385 65535 65536 200000
a binary $("z" x $len)
a recv binary $("z" x $len)
b recv binary $("z" x $len)
end
a slowly text slowly, over TLS
b recv text slowly, over TLS
a frame op=1 mask=0 x
a skip closed 1002
b close 1000
b skip closed 1000



=== TEST 2: a slow reader misses nothing that is kept
--- chat
timeout 20s
a connect /chat?user=alice&room=r
s connect /chat?user=slow&room=r same=a rcvbuf=4096 tls port=$TEST_NGINX_RAND_PORT_1
for who a s
$who skip {"type":"joined"}
end
for round 1..3
s pause
for i 1..100
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"type":"message"
end
s resume
s seqs $(100 * $round - 99)..$(100 * $round) r
end



=== TEST 3: a reader that takes nothing is closed with 1013
--- chat
timeout 20s
a connect /quick?user=alice&room=r
s connect /quick?user=slow&room=r same=a rcvbuf=4096 tls port=$TEST_NGINX_RAND_PORT_1
for who a s
$who skip {"type":"joined"}
end
s pause
for i 1..1000
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
log 1 ~client has taken nothing for 1000 ms
s resume
s skip closed 1013



=== TEST 4: a reader that takes nothing and goes
--- chat
timeout 20s
a connect /chat?user=alice&room=r
for n 1..10
s$n connect /chat?user=s$n&room=r rcvbuf=4096 tls port=$TEST_NGINX_RAND_PORT_1
end
a skip {"type":"joined"}
for n 1..10
s$n pause
end
for i 1..500
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
for n 1..5
s$n drop
end
for n 6..10
s$n reset
end
a > {"type":"send","room":"r","text":"alone"}
a < {"type":"message","text":"alone"}



=== TEST 5: reload and quit
--- chat
timeout 20s
a connect /chat?user=alice tls port=$TEST_NGINX_RAND_PORT_1
s connect /chat?user=slow&room=r tls port=$TEST_NGINX_RAND_PORT_1
b connect /chat?user=bob
nginx reload
a skip {"type":"bye"}
a closed 1012
s skip closed 1012
b skip closed 1012
a connect /chat?user=alice tls port=$TEST_NGINX_RAND_PORT_1
a < {"type":"welcome"}
nginx quit
a skip {"type":"bye"}
a closed 1001
nginx stopped



=== TEST 6: plain HTTP on the port for TLS, and TLS that ends in the middle
--- chat
a refused 400 /chat port=$TEST_NGINX_RAND_PORT_1
b connect /chat?user=bob&room=r tls port=$TEST_NGINX_RAND_PORT_1
b frame op=1 fin=0 half
b reset
c connect /chat?user=carol&room=r
c skip {"type":"joined"}
