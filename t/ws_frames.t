
# Tests for the frames of RFC 6455 section 5, bit by bit.  In raw mode, so
# that what was understood comes back as it was.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_message_size  128k;
    }
_EOC_

play();

__DATA__

=== TEST 1: text and binary come back as they were
--- chat
a connect /raw?room=1
a text hello
a recv text hello
a binary "\x00\xff\xfe"
a recv binary "\x00\xff\xfe"
a text
a recv text
a binary
a recv binary
for len 1 2 124 125 126 127 128 65535 65536 65537
a text $("x" x $len)
a recv text $("x" x $len)
end



=== TEST 2: a frame that is cut anywhere
--- chat
a connect /raw?room=1
for cut 1..10
a cut $cut frame op=1 key=12345678 hello
a recv text hello
a cut $cut ping hello
a recv pong hello
end
for cut 1..15
a cut $cut frame op=2 form=16 key=fedcba98 $("y" x 200)
a recv binary $("y" x 200)
end
for cut 1..15
a cut $cut frame op=2 form=64 key=fedcba98 $("y" x 70000)
a recv binary $("y" x 70000)
end
a slowly text hello, world
a recv text hello, world
a slowly binary $("z" x 130)
a recv binary $("z" x 130)
a slowly close 1000
a closed 1000



=== TEST 3: many frames in one segment
--- chat
a connect /raw?room=1
a cork
for i 1..500
a text $i
end
a flush
for i 1..500
a recv text $i
end
a cork
a text one
a frame op=1 fin=0 tw
a flush
a recv text one
a frame op=0 o
a recv text two



=== TEST 4: every mask, and every offset in it
--- chat
a connect /raw?room=1
for key 00000000 ffffffff 00ff00ff 01020304 80000000 00000001
for len 0..20
a frame op=2 key=$key $(substr "0123456789abcdefghij", 0, $len)
a recv binary $(substr "0123456789abcdefghij", 0, $len)
end
end



=== TEST 5: a frame without a mask
--- chat
for op text binary ping pong close
a connect /raw?room=1
a frame op=$op mask=0 abc
a closed 1002
end
a connect /raw?room=1
a hex 81 00
a closed 1002
log no ~abc



=== TEST 6: a frame without a mask is refused before its payload comes
--- chat
a connect /raw?room=1
a hex 81 05
a closed 1002



=== TEST 7: reserved bits
--- chat
for rsv 1..7
for op 0 1 2 8 9 10
a connect /raw?room=1
a frame op=$op rsv=$rsv x
a closed 1002
end
end
a connect /raw?room=1
a hex c1
a closed 1002



=== TEST 8: reserved opcodes
--- chat
for op 3 4 5 6 7 11 12 13 14 15
for fin 0 1
a connect /raw?room=1
a frame op=$op fin=$fin
a closed 1002
end
end
a connect /raw?room=1
a hex 83
a closed 1002



=== TEST 9: control frames are whole and short
--- chat
for op ping pong close
a connect /raw?room=1
a frame op=$op fin=0 ab
a closed 1002
a connect /raw?room=1
a frame op=$op $("x" x 126)
a closed 1002
a connect /raw?room=1
a frame op=$op len=70000
a closed 1002
a connect /raw?room=1
a frame op=$op form=16 len=126
a closed 1002
end
a connect /raw?room=1
a ping $("x" x 125)
a recv pong $("x" x 125)
a pong $("x" x 125)
a pong
a ping
a recv pong
a nothing 50ms



=== TEST 10: lengths in their shortest form
--- chat
for len 0 1 125
a connect /raw?room=1
a frame op=1 form=16 $("x" x $len)
a closed 1002
end
for len 0 1 125 126 65535
a connect /raw?room=1
a frame op=2 form=64 $("x" x $len)
a closed 1002
end



=== TEST 11: continuations
--- chat
a connect /raw?room=1
a frame op=0 abc
a closed 1002
a connect /raw?room=1
a frame op=0 fin=0 abc
a closed 1002
for op text binary
a connect /raw?room=1
a frame op=text fin=0 abc
a frame op=$op abc
a closed 1002
end
a connect /raw?room=1
a text whole
a recv text whole
a frame op=0 abc
a closed 1002



=== TEST 12: pings are answered in their order, with what they carry
--- chat
a connect /raw?room=1
a cork
for i 1..100
a ping $i
end
a flush
for i 1..100
a recv pong $i
end
a ping "\x00\xff"
a recv pong "\x00\xff"



=== TEST 13: one member's fault is not another one's
--- chat
a connect /raw?room=1
b connect /raw?room=1 same=a
c connect /raw?room=1 other=a
a frame op=1 mask=0 x
a closed 1002
b text still here
b recv text still here
c recv text still here
