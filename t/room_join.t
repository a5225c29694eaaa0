
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
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b > {"type":"leave","id":2,"room":"lobby"}
b < {"type":"ok","id":2}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"members":1}



=== TEST 9: who goes without a word has left
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b reset
for try 1..20
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"members":"%int"}
a nothing 20ms
end
a > {"type":"join","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":1}
