
# Tests for UTF-8: a text is checked as it comes, whatever cuts it.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
    }
_EOC_

play();

__DATA__

=== TEST 1: characters of every length
--- chat
a connect /raw?room=1
for hex 24 7f c280 c2a2 dfbf e0a080 e282ac ed9fbf ee8080 efbfbf efbfbd \
    f0908080 f09f9880 f48fbfbf 00
a text $(pack "H*", "$hex")
a recv text $(pack "H*", "$hex")
end



=== TEST 2: bytes that are no text
--- chat
for hex 80 bf c0 c080 c1bf c2 c220 c2c2 e0 e080 e08080 e09fbf e282 e28220 \
    eda080 edbfbf edb080 f0 f08080 f0808080 f08fbfbf f09f98 f4908080 \
    f5808080 f888808080 fe ff ffff
a connect /raw?room=1
a text $(pack "H*", "$hex")
a closed 1007
a connect /raw?room=1
a text $("x" x 61)$(pack "H*", "$hex")
a closed 1007
end



=== TEST 3: bytes that are no text are good in binary messages
--- chat
a connect /raw?room=1
a binary "\x80\xff\xc0"
a recv binary "\x80\xff\xc0"



=== TEST 4: a character that is cut by fragments, anywhere
--- chat
a connect /raw?room=1
for at 1..3
a frame op=1 fin=0 $(substr "\xf0\x9f\x98\x80", 0, $at)
a ping between
a frame op=0 $(substr "\xf0\x9f\x98\x80", $at)
a recv pong between
a recv text "\xf0\x9f\x98\x80"
end
a frame op=1 fin=0 "\xe2"
a frame op=0 fin=0
a frame op=0 fin=0 "\x82"
a frame op=0 fin=0
a frame op=0 "\xac"
a recv text "\xe2\x82\xac"



=== TEST 5: a character that is cut by segments, anywhere
--- chat
a connect /raw?room=1
for cut 1..11
a cut $cut frame op=1 key=12345678 "\xe2\x82\xac\xf0\x9f\x98\x80"
a recv text "\xe2\x82\xac\xf0\x9f\x98\x80"
end
a slowly text "\xe2\x82\xac\xf0\x9f\x98\x80"
a recv text "\xe2\x82\xac\xf0\x9f\x98\x80"



=== TEST 6: a text that ends inside a character
--- chat
a connect /raw?room=1
a frame op=1 fin=0 "\xe2\x82"
a frame op=0
a closed 1007
a connect /raw?room=1
a frame op=1 fin=0 "\xe2"
a frame op=0 "\x28"
a closed 1007



=== TEST 7: no waiting for the end: a bad byte is the end
--- chat
a connect /raw?room=1
a frame op=1 fin=0 good
a frame op=0 fin=0 "\xff"
a closed 1007
a connect /raw?room=1
a frame op=1 len=100 key=00000000 "ok\xff"
a closed 1007
a connect /raw?room=1
a frame op=1 fin=0 "\xed\xa0"
a closed 1007
a connect /raw?room=1
a frame op=1 fin=0 "\xf4\x90"
a closed 1007



=== TEST 8: what is bad for one member does not reach another one
--- chat
a connect /raw?room=1
b connect /raw?room=1 other=a
a text good
b recv text good
a recv text good
a text "ba\xff"
a closed 1007
b nothing 100ms
