
# Tests for compressed messages: RFC 7692 7.2.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat               chat;
        chat_protocol      raw;
        chat_room          $arg_room;
        chat_message_size  64k;
    }

    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /min {
        chat              chat;
        chat_protocol     raw;
        chat_room         $arg_room;
        chat_compression  on min=1000 level=9;
    }
_EOC_

play();


# a message in deflate blocks of the given sizes, each flushed

sub zblocks {
    my ($text, $size, $final) = @_;

    my ($z) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15,
                                                -AppendOutput => 1);
    my $out = '';

    for (my $at = 0; $at < length $text; $at += $size) {
        $z->deflate(substr($text, $at, $size), $out);
        $z->flush($out, Compress::Raw::Zlib::Z_FULL_FLUSH());
    }

    if ($final) {
        $z->flush($out, Compress::Raw::Zlib::Z_FINISH());
        return $out . "\0";
    }

    $out =~ s/\x00\x00\xff\xff\z//;
    return $out;
}


sub hex_of { return unpack 'H*', $_[0] }

__DATA__

=== TEST 1: to those who agreed, and plain to the others
--- chat
a connect /raw?room=1 deflate
b connect /raw?room=1 same=a
c connect /raw?room=1 other=a deflate
a text $("hello " x 100)
a recv compressed text $("hello " x 100)
b recv plain text $("hello " x 100)
c recv compressed text $("hello " x 100)
a ztext $("hello " x 50)
a recv compressed text $("hello " x 50)
b recv plain text $("hello " x 50)
a zbinary $("\x00\xff" x 100)
a recv compressed binary $("\x00\xff" x 100)
b recv plain binary $("\x00\xff" x 100)



=== TEST 2: nothing is compressed that is below the minimum
--- chat
a connect /raw?room=1 deflate
a text $("x" x 63)
a recv plain text $("x" x 63)
a text $("x" x 64)
a recv compressed text $("x" x 64)
a connect /min?room=2 deflate
a text $("x" x 999)
a recv plain text $("x" x 999)
a text $("x" x 1000)
a recv compressed text $("x" x 1000)



