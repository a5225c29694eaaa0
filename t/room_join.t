
# Tests for join and leave.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /three {
        chat                       chat;
        chat_user                  $arg_user;
        chat_rooms_per_connection  3;
    }
_EOC_

play();

__DATA__

=== TEST 1: the reply to a join
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"room":"lobby","epoch":"%~^.+$","seq":0,"members":1, \
    "messages":[],"topic":"","role":"member","recovered":"%absent","presence":"%absent"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":"x","room":"lobby"}
b < {"type":"ok","id":"x","room":"lobby","members":2}



=== TEST 2: a command without an id has no ok
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","room":"lobby"}
a > {"type":"send","room":"lobby","text":"hi"}
a < {"type":"message","room":"lobby","text":"hi"}
a > {"type":"leave","room":"lobby"}
a > {"type":"ping"}
a nothing 50ms



=== TEST 3: a second join of the same room is a look at it
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch","seq":0}
a > {"type":"send","room":"lobby","text":"one"}
a < {"type":"message","seq":1}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"epoch":"$epoch","seq":1,"members":1,"messages":"%[1]"}
a > {"type":"send","room":"lobby","text":"two"}
a < {"type":"message","seq":2}
a nothing 50ms



=== TEST 4: leave
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"leave","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"room":"lobby"}
b > {"type":"send","room":"lobby","text":"gone"}
b < {"type":"message","text":"gone"}
a nothing 100ms
a > {"type":"send","id":3,"room":"lobby","text":"x"}
a < {"type":"error","id":3,"code":"not_joined"}
a > {"type":"leave","id":4,"room":"lobby"}
a < {"type":"error","id":4,"code":"not_joined"}
a > {"type":"join","id":5,"room":"lobby"}
a < {"type":"ok","id":5,"seq":1,"messages":[{"text":"gone"}]}



=== TEST 5: rooms have numbers of their own
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for room one two three
a > {"type":"join","id":1,"room":"$room"}
a < {"type":"ok","id":1,"room":"$room","seq":0}
end
for room one two three
for seq 1..3
a > {"type":"send","room":"$room","text":"$room $seq"}
a < {"type":"message","room":"$room","seq":$seq,"text":"$room $seq"}
end
end



=== TEST 6: names
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for room a "/#$%" <b> "\xc3\xa9" "\xf0\x9f\x98\x80" .. x@y $("x" x 128)
a > {"type":"join","id":1,"room":"$(Test::Nginx::Chat::Script::unescape($v{room}))"}
a < {"type":"ok","id":1}
end
a > {"type":"join","id":1,"room":"a\"b\\c"}
a < {"type":"ok","id":1,"room":"a\"b\\c"}
a > {"type":"join","id":1,"room":""}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
a > {"type":"join","id":1,"room":"$("x" x 129)"}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
for bad \u0000 \u0001 \n \u007f \u0085
a > {"type":"join","id":1,"room":"a$bad"}
a < {"type":"error","id":1,"code":"bad_request","field":"room"}
end
a > {"type":"join","id":1,"room":"@bob"}
a < {"type":"error","id":1,"code":"forbidden"}



=== TEST 7: as many rooms as the configuration allows
--- chat
a connect /three?user=alice
a < {"type":"welcome","limits":{"rooms":3}}
for i 1..3
a > {"type":"join","id":$i,"room":"r$i"}
a < {"type":"ok","id":$i}
end
a > {"type":"join","id":4,"room":"r4"}
a < {"type":"error","id":4,"code":"room_limit"}
a > {"type":"join","id":5,"room":"r1"}
a < {"type":"ok","id":5}
a > {"type":"leave","id":6,"room":"r1"}
a < {"type":"ok","id":6}
a > {"type":"join","id":7,"room":"r4"}
a < {"type":"ok","id":7}



=== TEST 8: members are users, not connections
--- config
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_leave_delay  50ms;
        chat_presence     full;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"members":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"members":2}
a < {"type":"joined","user":"bob","members":2}
c connect /chat?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"members":2}
b > {"type":"leave","id":2,"room":"lobby"}
b < {"type":"ok","id":2}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"members":2}
c > {"type":"leave","id":2,"room":"lobby"}
c < {"type":"ok","id":2}
a < {"type":"left","user":"bob","members":1}
a > {"type":"join","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":1}



=== TEST 9: who goes without a word has left
--- config
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_leave_delay  50ms;
        chat_presence     full;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
a < {"type":"joined","user":"bob","members":2}
b reset
a < {"type":"left","user":"bob","members":1}
a > {"type":"join","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":1}



