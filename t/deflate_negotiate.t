
# Tests for the negotiation of permessage-deflate: RFC 7692 5.1 and 7.1.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
    }

    location /off {
        chat              chat;
        chat_protocol     raw;
        chat_room         $arg_room;
        chat_compression  off;
    }
_EOC_

play();

__DATA__

=== TEST 1: offered and accepted, nothing is kept between messages
--- chat
a connect /raw?room=1 deflate
a header Sec-WebSocket-Extensions ~^permessage-deflate; ?
a header Sec-WebSocket-Extensions ~server_no_context_takeover
a header Sec-WebSocket-Extensions ~client_no_context_takeover
a connect /raw?room=1
a header no Sec-WebSocket-Extensions
a connect /off?room=1 deflate
a header no Sec-WebSocket-Extensions



=== TEST 2: offers that are good
--- chat
for offer permessage-deflate permessage-deflate,client_max_window_bits \
    permessage-deflate,client_max_window_bits=8 \
    permessage-deflate,client_max_window_bits=15 \
    permessage-deflate,server_max_window_bits=9 \
    permessage-deflate,server_max_window_bits=15 \
    permessage-deflate,client_no_context_takeover \
    permessage-deflate,server_no_context_takeover \
    permessage-deflate,server_no_context_takeover,client_no_context_takeover,server_max_window_bits=10,client_max_window_bits=10
a connect /raw?room=1 deflate=$offer
a header Sec-WebSocket-Extensions ~^permessage-deflate
a ztext compressed
a recv text compressed
end
a connect /raw?room=1 | Sec-WebSocket-Extensions: permessage-deflate;server_max_window_bits="10"
a header Sec-WebSocket-Extensions ~^permessage-deflate
a connect /raw?room=1 | Sec-WebSocket-Extensions: "permessage-deflate \t;\tclient_max_window_bits  =  9"
a header Sec-WebSocket-Extensions ~^permessage-deflate



=== TEST 3: a window that was asked for is answered and kept to
--- chat
for bits 9..15
a connect /raw?room=$bits deflate=permessage-deflate,server_max_window_bits=$bits
a header Sec-WebSocket-Extensions ~server_max_window_bits=$bits
set text = join "", map { chr(97 + $_ * 7919 % 26) } 1 .. 8000
a text $text$text
a recv compressed text $text$text
end



=== TEST 4: offers that are not
--- chat
for p server_max_window_bits server_max_window_bits=7 server_max_window_bits=8 \
    server_max_window_bits=16 server_max_window_bits=08 \
    server_max_window_bits=+10 server_max_window_bits=1e1 \
    server_max_window_bits=10x server_max_window_bits= \
    server_max_window_bits=-9 server_max_window_bits=0x0a \
    server_max_window_bits=110 \
    client_max_window_bits=7 client_max_window_bits=16 \
    client_max_window_bits=09 client_max_window_bits= \
    server_no_context_takeover=1 client_no_context_takeover=on \
    unknown unknown=1 server_max_window_bits=10,server_max_window_bits=10 \
    client_no_context_takeover,client_no_context_takeover \
    client_max_window_bits,client_max_window_bits=10
a connect /raw?room=1 deflate=permessage-deflate,$p
a header no Sec-WebSocket-Extensions
end
for name permessage-deflat permessage-deflate2 x-webkit-deflate-frame \
    permessage-bzip2 constructor
a connect /raw?room=1 deflate=$name
a header no Sec-WebSocket-Extensions
end



=== TEST 5: the first acceptable one of several
--- chat
a connect /raw?room=1 | Sec-WebSocket-Extensions: \
    permessage-deflate; server_max_window_bits=8, permessage-deflate
a header Sec-WebSocket-Extensions ~^permessage-deflate(?!.*server_max_window_bits)
a connect /raw?room=1 | Sec-WebSocket-Extensions: \
    x-other, permessage-deflate; nonsense, permessage-deflate; server_max_window_bits=12
a header Sec-WebSocket-Extensions ~server_max_window_bits=12
a connect /raw?room=1 | Sec-WebSocket-Extensions: \
    permessage-deflate; server_max_window_bits=11, permessage-deflate
a header Sec-WebSocket-Extensions ~server_max_window_bits=11
a connect /raw?room=1 | Sec-WebSocket-Extensions: x-other \
    | +Sec-WebSocket-Extensions: permessage-deflate
a header Sec-WebSocket-Extensions ~^permessage-deflate
