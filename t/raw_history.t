
# Tests for raw mode's history: what was said is said again to who comes late.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /five {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   messages=5 age=1h;
    }

    location /none {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   off;
    }

    location /short {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   messages=100 age=1s;
    }

    location /silent {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   messages=5 age=1h;
        chat_echo      off;
    }
_EOC_

play();

__DATA__

=== TEST 1: the last ones, oldest first, each as it was
--- chat
a connect /five?room=1
for i 1..4
a text t$i
a binary b$i
end
for i 1..4
a recv text t$i
a recv binary b$i
end
b connect /five?room=1 other=a
b recv binary b2
for i 3 4
b recv text t$i
b recv binary b$i
end
b text new
b recv text new
a recv text new
b nothing 50ms



=== TEST 2: who comes and whoever went
--- chat
a connect /five?room=1
a text one
a recv text one
a close 1000
a closed 1000
b connect /five?room=1
b recv text one
b nothing 50ms



=== TEST 3: none
--- chat
a connect /none?room=1
a text one
a recv text one
b connect /none?room=1 other=a
b nothing 50ms
a text two
b recv text two



=== TEST 4: what is too old
--- chat
a connect /short?room=1
a text old
a recv text old
a nothing 1200ms
a text new
a recv text new
b connect /short?room=1
b recv text new
b nothing 50ms



=== TEST 5: without echo one's own words come with the history all the same
--- chat
a connect /silent?room=1
b connect /silent?room=1
a text one
b recv text one
a drop
a connect /silent?room=1
a recv text one



=== TEST 6: live messages follow the history without a seam
--- chat
a connect /five?room=1
for i 1..20
a text $i
end
a skip ~^20$
b connect /five?room=1 plus=8180000000008a8000000000
b recv text 16
a text 21
a text 22
for i 17..20
b recv text $i
end
b skip ~^22$
