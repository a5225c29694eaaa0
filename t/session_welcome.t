
# Tests for the first frame of a chat.v1 session, and whose session it is.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone   chat:1m;
    log_format  who '$chat_user/$chat_user_name/$chat_room/$chat_protocol/'
                    '$chat_transport/$chat_session';
    log_format  counts '$chat_user $chat_messages_in $chat_messages_out '
                       '$chat_bytes_in $chat_bytes_out $chat_close_code';
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat             chat;
        chat_user        $arg_user;
        chat_user_name   $arg_name;
        chat_user_color  $arg_color;
    }

    location /known {
        chat         chat;
        chat_user    $arg_user;
        chat_guests  off;
    }

    location /header {
        chat       chat;
        chat_user  $http_x_user;
    }

    location /joins {
        chat                chat;
        chat_user           $arg_user;
        chat_room           $arg_room;
        chat_message_size   9000;
        chat_ping_interval  7s;
        chat_rooms_per_connection  3;
    }

    location /logged {
        chat        chat;
        chat_user   $arg_user;
        chat_user_name  "The $arg_user";
        chat_room   lobby;
        chat_log    logs/who.log who;
    }

    location /counted {
        chat        chat;
        chat_user   $arg_user;
        chat_log    logs/counts.log counts;
    }

    location /quiet {
        chat        chat;
        chat_user   $arg_user;
        chat_log    off;
    }
_EOC_

play();

__DATA__

=== TEST 1: all its fields
--- chat
set now = int(1000 * Time::HiRes::time())
a connect /chat?user=alice
a < {"type":"welcome","protocol":"chat.v1","session":"%~^[0-9a-f]{8,}$", \
    "user":"alice","name":"alice","color":"%~^#[0-9a-f]{6}$","guest":false, \
    "ts":"$ts","limits":{"message_size":16384,"rooms":32,"rate":0,"burst":0}, \
    "ping":25000}
ok abs($ts - $now) < 60000
a nothing 50ms



=== TEST 2: a color is the user's, a session the connection's
--- chat
a connect /chat?user=alice
a < {"type":"welcome","color":"$color","session":"$session"}
b connect /chat?user=alice other=a
b < {"type":"welcome","color":"$color","session":"$other"}
ok $session ne $other
c connect /chat?user=bob
c < {"type":"welcome","color":"$bobs"}
ok $color ne $bobs



=== TEST 3: a name and a color of one's own
--- chat
a connect /header | X-User: "jos\xc3\xa9"
a < {"type":"welcome","user":"jos\u00e9"}
a connect /chat?user=u1&name=Alice&color=%23ABCDEF
a < {"type":"welcome","user":"u1","name":"%~."}
b connect /chat?user=u1&name=Alice
b < {"type":"welcome","user":"u1","name":"Alice"}
b connect /chat?user=u1&color=nonsense
b < {"type":"welcome","color":"%~^#[0-9a-f]{6}$"}



=== TEST 4: guests
--- chat
a connect /chat
a < {"type":"welcome","guest":true,"user":"$one","name":"$one"}
ok $one =~ /^guest-[0-9a-z]{6,}$/
b connect /chat
b < {"type":"welcome","guest":true,"user":"$two"}
ok $one ne $two
c connect /chat?user=
c < {"type":"welcome","guest":true}



=== TEST 5: no guests
--- chat
a refused 401 /known
a refused 401 /known?user=
a connect /known?user=alice
a < {"type":"welcome","user":"alice","guest":false}



=== TEST 6: identities that are none
--- chat
a connect /header | X-User: $("x" x 64)
a < {"type":"welcome","user":"$("x" x 64)"}
a refused 403 /header | X-User: $("x" x 65)
a refused 403 /header | X-User: "\xff\xfe"
a refused 403 /header | X-User: "caf\xc3"
a refused 403 /header | X-User: "a\x01b"
a refused 403 /header | X-User: "a\x7fb"
a refused 403 /header | X-User: "a\xc2\x85b"
a connect /header | X-User: "\xf0\x9f\x98\x80"
a < {"type":"welcome","user":"\ud83d\ude00"}
a connect /header | X-User: a"b\c<script>
a < {"type":"welcome","user":"a\"b\\c<script>"}



=== TEST 7: limits and ping are the location's
--- chat
a connect /joins?user=alice
a < {"type":"welcome","limits":{"message_size":9000,"rooms":3},"ping":7000}



=== TEST 8: a room that is joined on connect
--- chat
a connect /joins?user=alice&room=lobby
a < {"type":"welcome"}
a < {"type":"joined","room":"lobby","epoch":"$epoch","seq":0,"members":1, \
    "messages":[],"topic":"","role":"member","id":"%absent","recovered":"%absent"}
a > {"type":"send","id":1,"room":"lobby","text":"one"}
a skip {"type":"message","text":"one"}
b connect /joins?user=bob&room=lobby other=a
b < {"type":"welcome"}
b < {"type":"joined","room":"lobby","epoch":"$epoch","seq":1, \
    "messages":[{"type":"message","seq":1,"text":"one","user":"alice"}]}
b > {"type":"send","room":"lobby","text":"two"}
b < {"type":"message","seq":2}
c connect /joins?user=carol&room=
c < {"type":"welcome"}
c nothing 50ms



=== TEST 9: a room that cannot be joined on connect
--- chat
a refused 403 /joins?user=alice&room=$("x" x 129)
a connect /joins?user=alice&room=$("x" x 128)
a < {"type":"welcome"}
a < {"type":"joined"}



=== TEST 10: the log of sessions, and its variables
--- chat
a connect /logged?user=alice
a < {"type":"welcome","session":"$session"}
a < {"type":"joined","room":"lobby"}
a close 1000
a closed 1000
log in who.log 1 ~^alice/The alice/lobby/chat.v1/websocket/$session$
b connect /quiet?user=bob
b < {"type":"welcome"}
b close 1000
b closed 1000
log in who.log no ~bob



=== TEST 11: what a session counted
--- chat
a connect /counted?user=alice
a < {"type":"welcome"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
a > {"type":"ping","id":2}
a < {"type":"ok","id":2}
a close 1000
a closed 1000
log in counts.log 1 ~^alice 2 [1-9][0-9]* [0-9]+ [0-9]+ 1000$