=== TEST 10: who is there, if asked
The list is the state at the answer: what follows it is news.
--- config
    location /chat {
        chat             chat;
        chat_user        $arg_user;
        chat_user_name   $arg_name;
        chat_user_color  "#010203";
        chat_user_role   $arg_role;
        chat_presence    full;
    }
--- chat
a connect /chat?user=alice&name=Alice&role=owner
a < {"type":"welcome","name":"Alice","color":"#010203"}
a > {"type":"join","id":1,"room":"lobby","presence":true}
a < {"type":"ok","id":1,"members":1,"role":"owner","presence":[ \
    {"user":"alice","name":"Alice","color":"#010203","role":"owner","since":"%int"}]}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","presence":true}
b < {"type":"ok","id":1,"members":2,"role":"member","presence":"%[2]"}
c connect /chat?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby","presence":true}
c < {"type":"ok","id":1,"members":2,"presence":"%[2]"}
c > {"type":"join","id":2,"room":"lobby","presence":false}
c < {"type":"ok","id":2,"members":2,"presence":"%absent"}
d connect /chat?user=dora other=b
d < {"type":"welcome"}
d > {"type":"join","id":1,"room":"lobby"}
d < {"type":"ok","id":1,"members":3}
for who b c
$who < {"type":"joined","user":"dora","members":3}
end



=== TEST 11: a full room
Users count, and not their connections.
--- config
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_room_members  2;
    }

    location /at {
        chat               chat;
        chat_user          $arg_user;
        chat_room          lobby;
        chat_room_members  2;
    }
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
c connect /chat?user=carol
d connect /chat?user=bob same=a
for who a b c d
$who < {"type":"welcome"}
end
for who a b d
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"error","id":1,"code":"room_full"}
c > {"type":"join","room":"lobby"}
c < {"type":"error","code":"room_full","id":"%absent"}
c > {"type":"send","id":2,"room":"lobby","text":"x"}
c < {"type":"error","id":2,"code":"not_joined"}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"members":2}
c > {"type":"join","id":3,"room":"other"}
c < {"type":"ok","id":3}
e connect /at?user=eve
e < {"type":"welcome"}
e < {"type":"error","code":"room_full","id":"%absent"}
f connect /at?user=alice other=a
f < {"type":"welcome"}
f < {"type":"joined","room":"lobby","members":2,"user":"alice"}



=== TEST 12: names that are refused
--- config
    location /chat {
        chat             chat;
        chat_user        $arg_user;
        chat_room_names  ^[a-z]+$;
    }

    location /at {
        chat             chat;
        chat_user        $arg_user;
        chat_room_names  ^[a-z]+$;
        chat_room        $arg_room;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for room Lobby 1 lobby1 a-b lobby@ x\u00e9
a > {"type":"join","id":1,"room":"$room"}
a < {"type":"error","id":1,"code":"forbidden"}
end
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2}
a > {"type":"join","id":3,"room":"@alice"}
a < {"type":"ok","id":3,"room":"@alice"}
b refused 403 /at?user=bob&room=Lobby
c connect /at?user=carol&room=lobby
c < {"type":"welcome"}
c < {"type":"joined","room":"lobby"}



=== TEST 13: a room that is joined on connect answers as a join does
--- config
    location /at {
        chat            chat;
        chat_user       $arg_user;
        chat_room       lobby;
        chat_user_role  moderator;
    }
--- chat
a connect /at?user=alice
a < {"type":"welcome"}
a < {"type":"joined","room":"lobby","user":"alice","name":"alice","color":"%~^#","ts":"%int", \
    "epoch":"$epoch","seq":0,"members":1,"messages":[],"topic":"","role":"moderator", \
    "slow":0,"locked":false,"members_only":false,"read":0,"unread":0, \
    "recovered":"%absent","presence":"%absent","id":"%absent"}
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
b connect /at?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined","epoch":"$epoch","seq":1,"members":2,"unread":1,"messages":[{"seq":1}]}



=== TEST 14: the state of the room
--- config
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
    }
--- chat
a connect /chat?user=alice&role=owner
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"owner"}
a > {"type":"set","id":2,"room":"lobby","topic":"\u2028 a \"topic\"","slow":5000,"locked":true}
a skip {"type":"ok","id":2}
a > {"type":"grant","id":3,"room":"lobby","user":"bob","role":"moderator"}
a skip {"type":"ok","id":3}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","history":0}
b < {"type":"ok","id":1,"role":"moderator","topic":"\u2028 a \"topic\"", \
    "slow":5000,"locked":true,"members_only":false,"seq":1,"messages":[]}
c connect /chat?user=carol
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"role":"member","messages":[{"type":"room","seq":1}]}