=== TEST 3: the examples of the RFC: 7.2.3
One block, a block in two fragments, a stored block, a final block, two blocks.
--- chat
a connect /raw?room=1 deflate
a frame op=1 rsv=4 $(pack "H*", "f248cdc9c90700")
a recv text Hello
a frame op=1 rsv=4 fin=0 $(pack "H*", "f248cd")
a frame op=0 $(pack "H*", "c9c90700")
a recv text Hello
a frame op=1 rsv=4 $(pack "H*", "000500faff48656c6c6f00")
a recv text Hello
a frame op=1 rsv=4 $(pack "H*", "f348cdc9c9070000")
a recv text Hello
a frame op=1 rsv=4 $(pack "H*", "f248050000 00ffffcac9c90700" =~ s/ //gr)
a recv text Hello



=== TEST 4: empty messages
--- chat
a connect /raw?room=1 deflate
a frame op=1 rsv=4 $(pack "H*", "00")
a recv text
a frame op=2 rsv=4 $(pack "H*", "0200")
a recv binary
a frame op=1 rsv=4
a recv text



=== TEST 5: a fragmented one with control frames inside
--- chat
a connect /raw?room=1 deflate
set z = main::hex_of(main::zblocks("fragmented " x 30, 20))
ok length $z > 100
for n 1 7 40
a frame op=1 rsv=4 fin=0 $(pack "H*", substr $z, 0, 2 * $n)
a ping inside
a recv pong inside
a frame op=0 fin=0
a ping again
a recv pong again
a frame op=0 $(pack "H*", substr $z, 2 * $n)
a recv text $("fragmented " x 30)
end



=== TEST 6: cut anywhere
--- chat
a connect /raw?room=1 deflate
for cut 1..14
a cut $cut frame op=1 rsv=4 key=01020304 $(pack "H*", "f248cdc9c90700")
a recv text Hello
end
a slowly ztext $("slow " x 40)
a recv text $("slow " x 40)



=== TEST 7: many blocks, final blocks
--- chat
a connect /raw?room=1 deflate
a frame op=1 rsv=4 $(main::zblocks("many blocks ", 1))
a recv text "many blocks "
a frame op=1 rsv=4 $(main::zblocks("final block" x 20, 1000, 1))
a recv text $("final block" x 20)



=== TEST 8: RSV1 where it does not belong
--- chat
a connect /raw?room=1 deflate
a frame op=1 rsv=4 fin=0 $(pack "H*", "f248cd")
a frame op=0 rsv=4 $(pack "H*", "c9c90700")
a closed 1002
for op ping pong close
a connect /raw?room=1 deflate
a frame op=$op rsv=4
a closed 1002
end
a connect /raw?room=1
a frame op=1 rsv=4 $(pack "H*", "f248cdc9c90700")
a closed 1002
for rsv 1 2 3 5 6 7
a connect /raw?room=1 deflate
a frame op=1 rsv=$rsv x
a closed 1002
end



=== TEST 9: what is no deflate stream
--- chat
for hex ff ffffffff 06 f248cdc9c907ff 000500faff48
a connect /raw?room=1 deflate
a frame op=1 rsv=4 $(pack "H*", "$hex")
a closed 1007
end



=== TEST 10: text is UTF-8 after inflating
--- chat
a connect /raw?room=1 deflate
a ztext "caf\xc3\xa9 \xf0\x9f\x98\x80"
a recv text "caf\xc3\xa9 \xf0\x9f\x98\x80"
a zbinary "\xff\xfe"
a recv binary "\xff\xfe"
a ztext "\xff\xfe"
a closed 1007



=== TEST 11: the size that counts is the inflated one
--- chat
a connect /raw?room=1 deflate
a ztext $("x" x 65536)
a recv text $("x" x 65536)
a ztext $("x" x 65537)
a closed 1009



=== TEST 12: a bomb
A kilobyte per megabyte: it stops at the limit, and costs no memory.
--- chat
timeout 20s
a connect /raw?room=1
set before = $main::Server->memory
b connect /raw?room=1 deflate
b ztext $("x" x 50000000)
b skip closed 1009
for i 1..10
b connect /raw?room=1 deflate
b ztext $("x" x 5000000)
b closed 1009
end
ok $main::Server->grown($before) < 4096
a text still there
a recv text still there



=== TEST 13: no context from one message to the next
A client that would keep one sends what cannot be read, and a server that
would keep one could not share its messages.
--- chat
a connect /raw?room=1 deflate
for i 1..20
a ztext $("the same text again " x 10)
a recv compressed text $("the same text again " x 10)
end
b connect /raw?room=1 deflate
b recv text ~same
b drop



=== TEST 14: large messages both ways
--- chat
a connect /raw?room=1 deflate
b connect /raw?room=1 deflate other=a
set text = join "", map { pack "N", $_ * 2654435761 % 4294967296 } 1 .. 16000
a zbinary $text
a recv binary $text
b recv binary $text



=== TEST 15: chat.v1 over it
--- chat
a connect /chat?user=alice deflate
a < {"type":"welcome","user":"alice"}
b connect /chat?user=bob
b < {"type":"welcome"}
a z> {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"room":"lobby"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"room":"lobby"}
a z> {"type":"send","room":"lobby","text":"$("compressed " x 20)"}
a recv compressed text ~compressed
b recv plain text ~compressed
a > {"type":"history","id":2,"room":"lobby"}
a recv compressed text ~"messages":



=== TEST 16: each with the window that was agreed on
--- chat
plain connect /raw?room=1 record=all
w9 connect /raw?room=1 record=all deflate=permessage-deflate,server_max_window_bits=9
w12 connect /raw?room=1 record=all deflate=permessage-deflate,server_max_window_bits=12 other=w9
w15 connect /raw?room=1 record=all deflate same=w9
x15 connect /raw?room=1 record=all deflate other=w9
set text = join " ", map { "word " . $_ * 7919 % 1000 } 1 .. 1500
for i 1..10
plain text $i $text
w9 ztext small $i $(substr $text, 0, 200)
end
for who plain w9 w12 w15 x15
for i 1..20
$who recv text ~word
end
end
same plain w9 w12 w15 x15
